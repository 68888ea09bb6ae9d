// The serial matrix product C = A B or C += A B on Eigen's packets: C row-major, A and B row-major or transposed.
//
// The idea is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and of BLIS. A
// tile of C, tile_rows x 2 packets, stays in registers while the loop over k multiplies two packets of B by one
// broadcast unit of A per row: 12 x 2 = 24 sums in 32 registers (AVX-512, NEON), 6 x 2 = 12 in 16, enough to hide
// the latency of a multiply-add, with one load for two multiply-adds. The tile's rows of A stay in L1 while all strips of B,
// packed before (gemm_pack.hpp) or by the first tiles that read them, stream past from L2. A is read in place, by rows or, for
// tiles of 12 rows, by columns: copying it would cost more than its stride does. The data of the next tile and the next block
// are prefetched while this one is summed.
//
// Each element of C is the sum over k in order, one sum per block of k: its bits depend on k alone, not on m, n or its
// place, so a product may be cut into pieces of rows or columns at will. Only products of few rows are computed in other ways
// (gemm_few_rows.hpp, gemm_row_sums.hpp).
#pragma once

#include <stlm/backend/eigen/gemm_block.hpp>
#include <stlm/backend/eigen/gemm_few_rows.hpp>
#include <stlm/backend/eigen/gemm_row_sums.hpp>

namespace stlm::eigen {

/// Size of the fewest equal blocks, multiples of `step`, that cover `total` with at most `most` each.
constexpr Index gemm_block_size(Index total, Index most, Index step) {
  return gemm_blocks(total, gemm_blocks(total, most) * step) * step;
}

/// A block of B for m rows of A, packed. If B has the scalar S, lies by rows and A fills a tile, whole strips are left to the
/// first tiles to pack.
template <class S, class Unit, class B>
GemmStrips<Unit> gemm_strips(Index m, Index k, Index cols, GemmOperand<B> b, Unit* packed) {
  constexpr Index strip = GemmSizes<S>::tile_cols;
  GemmStrips<Unit> strips{packed, strip * GemmProduct<S>::units(k)};
  Index first = 0;
  if constexpr (std::is_same_v<S, B>)
    if (!b.transposed() && m >= GemmSizes<S>::tile_rows) {
      strips.stored = b;
      first = cols - cols % strip;
    }
  if (first < cols) GemmProduct<S>::pack_b(k, cols - first, b.from(0, first), packed + first * GemmProduct<S>::units(k));
  return strips;
}

/// How k and n are cut into blocks, so that a block of B fits L2.
template <class S>
struct GemmBlocks {
  Index depth, cols;

  GemmBlocks(Index n, Index k)
      : depth(gemm_block_size(GemmProduct<S>::units(k), GemmSizes<S>::depth, 16 * GemmProduct<S>::step)) {
    constexpr Index strip = GemmSizes<S>::tile_cols;
    cols = gemm_block_size(n, GemmSizes<S>::b_units / (depth * strip) * strip, strip);
  }
  /// f(first unit, units, first number along k, numbers) for each block of k.
  template <class F>
  void along_k(Index k, const F& f) const {
    const Index units = GemmProduct<S>::units(k);
    for (Index u = 0; u < units; u += depth) {
      const Index p = GemmProduct<S>::elements(u), of_block = std::min(units - u, depth);
      f(u, of_block, p, std::min(k - p, GemmProduct<S>::elements(of_block)));
    }
  }
};

/// C (m x cols) = or += A (m x k) B for one block of k and of B's columns. `packed_a`: room for a block of A. `coming`: how
/// many rows of A follow; the first of these are prefetched.
template <class S, class A, class Unit = typename GemmProduct<S>::Unit>
void gemm_rows(Index m, Index cols, Index k, GemmOperand<A> a, GemmStrips<Unit> b, typename GemmProduct<S>::Value* c,
               Index c_stride, bool accumulate, Unit* packed_a, Index coming = 0) {
  using Product = GemmProduct<S>;
  using Sizes = GemmSizes<S>;
  for (Index i = 0; i < m; i += Sizes::rows) {
    const Index rows = std::min(m - i, Sizes::rows), next = std::min(m - i - rows + coming, Sizes::rows);
    const GemmOperand<Unit> left = Product::pack_a(rows, k, a.from(i, 0), packed_a);
    const Index times = gemm_blocks(rows, Sizes::tile_rows) * gemm_blocks(cols, Sizes::tile_cols) *
                        gemm_blocks(Product::units(k), GemmAhead<A>::steps_apart);
    const A* const after = next > 0 ? a.from(i + rows, 0).data : a.data;
    GemmAhead<A> ahead = a.transposed() ? GemmAhead<A>(after, a.col_stride, Sizes::packs_columns ? k : 0, next, times)
                                        : GemmAhead<A>(after, a.row_stride, next, k, times);
    const auto multiply = [&](auto columns) {
      gemm_block<S, columns, int(Sizes::tile_rows)>(rows, cols, Product::units(k), left, b, c + i * c_stride, c_stride,
                                                    accumulate, ahead);
    };
    if (Product::columns && left.transposed())
      multiply(std::bool_constant<Product::columns>{});
    else
      multiply(std::false_type{});
  }
}

/// C (m x n, row stride c_stride) = or += A (m x k) B (k x n), as GemmProduct<S> multiplies. `scratch`:
/// GemmSizes<S>::scratch units, aligned to 64 bytes.
template <class S, class A, class B>
void gemm_serial(Index m, Index n, Index k, GemmOperand<A> a, GemmOperand<B> b, typename GemmProduct<S>::Value* c,
                 Index c_stride, bool accumulate, typename GemmProduct<S>::Unit* scratch) {
  if (m == 0) return;
  if (takes_few_rows<S>(m, a, b)) return gemm_few_rows<S>(m, n, k, a, b, c, c_stride, accumulate, scratch);
  if (k == 0 && !accumulate)
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, typename GemmProduct<S>::Value(0));
  if (n == 0 || k == 0) return;
  const GemmBlocks<S> blocks(n, k);
  for (Index j = 0; j < n; j += blocks.cols)
    blocks.along_k(k, [&](Index u, Index, Index p, Index length) {
      const Index end = std::min(n, j + blocks.cols);
      const bool add = accumulate || u > 0;
      Index first = j;
      if constexpr (std::is_same_v<S, A> && std::is_same_v<S, B>)
        if (m == 1 && !b.transposed()) first += gemm_row_sums(end - j, length, a.from(0, p), b.from(p, j), c + j, add);
      if (first == end) return;
      gemm_rows<S>(m, end - first, length, a.from(0, p), gemm_strips<S>(m, length, end - first, b.from(p, first), scratch),
                   c + first, c_stride, add, scratch + GemmSizes<S>::b_units);
    });
}

}  // namespace stlm::eigen
