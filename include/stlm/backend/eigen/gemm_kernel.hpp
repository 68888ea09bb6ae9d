// The serial matrix product C = A B or C += A B on Eigen's packets: C row-major, A and B row-major or transposed.
//
// The idea is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and of BLIS. A
// tile of C, tile_rows x 2 packets, stays in registers while the loop over k multiplies two packets of B by one broadcast
// element of A per row: 12 x 2 = 24 sums in 32 registers (AVX-512, NEON), 6 x 2 = 12 in 16, enough to hide the latency of
// a multiply-add, with one load for two of them. Both operands are packed first (gemm_pack.hpp): the tile's rows of A stay
// in L1 while all strips of B stream past from L2. Rows that fill no tile take tiles of 8, 4, 2 and 1 rows; columns that
// fill no strip, a tile on the stack. What the next tile and the next block need is prefetched while this one is summed.
//
// Each element of C is the sum over k in order, one sum per block of k: its bits depend on k alone, not on m, n or its
// place. Products of up to four rows with a transposed B (y = x W^T for one token) read each weight once and are bound by
// memory: they take dot products along k without packing, again with bits that depend on k alone.
#pragma once

#include <bit>
#include <utility>

#include <stlm/backend/eigen/gemm_pack.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// C = or += A B for one tile in registers: Packets wide, with one I in 0, 1, .. for each of its packets.
template <class T, int Packets, int... I>
void gemm_tile(std::integer_sequence<int, I...>, Index depth, const T* a, const T* b, T* c, Index c_stride, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<T>::packet, a_stride = GemmSizes<T>::a_stride;
  (prefetch(c + I / Packets * c_stride + I % Packets * size), ...);
  Packet<T> sum[] = {(static_cast<void>(I), pset1<Packet<T>>(T(0)))...};
  for (const T* const end = a + depth; a != end; ++a, b += GemmSizes<T>::tile_cols) {
    const Packet<T> row[] = {pload<Packet<T>>(b), pload<Packet<T>>(b + size)};
    ((sum[I] = pmadd(pset1<Packet<T>>(a[I / Packets * a_stride]), row[I % Packets], sum[I])), ...);
  }
  if (accumulate) ((sum[I] = padd(sum[I], ploadu<Packet<T>>(c + I / Packets * c_stride + I % Packets * size))), ...);
  (pstoreu(c + I / Packets * c_stride + I % Packets * size, sum[I]), ...);
}

/// C = or += a tile on the stack, of stride tile_cols: the way of columns that fill no strip. Not inlined for every tile.
template <class T>
EIGEN_DONT_INLINE void gemm_move(Index rows, Index cols, const T* tile, T* c, Index c_stride, bool accumulate) {
  for (; rows > 0; --rows, tile += GemmSizes<T>::tile_cols, c += c_stride)
    for (Index j = 0; j < cols; ++j) c[j] = tile[j] + (accumulate ? c[j] : T(0));
}

/// Prefetches a block of an operand, `runs` contiguous runs of `length` elements, in `steps` even steps.
template <class T>
struct GemmAhead {
  const T* data;
  Index stride, runs, length, steps, due = 0;

  void step() {
    for (due += runs; due >= steps; due -= steps, data += stride)
      for (Index j = 0; j < length; j += Index(64 / sizeof(T))) Eigen::internal::prefetch(data + j);
  }
};

/// C = or += A B for packed A and B: tiles of Rows rows as long as they fit, then smaller ones.
template <class T, int Rows>
void gemm_block(Index rows, Index cols, Index depth, const T* a, const T* b, T* c, Index c_stride, bool accumulate,
                GemmAhead<T>& ahead) {
  constexpr Index size = GemmSizes<T>::packet, strip = GemmSizes<T>::tile_cols;
  for (; rows >= Rows; rows -= Rows, a += Rows * GemmSizes<T>::a_stride, c += Rows * c_stride)
    for (Index j = 0; j < cols; j += strip) {
      alignas(64) T edge[std::size_t(Rows * strip)];
      const Index left = cols - j;
      const bool whole = left >= strip;
      T* const to = whole ? c + j : edge;
      const Index to_stride = whole ? c_stride : strip;
      ahead.step();
      if (left > size) gemm_tile<T, 2>(std::make_integer_sequence<int, Rows * 2>{}, depth, a, b + j * depth, to, to_stride, whole && accumulate);
      else gemm_tile<T, 1>(std::make_integer_sequence<int, Rows>{}, depth, a, b + j * depth, to, to_stride, false);
      if (!whole) gemm_move(Index(Rows), left, edge, c + j, c_stride, accumulate);
    }
  if constexpr (Rows > 1) {
    constexpr int fewer = int(std::bit_floor(unsigned(Rows - 1)));
    if (rows > 0) gemm_block<T, fewer>(rows, cols, depth, a, b, c, c_stride, accumulate, ahead);
  }
}

/// c[j] = or += a . b_j for the rows b_j of B, Cols at a time: one sum each, in lanes, which are then added in pairs.
template <class T, int... J>
void gemm_dots(std::integer_sequence<int, J...>, Index k, const T* a, const T* b, Index b_stride, T* c, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<T>::packet;
  Packet<T> sum[] = {(static_cast<void>(J), pset1<Packet<T>>(T(0)))...};
  const Index whole = k - k % size;
  for (Index p = 0; p < whole; p += size) {
    const Packet<T> row = ploadu<Packet<T>>(a + p);
    ((sum[J] = pmadd(row, ploadu<Packet<T>>(b + J * b_stride + p), sum[J])), ...);
  }
  for (Index j = 0; j < Index(sizeof...(J)); ++j) {
    alignas(64) T lane[std::size_t(size)];
    pstore(lane, sum[j]);
    for (Index half = size / 2; half > 0; half /= 2)
      for (Index i = 0; i < half; ++i) lane[i] += lane[i + half];
    for (Index p = whole; p < k; ++p) lane[0] += a[p] * b[j * b_stride + p];
    c[j] = lane[0] + (accumulate ? c[j] : T(0));
  }
}

/// Size of the fewest equal blocks, multiples of `step`, that cover `total` with at most `most` each.
inline Index gemm_blocking(Index total, Index most, Index step) {
  const Index blocks = (total + most - 1) / most;
  return (total + blocks * step - 1) / (blocks * step) * step;
}

/// C (m x n, row stride c_stride) = or += A (m x k) B (k x n). `scratch` holds GemmScratch<T>::elements, aligned to 64 bytes.
template <class T>
void gemm_serial(Index m, Index n, Index k, GemmOperand<T> a, GemmOperand<T> b, T* c, Index c_stride, bool accumulate,
                 T* scratch) {
  using Sizes = GemmSizes<T>;
  if (m == 0 || n == 0 || (k == 0 && accumulate)) return;
  if (k == 0) {
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, T(0));
    return;
  }
  if (m <= 4 && b.transposed() && !a.transposed()) {
    for (Index j = 0; j < n; j += j + 4 <= n ? 4 : 1)
      for (Index i = 0; i < m; ++i) {
        const T *const row = a.data + i * a.row_stride, *const cols = b.data + j * b.col_stride;
        if (j + 4 <= n) gemm_dots<T>(std::make_integer_sequence<int, 4>{}, k, row, cols, b.col_stride, c + i * c_stride + j, accumulate);
        else gemm_dots<T>(std::make_integer_sequence<int, 1>{}, k, row, cols, b.col_stride, c + i * c_stride + j, accumulate);
      }
    return;
  }
  const Index most_depth = gemm_blocking(k, Sizes::depth, 16);
  const Index most_cols = gemm_blocking(n, Sizes::b_elements / most_depth / Sizes::tile_cols * Sizes::tile_cols, Sizes::tile_cols);
  T* const packed_b = scratch;
  T* const packed_a = scratch + Sizes::b_elements;
  for (Index j = 0; j < n; j += most_cols)
    for (Index p = 0; p < k; p += most_depth) {
      const Index cols = std::min(n - j, most_cols), depth = std::min(k - p, most_depth);
      pack_b(depth, cols, b.from(p, j), packed_b);
      for (Index i = 0, rows = 0; i < m; i += rows) {
        rows = std::min(m - i, Sizes::rows);
        pack_a(rows, depth, a.from(i, p), packed_a);
        const Index next = std::min(m - i - rows, Sizes::rows);
        const Index steps = (rows + Sizes::tile_rows - 1) / Sizes::tile_rows * ((cols + Sizes::tile_cols - 1) / Sizes::tile_cols);
        const GemmOperand<T> after = a.from(next > 0 ? i + rows : i, p);
        GemmAhead<T> ahead = a.transposed() ? GemmAhead<T>{after.data, a.col_stride, next > 0 ? depth : 0, next, steps}
                                            : GemmAhead<T>{after.data, a.row_stride, next, depth, steps};
        gemm_block<T, int(Sizes::tile_rows)>(rows, cols, depth, packed_a, packed_b, c + i * c_stride + j, c_stride,
                                             accumulate || p > 0, ahead);
      }
    }
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
