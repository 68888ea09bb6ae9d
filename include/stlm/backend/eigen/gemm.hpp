// gemm on several threads: C is cut into pieces of columns or of rows.
//
// A C of few rows is cut into columns: each thread packs its own part of B, or, if B is transposed (a prompt times weights),
// reads it in place as the left factor of C^T. A C of many rows is cut into rows, after all threads together have packed B, or
// a panel of it, into shared memory (gemm_threads.hpp). If A is transposed (a gradient of weights), more rows count as few: B
// is then as long as A, and threads with their own columns pack it while they multiply.
//
// `run_then` calls a function for rows of C as they are done, so that it reads them while they are in cache.
//
// The kernel sums each element in an order that depends on k alone, wherever C is cut. So the pieces may depend on the number
// of threads, while the bits do not.
#pragma once

#include <stlm/backend/eigen/gemm_bfloat16.hpp>
#include <stlm/backend/eigen/gemm_threads.hpp>
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
    if (ctx.threads() > 1 && m >= (left.transposed() ? 5 * eigen::many_rows : eigen::many_rows) && n > 0 && k > 0)
      return eigen::gemm_by_rows<Product>(ctx, n, k, left, right, c, options.accumulate);
    if constexpr (std::is_same_v<Product, A> && std::is_same_v<Product, B>) {
      const bool fill_packets = 12 * (eigen::whole_packets<Product>(m) - m) <= m;
      if (m > eigen::few_rows && m < eigen::many_rows && n >= m && k > 0 && fill_packets && right.transposed())
        return eigen::gemm_by_columns(ctx, n, k, left, right, c, options.accumulate);
    }
    const eigen::GemmPieces pieces(ctx, n, strip, m * n * k, left.transposed() ? 1 : 4);  // each reads all of A
    ctx.parallel_for(pieces.tasks, [&](Index task, int worker) {
      const Index j = pieces.begin(task), end = pieces.begin(task + 1);
      eigen::gemm_serial<Product>(m, end - j, k, left, right.from(0, j), c.data + j, c.stride, options.accumulate,
                                  ctx.scratch<typename eigen::GemmProduct<Product>::Unit>(worker));
    });
  }

  /// The same, and then after(begin, end) for all rows of C. If these are many_rows or more, they are in the thread's cache.
  template <class S, class A, class B, class T, class After>
  static void run_then(Context<EigenBackend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                       const GemmOptions& options, const After& after) {
    const Index k = options.transpose_a ? a.rows : a.cols;
    if (c.rows >= eigen::many_rows && c.cols > 0 && k > 0)
      return eigen::gemm_by_rows<eigen::MachineProduct<S>>(ctx, c.cols, k, operand(a, options.transpose_a),
                                                           operand(b, options.transpose_b), c, options.accumulate, after);
    run<S>(ctx, a, b, c, options);
    ctx.for_pieces(c.rows, eigen::rows_a_piece(c.cols), [&](Index begin, Index end, int) { after(begin, end); });
  }

  /// Threads take whole matrices if there are at least as many as threads.
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
  template <class T>
  static eigen::GemmOperand<T> operand(MatrixView<const T> x, bool transposed) {
    return transposed ? eigen::GemmOperand<T>{x.data, 1, x.stride} : eigen::GemmOperand<T>{x.data, x.stride, 1};
  }
};

}  // namespace impl
}  // namespace stlm::ops
