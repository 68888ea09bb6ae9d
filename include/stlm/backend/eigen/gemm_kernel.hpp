// The serial matrix product C = A B or C += A B on Eigen's packets: C row-major, A and B row-major or transposed.
//
// The idea is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and of BLIS. A
// tile of C, tile_rows x 2 packets, stays in registers while the loop over k multiplies two packets of B by one
// broadcast unit of A per row: 12 x 2 = 24 sums in 32 registers (AVX-512, NEON), 6 x 2 = 12 in 16, enough to hide
// the latency of a multiply-add, with one load for two of them. The tile's rows of A stay in L1 while all strips of B,
// packed before (gemm_pack.hpp), stream past from L2. A is read where it lies, by rows or, of high tiles, by columns:
// copying it costs more than its stride. So is B when few tiles would read the copy, as in a gradient of weights. Rows
// that fill no tile take tiles of 4 and 1 rows; columns that fill no strip, a tile on the stack. What the next tile and
// the next block need is prefetched while this one is summed.
//
// Each element of C is the sum over k in order, one sum per block of k: its bits depend on k alone, not on m, n or its
// place, so a product may be cut into pieces of rows or columns at will. Only few rows go another way
// (gemm_few_rows.hpp).
#pragma once

#include <stlm/backend/eigen/gemm_few_rows.hpp>
#include <stlm/backend/eigen/gemm_tile.hpp>

namespace stlm::eigen {

/// Prefetches a block of an operand, `runs` contiguous runs of `length` elements, in `steps` even steps.
template <class T>
struct GemmAhead {
  const T* data;
  Index stride, runs, length, steps, at = 0, due = 0;

  void step() {
    for (due += runs; due >= steps; due -= steps, at += stride)
      for (Index j = 0; j < length; j += Index(64 / sizeof(T))) Eigen::internal::prefetch(data + at + j);
  }
};

/// A block of B as strips of tile_cols columns, `step` apart.
template <class Unit>
struct GemmStrips {
  const Unit* data;
  Index row_stride, step;
};

/// C = or += A B for a block of each: tiles of Rows rows as long as they fit, then smaller ones.
template <class S, bool Columns, int Rows, class Unit, class T, class Left>
void gemm_block(Index rows, Index cols, Index depth, GemmOperand<Unit> a, GemmStrips<Unit> b, T* c, Index c_stride,
                bool accumulate, GemmAhead<Left>& ahead) {
  constexpr Index size = GemmSizes<S>::packet, strip = GemmSizes<S>::tile_cols;
  constexpr std::make_integer_sequence<int, Rows> narrow;
  constexpr std::make_integer_sequence<int, Rows * 2> wide;
  const Index a_stride = Columns ? a.col_stride : a.row_stride;
  for (; rows >= Rows; rows -= Rows, a = a.from(Rows, 0), c += Rows * c_stride) {
    const Unit* from = b.data;
    for (Index j = 0; j < cols; j += strip, from += b.step) {
      alignas(64) T edge[std::size_t(Rows * strip)];
      const Index left = cols - j;
      ahead.step();
      if (left >= strip) {
        gemm_tile<S, Columns, 2>(wide, depth, a.data, a_stride, from, b.row_stride, c + j, c_stride, accumulate);
        continue;
      }
      if (left > size)
        gemm_tile<S, Columns, 2>(wide, depth, a.data, a_stride, from, b.row_stride, edge, strip, false);
      else
        gemm_tile<S, Columns, 1>(narrow, depth, a.data, a_stride, from, b.row_stride, edge, strip, false);
      gemm_move<T>(Rows, left, edge, c + j, c_stride, accumulate);
    }
  }
  if constexpr (Rows > 1)
    if (rows > 0) gemm_block<S, Columns, (Rows > 4 ? 4 : 1)>(rows, cols, depth, a, b, c, c_stride, accumulate, ahead);
}

/// The number of blocks of `size` that cover `total`.
constexpr Index gemm_blocks(Index total, Index size) {
  return (total + size - 1) / size;
}

/// Size of the fewest equal blocks, multiples of `step`, that cover `total` with at most `most` each.
constexpr Index gemm_block_size(Index total, Index most, Index step) {
  return gemm_blocks(total, gemm_blocks(total, most) * step) * step;
}

/// A block of B for m rows of A: as it is stored, where few tiles would read what is packed.
template <class S, class Unit, class B>
GemmStrips<Unit> gemm_strips(Index m, Index k, Index cols, GemmOperand<B> b, Unit* packed) {
  constexpr Index strip = GemmSizes<S>::tile_cols;
  if constexpr (std::is_same_v<S, B>)
    if (!b.transposed() && cols % strip == 0 && m <= 16 * GemmSizes<S>::tile_rows) return {b.data, b.row_stride, strip};
  GemmProduct<S>::pack_b(k, cols, b, packed);
  return {packed, strip, strip * GemmProduct<S>::units(k)};
}

/// How k is cut into blocks, and n for a block of each that fits L2.
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

/// C (m x cols) = or += A (m x k) B for one block of k and of B's columns. `packed_a`: room for a block of A. Of the
/// `coming` rows of A that follow, the first are prefetched.
template <class S, class A, class Unit = typename GemmProduct<S>::Unit>
void gemm_rows(Index m, Index cols, Index k, GemmOperand<A> a, GemmStrips<Unit> b, typename GemmProduct<S>::Value* c,
               Index c_stride, bool accumulate, Unit* packed_a, Index coming = 0) {
  using Product = GemmProduct<S>;
  using Sizes = GemmSizes<S>;
  for (Index i = 0; i < m; i += Sizes::rows) {
    const Index rows = std::min(m - i, Sizes::rows), next = std::min(m - i - rows + coming, Sizes::rows);
    const GemmOperand<Unit> left = Product::pack_a(rows, k, a.from(i, 0), packed_a);
    const Index tiles = gemm_blocks(rows, Sizes::tile_rows) * gemm_blocks(cols, Sizes::tile_cols);
    const A* const after = next > 0 ? a.from(i + rows, 0).data : a.data;
    GemmAhead<A> ahead = a.transposed() ? GemmAhead<A>{after, a.col_stride, k, next, tiles}
                                        : GemmAhead<A>{after, a.row_stride, next, k, tiles};
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
  if (takes_few_rows<S>(m, a, b)) return gemm_few_rows<S>(m, n, k, a, b, c, c_stride, accumulate, scratch);
  if (k == 0 && !accumulate)
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, typename GemmProduct<S>::Value(0));
  if (n == 0 || k == 0) return;
  const GemmBlocks<S> blocks(n, k);
  for (Index j = 0; j < n; j += blocks.cols)
    blocks.along_k(k, [&](Index u, Index, Index p, Index length) {
      const Index cols = std::min(n - j, blocks.cols);
      gemm_rows<S>(m, cols, length, a.from(0, p), gemm_strips<S>(m, length, cols, b.from(p, j), scratch), c + j, c_stride,
                   accumulate || u > 0, scratch + GemmSizes<S>::b_units);
    });
}

}  // namespace stlm::eigen
