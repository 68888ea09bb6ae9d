// gemm cut into pieces for the threads. Of few rows, pieces of columns: each packs its own part of B, or, where B is
// transposed (a prompt times weights), reads it in place as the left factor of C^T. Of many rows, pieces of rows, once all
// threads together have packed B, or a panel of it, into memory that they share. Where A is transposed (a gradient of
// weights), many are more: B is as long as A then, and packed on the way where each thread has its own columns.
//
// A function of the rows of C can be called as they are done (`run_then`), for what reads them while they are in cache.
//
// The kernel sums each element in an order that depends on k alone, wherever C is cut: so the pieces may depend on the
// threads, the bits do not.
#pragma once

#include <array>
#include <utility>

#include <stlm/backend/eigen/elementwise.hpp>
#include <stlm/backend/eigen/gemm_bfloat16.hpp>
#include <stlm/backend/eigen/gemm_panel.hpp>
#include <stlm/ops/gated_gemm.hpp>

namespace stlm::ops {

template <>
inline constexpr bool hands_rows_on<EigenBackend> = true;

namespace impl {

template <>
struct Gemm<EigenBackend> {
  template <class S, class A, class B, class T>
  static void run(Context<EigenBackend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                  const GemmOptions& options) {
    using Product = eigen::MachineProduct<S>;
    static_assert(std::is_same_v<typename eigen::GemmProduct<Product>::Value, T>,
                  "stlm::ops::gemm: C is of another scalar than the sums, which are float for factors of Bfloat16; give a C of "
                  "that scalar.");
    static_assert(eigen::GemmSizes<Product>::scratch_bytes <= Context<EigenBackend>::scratch_bytes);
    constexpr Index strip = eigen::GemmSizes<Product>::tile_cols;
    const Index m = c.rows, n = c.cols, k = options.transpose_a ? a.rows : a.cols;
    const eigen::GemmOperand<A> left = operand(a, options.transpose_a);
    const eigen::GemmOperand<B> right = operand(b, options.transpose_b);
    if (ctx.threads() > 1 && m >= (left.transposed() ? 5 * many_rows : many_rows) && n > 0 && k > 0)
      return by_rows<Product>(ctx, n, k, left, right, c, options.accumulate);
    if constexpr (std::is_same_v<Product, A> && std::is_same_v<Product, B>) {
      const bool fill_packets = 12 * (eigen::whole_packets<Product>(m) - m) <= m;
      if (m > eigen::few_rows && m < many_rows && n >= m && k > 0 && fill_packets && right.transposed())
        return by_columns(ctx, n, k, left, right, c, options.accumulate);
    }
    const eigen::GemmPieces pieces(ctx, n, strip, m * n * k, left.transposed() ? 1 : 4);  // each reads all columns of A
    ctx.parallel_for(pieces.tasks, [&](Index task, int worker) {
      const Index j = pieces.begin(task), end = pieces.begin(task + 1);
      eigen::gemm_serial<Product>(m, end - j, k, left, right.from(0, j), c.data + j, c.stride, options.accumulate,
                                  ctx.scratch<typename eigen::GemmProduct<Product>::Unit>(worker));
    });
  }

  /// The same, and then after(begin, end) for all rows of C: of many, while they are in a thread's cache.
  template <class S, class A, class B, class T, class After>
  static void run_then(Context<EigenBackend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                       const GemmOptions& options, const After& after) {
    const Index k = options.transpose_a ? a.rows : a.cols;
    if (c.rows >= many_rows && c.cols > 0 && k > 0)
      return by_rows<eigen::MachineProduct<S>>(ctx, c.cols, k, operand(a, options.transpose_a),
                                               operand(b, options.transpose_b), c, options.accumulate, after);
    run<S>(ctx, a, b, c, options);
    ctx.for_pieces(c.rows, Elementwise<EigenBackend>::rows_a_piece(c.cols),
                   [&](Index begin, Index end, int) { after(begin, end); });
  }

  /// Threads take whole matrices, where there are as many.
  template <class S, class F, class T>
  static void run_batch(Context<EigenBackend>& ctx, const MatrixBatch<const F>& a, const MatrixBatch<const F>& b,
                        const MatrixBatch<T>& c, const GemmOptions& options) {
    using Product = eigen::MachineProduct<S>;
    const Index k = options.transpose_a ? a.first.rows : a.first.cols;
    if (ctx.threads() == 1 || c.count < ctx.threads()) {
      for (Index i = 0; i < c.count; ++i) run<S>(ctx, a[i], b[i], c[i], options);
      return;
    }
    ctx.parallel_for(c.count, [&](Index i, int worker) {
      const MatrixView<T> to = c[i];
      eigen::gemm_serial<Product>(to.rows, to.cols, k, operand(a[i], options.transpose_a), operand(b[i], options.transpose_b),
                                  to.data, to.stride, options.accumulate,
                                  ctx.scratch<typename eigen::GemmProduct<Product>::Unit>(worker));
    });
  }

 private:
  static constexpr Index many_rows = 256;  // and of fewer, columns: a panel of A holds all of them (by_columns)

  /// Threads take rows of C. after(begin, end), if given, for rows that are done: of pieces that stay in L2.
  template <class S, class A, class B, class T, class After = std::nullptr_t>
  static void by_rows(Context<EigenBackend>& ctx, Index n, Index k, eigen::GemmOperand<A> a, eigen::GemmOperand<B> b,
                      MatrixView<T> c, bool accumulate, const After& after = nullptr) {
    constexpr bool hands_on = !std::is_null_pointer_v<After>;
    constexpr Index numbers = Index{1} << 16;  // of such a piece
    eigen::GemmPanel<S> panel(ctx.shared<typename eigen::GemmProduct<S>::Unit>(), ctx.shared_bytes, n, k);
    for (Index first = 0; first < n; first += panel.max_cols)
      for (Index p = 0; p < k; p += panel.max_k) {
        const Index cols = std::min(n - first, panel.max_cols), length = std::min(k - p, panel.max_k);
        const bool last = hands_on && first + cols == n && p + length == k;
        panel.pack(ctx, length, cols, b.from(p, first));
        const eigen::GemmPieces rows(ctx, c.rows, 2 * eigen::GemmSizes<S>::tile_rows, c.rows * cols * length, 4,
                                     last ? numbers / n : c.rows);
        ctx.parallel_for(rows.tasks, [&](Index task, int worker) {
          const Index i = rows.begin(task), end = rows.begin(task + 1);
          panel.multiply(end - i, length, cols, a.from(i, p), c.row(i) + first, c.stride, accumulate || p > 0,
                         ctx.scratch<typename eigen::GemmProduct<S>::Unit>(worker), last ? c.rows - end : 0);
          if constexpr (hands_on)
            if (last) after(i, end);
        });
      }
  }

  /// C^T = B^T A^T, and threads take columns of C: A, of few rows, is the factor to pack; B is read where it lies. Each
  /// thread packs A for itself, as memory that all write and read travels between their caches.
  template <class S>
  static void by_columns(Context<EigenBackend>& ctx, Index n, Index k, eigen::GemmOperand<S> a, eigen::GemmOperand<S> b,
                         MatrixView<S> c, bool accumulate) {
    constexpr Index block = eigen::GemmSizes<S>::rows, lines = 8;  // of C at a time: as many as a set of the L1 holds
    const eigen::GemmOperand<S> left{b.data, b.col_stride, b.row_stride}, right{a.data, a.col_stride, a.row_stride};
    const Index m = c.rows, room = Context<EigenBackend>::scratch_bytes - block * m * Index{sizeof(S)};
    const auto panel_of = [&](int worker) {
      return eigen::GemmPanel<S>(ctx.scratch<S>(worker) + block * m, room, m, k);
    };
    for (Index p = 0, length; p < k; p += length) {
      length = std::min(k - p, panel_of(0).max_k);
      const bool add = accumulate || p > 0;
      const eigen::GemmPieces columns(ctx, n, block, m * n * length, 12);
      std::array<bool, ThreadPool::max_threads> packed{};
      ctx.parallel_for(columns.tasks, [&](Index task, int worker) {
        S* const sums = ctx.scratch<S>(worker);
        eigen::GemmPanel<S> panel = panel_of(worker);
        if (!std::exchange(packed[static_cast<std::size_t>(worker)], true)) panel.pack(length, m, right.from(p, 0), 0, m);
        for (Index j = columns.begin(task), end = columns.begin(task + 1); j < end; j += block) {
          const Index cols = std::min(end - j, block);
          if (add) eigen::pack_transposed(m, cols, c.data + j, c.stride, sums, m);
          panel.multiply(cols, length, m, left.from(j, p), sums, m, add, nullptr, n - j - cols);
          for (Index i = 0; i < m; i += lines)
            eigen::pack_transposed(cols, std::min(m - i, lines), sums + i, m, c.row(i) + j, c.stride);
        }
      });
    }
  }

  template <class T>
  static eigen::GemmOperand<T> operand(MatrixView<const T> x, bool transposed) {
    return transposed ? eigen::GemmOperand<T>{x.data, 1, x.stride} : eigen::GemmOperand<T>{x.data, x.stride, 1};
  }
};

}  // namespace impl
}  // namespace stlm::ops
