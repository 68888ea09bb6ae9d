// gemm cut into pieces for the threads. Of few rows, pieces of columns: each packs its own part of B. Of many rows, pieces of
// rows, once all threads together have packed B, or a panel of it, into memory that they share.
//
// The kernel sums each element in an order that depends on k alone, wherever C is cut: so the pieces may depend on the
// threads, the bits do not.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_bfloat16.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops::impl {

template <>
struct Gemm<EigenBackend> {
  template <class S, class A, class B, class T>
  static void run(Context<EigenBackend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                  const GemmOptions& options) {
    using Product = eigen::MachineProduct<S>;
    static_assert(std::is_same_v<typename eigen::GemmProduct<Product>::Value, T>,
                  "stlm::ops::gemm: a product of Bfloat16 factors is float; give a C of floats.");
    static_assert(eigen::GemmSizes<Product>::scratch_bytes <= Context<EigenBackend>::scratch_bytes);
    constexpr Index many_rows = 256, strip = eigen::GemmSizes<Product>::tile_cols;
    const Index m = c.rows, n = c.cols, k = options.transpose_a ? a.rows : a.cols;
    const eigen::GemmOperand<A> left = operand(a, options.transpose_a);
    const eigen::GemmOperand<B> right = operand(b, options.transpose_b);
    if (ctx.threads() > 1 && m >= many_rows && n > 0 && k > 0)
      return by_rows<Product>(ctx, n, k, left, right, c, options.accumulate);
    const Pieces pieces(ctx, n, strip, m * n * k);
    ctx.parallel_for(pieces.tasks, [&](Index task, int worker) {
      const Index j = pieces.begin(task), end = pieces.begin(task + 1);
      eigen::gemm_serial<Product>(m, end - j, k, left, right.from(0, j), c.data + j, c.stride, options.accumulate,
                                  ctx.scratch<typename eigen::GemmProduct<Product>::Unit>(worker));
    });
  }

 private:
  /// `size` rows or columns, in pieces of whole units.
  struct Pieces {
    Index size, unit, units, tasks;

    Pieces(const Context<EigenBackend>& ctx, Index size_, Index unit_, Index work)
        : size(size_), unit(unit_), units(eigen::gemm_blocks(size, unit)) {
      const Index threads = ctx.threads(), most = threads == 1 ? 1 : 4 * threads;
      tasks = std::clamp<Index>(std::min(units / 2, work / (Index{1} << 15)), 1, most);
      if (tasks > threads) tasks -= tasks % threads;  // as many for each
    }
    Index begin(Index task) const { return std::min(size, units * task / tasks * unit); }
  };

  /// All threads pack a panel of B, then take rows of C.
  template <class Product, class A, class B, class T>
  static void by_rows(Context<EigenBackend>& ctx, Index n, Index k, eigen::GemmOperand<A> a, eigen::GemmOperand<B> b,
                      MatrixView<T> c, bool accumulate) {
    using Unit = typename eigen::GemmProduct<Product>::Unit;
    constexpr Index room = Context<EigenBackend>::shared_bytes / Index{sizeof(Unit)};
    constexpr Index strip = eigen::GemmSizes<Product>::tile_cols;
    const eigen::GemmBlocks<Product> blocks(n, k);
    const Index all_units = eigen::gemm_blocks(eigen::GemmProduct<Product>::units(k), blocks.depth) * blocks.depth;
    const Index most_cols = std::max(room / all_units / strip * strip, blocks.cols);
    const Index most_k = eigen::GemmProduct<Product>::elements(room / most_cols / blocks.depth * blocks.depth);
    for (Index first = 0; first < n; first += most_cols)
      for (Index p = 0; p < k; p += most_k)
        panel<Product>(ctx, blocks, std::min(k - p, most_k), a.from(0, p), b.from(p, first),
                       MatrixView<T>(c.data + first, c.rows, std::min(n - first, most_cols), c.stride), accumulate || p > 0);
  }
  template <class Product, class A, class B, class T>
  static void panel(Context<EigenBackend>& ctx, const eigen::GemmBlocks<Product>& blocks, Index k, eigen::GemmOperand<A> a,
                    eigen::GemmOperand<B> b, MatrixView<T> c, bool accumulate) {
    using Unit = typename eigen::GemmProduct<Product>::Unit;
    constexpr Index strip = eigen::GemmSizes<Product>::tile_cols;
    Unit* const packed = ctx.shared<Unit>();
    const Index cols = c.cols, padded = eigen::gemm_blocks(cols, strip) * strip;
    const Pieces columns(ctx, cols, strip, cols * k);
    ctx.parallel_for(columns.tasks, [&](Index task, int) {
      const Index j = columns.begin(task), end = columns.begin(task + 1);
      blocks.along_k(k, [&](Index u, Index depth, Index p, Index length) {
        eigen::GemmProduct<Product>::pack_b(length, end - j, b.from(p, j), packed + u * padded + j * depth);
      });
    });
    const Pieces rows(ctx, c.rows, 2 * eigen::GemmSizes<Product>::tile_rows, c.rows * cols * k);
    ctx.parallel_for(rows.tasks, [&](Index task, int worker) {
      const Index i = rows.begin(task), end = rows.begin(task + 1);
      for (Index j = 0; j < cols; j += blocks.cols)
        blocks.along_k(k, [&](Index u, Index depth, Index p, Index length) {
          eigen::gemm_rows<Product>(end - i, std::min(cols - j, blocks.cols), length, a.from(i, p),
                                    eigen::GemmStrips<Unit>{packed + u * padded + j * depth, strip, strip * depth},
                                    c.row(i) + j, c.stride, accumulate || u > 0, ctx.scratch<Unit>(worker));
        });
    });
  }

  template <class T>
  static eigen::GemmOperand<T> operand(MatrixView<const T> x, bool transposed) {
    return transposed ? eigen::GemmOperand<T>{x.data, 1, x.stride} : eigen::GemmOperand<T>{x.data, x.stride, 1};
  }
};

}  // namespace stlm::ops::impl
