// Products that threads share: each thread takes rows of C and all read one packed B, or each takes columns of C and has packed
// A for itself.
#pragma once

#include <array>
#include <utility>

#include <stlm/backend/eigen/gemm_panel.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::eigen {

inline constexpr Index many_rows = 256;  // a panel holds all rows of A if they are fewer (gemm_by_columns)

/// Threads take rows of C. after(begin, end), if given, is called for rows that are done, in pieces that stay in L2.
template <class S, class A, class B, class T, class After = std::nullptr_t>
void gemm_by_rows(Context<EigenBackend>& ctx, Index n, Index k, GemmOperand<A> a, GemmOperand<B> b, MatrixView<T> c,
                  bool accumulate, const After& after = nullptr) {
  constexpr bool hands_on = !std::is_null_pointer_v<After>;
  constexpr Index numbers = Index{1} << 16;  // of C in such a piece
  GemmPanel<S> panel(ctx.shared<typename GemmProduct<S>::Unit>(), ctx.shared_bytes, n, k);
  for (Index first = 0; first < n; first += panel.max_cols)
    for (Index p = 0; p < k; p += panel.max_k) {
      const Index cols = std::min(n - first, panel.max_cols), length = std::min(k - p, panel.max_k);
      const bool last = hands_on && first + cols == n && p + length == k;
      panel.pack(ctx, length, cols, b.from(p, first));
      const GemmPieces rows(ctx, c.rows, 2 * GemmSizes<S>::tile_rows, c.rows * cols * length, 4, last ? numbers / n : c.rows);
      ctx.parallel_for(rows.tasks, [&](Index task, int worker) {
        const Index i = rows.begin(task), end = rows.begin(task + 1);
        panel.multiply(end - i, length, cols, a.from(i, p), c.row(i) + first, c.stride, accumulate || p > 0,
                       ctx.scratch<typename GemmProduct<S>::Unit>(worker), last ? c.rows - end : 0);
        if constexpr (hands_on)
          if (last) after(i, end);
      });
    }
}

/// C^T = B^T A^T; threads take columns of C. A, which has few rows, is packed; B is read in place. Each thread packs A for
/// itself, as memory that all threads write and read travels between their caches.
template <class S>
void gemm_by_columns(Context<EigenBackend>& ctx, Index n, Index k, GemmOperand<S> a, GemmOperand<S> b, MatrixView<S> c,
                     bool accumulate) {
  constexpr Index block = GemmSizes<S>::rows, lines = 8;  // stored at a time: as many as a set of the L1 holds
  const GemmOperand<S> left{b.data, b.col_stride, b.row_stride}, right{a.data, a.col_stride, a.row_stride};
  const Index m = c.rows, room = Context<EigenBackend>::scratch_bytes - block * m * Index{sizeof(S)};
  const auto panel_of = [&](int worker) { return GemmPanel<S>(ctx.scratch<S>(worker) + block * m, room, m, k); };
  for (Index p = 0, length; p < k; p += length) {
    length = std::min(k - p, panel_of(0).max_k);
    const bool add = accumulate || p > 0;
    const GemmPieces columns(ctx, n, block, m * n * length, 12);
    std::array<bool, ThreadPool::max_threads> packed{};
    ctx.parallel_for(columns.tasks, [&](Index task, int worker) {
      S* const sums = ctx.scratch<S>(worker);
      GemmPanel<S> panel = panel_of(worker);
      if (!std::exchange(packed[static_cast<std::size_t>(worker)], true)) panel.pack(length, m, right.from(p, 0), 0, m);
      for (Index j = columns.begin(task), end = columns.begin(task + 1); j < end; j += block) {
        const Index cols = std::min(end - j, block);
        if (add) pack_transposed(m, cols, c.data + j, c.stride, sums, m);
        panel.multiply(cols, length, m, left.from(j, p), sums, m, add, nullptr, n - j - cols);
        for (Index i = 0; i < m; i += lines)
          pack_transposed(cols, std::min(m - i, lines), sums + i, m, c.row(i) + j, c.stride);
      }
    });
  }
}

}  // namespace stlm::eigen
