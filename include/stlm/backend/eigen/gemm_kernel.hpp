// The serial matrix product C = A B or C += A B on Eigen's packets: C row-major, A and B row-major or transposed.
//
// The idea is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and of BLIS. A
// tile of C, tile_rows x 2 packets, stays in registers while the loop over k multiplies two packets of B by one
// broadcast unit of A per row: 12 x 2 = 24 sums in 32 registers (AVX-512, NEON), 6 x 2 = 12 in 16, enough to hide
// the latency of a multiply-add, with one load for two of them. Both operands are packed first (gemm_pack.hpp): the
// tile's rows of A stay in L1 while all strips of B stream past from L2. Rows that fill no tile take tiles of 8, 4, 2
// and 1 rows; columns that fill no strip, a tile on the stack. What the next tile and the next block need is prefetched
// while this one is summed.
//
// Each element of C is the sum over k in order, one sum per block of k: its bits depend on k alone, not on m, n or its
// place, so a product may be cut into pieces of rows or columns at will. Only few rows go another way
// (gemm_few_rows.hpp).
#pragma once

#include <bit>
#include <utility>

#include <stlm/backend/eigen/gemm_few_rows.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// C = or += A B for one tile in registers: Packets wide, with one I in 0, 1, .. for each of its packets. A is packed in
/// rows or in panels.
template <class S, bool Panels, int Packets, int... I, class Unit = typename GemmProduct<S>::Unit, class T = typename GemmProduct<S>::Value>
void gemm_tile(std::integer_sequence<int, I...>, Index depth, const Unit* a, const Unit* b, T* c, Index c_stride,
               bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet, k_step = Panels ? Index(sizeof...(I)) / Packets : 1;
  constexpr Index row_step = Panels ? 1 : GemmSizes<S>::a_stride;
  const auto step = [c_stride](int i) { return i % Packets == Packets - 1 ? c_stride - (Packets - 1) * size : size; };
  Index at = 0;
  ((prefetch(c + at), at += step(I)), ...);
  Packet<T> sum[] = {(static_cast<void>(I), pset1<Packet<T>>(T(0)))...};
  for (const Unit* const end = a + depth * k_step; a != end; a += k_step, b += GemmSizes<S>::tile_cols) {
    const Packet<Unit> row[] = {pload<Packet<Unit>>(b), pload<Packet<Unit>>(b + size)};
    ((sum[I] = GemmProduct<S>::multiply_add(pset1<Packet<Unit>>(a[I / Packets * row_step]), row[I % Packets], sum[I])), ...);
  }
  at = 0;
  if (accumulate) ((sum[I] = padd(sum[I], ploadu<Packet<T>>(c + at)), at += step(I)), ...);
  at = 0;
  ((pstoreu(c + at, sum[I]), at += step(I)), ...);
}

/// C = or += a tile on the stack, of stride tile_cols: the way of columns that fill no strip. Not inlined per tile.
template <class T>
EIGEN_DONT_INLINE void gemm_move(Index rows, Index cols, const T* tile, T* c, Index c_stride, bool accumulate) {
  for (; rows > 0; --rows, tile += GemmSizes<T>::tile_cols, c += c_stride)
    for (Index j = 0; j < cols; ++j) c[j] = accumulate ? c[j] + tile[j] : tile[j];
}

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

/// C = or += A B for packed A and B: tiles of Rows rows as long as they fit, then smaller ones; of panels, the last tile
/// has rows of zeros.
template <class S, bool Panels, int Rows, class Unit, class T, class Left>
void gemm_block(Index rows, Index cols, Index depth, const Unit* a, const Unit* b, T* c, Index c_stride, bool accumulate,
                GemmAhead<Left>& ahead) {
  constexpr Index size = GemmSizes<S>::packet, strip = GemmSizes<S>::tile_cols;
  constexpr std::make_integer_sequence<int, Rows> narrow;
  constexpr std::make_integer_sequence<int, Rows * 2> wide;
  for (; rows >= (Panels ? 1 : Rows); rows -= Rows, a += Rows * (Panels ? depth : GemmSizes<S>::a_stride), c += Rows * c_stride)
    for (Index j = 0; j < cols; j += strip) {
      alignas(64) T edge[std::size_t(Rows * strip)];
      const Index left = cols - j;
      const bool whole = left >= strip && rows >= Rows;
      T* const to = whole ? c + j : edge;
      const Index to_stride = whole ? c_stride : strip;
      ahead.step();
      if (left > size)
        gemm_tile<S, Panels, 2>(wide, depth, a, b + j * depth, to, to_stride, whole && accumulate);
      else
        gemm_tile<S, Panels, 1>(narrow, depth, a, b + j * depth, to, to_stride, false);
      if (!whole) gemm_move(std::min<Index>(rows, Rows), std::min(left, strip), edge, c + j, c_stride, accumulate);
    }
  if constexpr (Rows > 1 && !Panels) {
    constexpr int fewer = int(std::bit_floor(unsigned(Rows - 1)));
    if (rows > 0) gemm_block<S, false, fewer>(rows, cols, depth, a, b, c, c_stride, accumulate, ahead);
  }
}

/// The number of blocks of `size` that cover `total`.
constexpr Index gemm_blocks(Index total, Index size) {
  return (total + size - 1) / size;
}

/// Size of the fewest equal blocks, multiples of `step`, that cover `total` with at most `most` each.
constexpr Index gemm_block_size(Index total, Index most, Index step) {
  return gemm_blocks(total, gemm_blocks(total, most) * step) * step;
}

/// C (m x n, row stride c_stride) = or += A (m x k) B (k x n), as GemmProduct<S> multiplies. `scratch`:
/// GemmSizes<S>::scratch units, aligned to 64 bytes.
template <class S, class A, class B>
void gemm_serial(Index m, Index n, Index k, GemmOperand<A> a, GemmOperand<B> b, typename GemmProduct<S>::Value* c,
                 Index c_stride, bool accumulate, typename GemmProduct<S>::Unit* scratch) {
  using Product = GemmProduct<S>;
  using Sizes = GemmSizes<S>;
  using Unit = typename Product::Unit;
  if (takes_few_rows<S>(m, a, b)) return gemm_few_rows<S>(m, n, k, a, b, c, c_stride, accumulate, scratch);
  if (k == 0 && !accumulate)
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, typename Product::Value(0));
  if (n == 0 || k == 0) return;
  const Index units = Product::units(k), most_depth = gemm_block_size(units, Sizes::depth, 16 * Product::step);
  const Index most_strips = Sizes::b_units / (most_depth * Sizes::tile_cols);
  const Index most_cols = gemm_block_size(n, most_strips * Sizes::tile_cols, Sizes::tile_cols);
  Unit* const packed_b = scratch;
  Unit* const packed_a = scratch + Sizes::b_units;
  for (Index j = 0; j < n; j += most_cols)
    for (Index u = 0; u < units; u += most_depth) {
      const Index cols = std::min(n - j, most_cols), depth = std::min(units - u, most_depth);
      const Index p = Product::elements(u), length = std::min(k - p, Product::elements(depth));
      Product::pack_b(length, cols, b.from(p, j), packed_b);
      for (Index i = 0; i < m; i += Sizes::rows) {
        const Index rows = std::min(m - i, Sizes::rows), next = std::min(m - i - rows, Sizes::rows);
        Product::pack_a(rows, length, a.from(i, p), packed_a);
        const Index tiles = gemm_blocks(rows, Sizes::tile_rows) * gemm_blocks(cols, Sizes::tile_cols);
        const A* const after = next > 0 ? a.from(i + rows, p).data : a.data;
        GemmAhead<A> ahead = a.transposed() ? GemmAhead<A>{after, a.col_stride, length, next, tiles}
                                            : GemmAhead<A>{after, a.row_stride, next, length, tiles};
        const auto multiply = [&](auto panels) {
          gemm_block<S, panels, int(Sizes::tile_rows)>(rows, cols, depth, packed_a, packed_b, c + i * c_stride + j,
                                                       c_stride, accumulate || u > 0, ahead);
        };
        if (Product::panels && a.transposed())
          multiply(std::bool_constant<Product::panels>{});
        else
          multiply(std::false_type{});
      }
    }
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
