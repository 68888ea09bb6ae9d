// The serial matrix product C = A B or C += A B, C row-major, A and B row-major or transposed, on Eigen's packets.
//
// The idea is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and BLIS. A tile
// of C, `tile_rows` x 2 packets, stays in registers while the loop over k multiplies a packet row of B with one broadcast
// element of A per row of the tile: 14 x 2 = 28 accumulators of 32 registers with AVX-512 and NEON, 6 x 2 = 12 of 16
// below, at 16 (8) loads for 28 (12) multiply-adds. Both operands are packed first: B into strips [depth][tile_cols], zero
// beyond its last column, read front to back from L2; A into rows of a fixed stride that stay in L1 (gemm_pack.hpp).
//
// Rows that do not fill a tile take tiles of 8, 4, 2 and 1 rows (4, 2, 1), columns that do not fill a packet a tile on the stack.
// Each element of C is summed over k in order, one accumulator per block of `depth`: its bits depend on k alone, not on
// m, n or its place in the matrix. Products with few rows and B transposed, y = x W^T for a token or four, read every
// weight once and are bound by memory: they take dot products along k, without packing.
#pragma once

#include <bit>
#include <utility>

#include <stlm/backend/eigen/gemm_pack.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as template argument, harmless

namespace stlm::eigen {

/// C = or += A B for one tile, Rows x Packets packets, in registers; I counts them. A is packed, B has any row stride.
template <class T, int Packets, int... I>
void gemm_tile(std::integer_sequence<int, I...>, Index depth, const T* a, const T* b, Index b_stride, T* c, Index c_stride,
               bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<T>::packet, a_stride = GemmSizes<T>::a_stride;
  Packet<T> sum[] = {(static_cast<void>(I), pset1<Packet<T>>(T(0)))...};
  for (const T* const end = a + depth; a != end; ++a, b += b_stride) {
    const Packet<T> row[] = {ploadu<Packet<T>>(b), ploadu<Packet<T>>(b + (Packets - 1) * size)};
    ((sum[I] = pmadd(pset1<Packet<T>>(a[I / Packets * a_stride]), row[I % Packets], sum[I])), ...);
  }
  if (accumulate) ((sum[I] = padd(sum[I], ploadu<Packet<T>>(c + I / Packets * c_stride + I % Packets * size))), ...);
  (pstoreu(c + I / Packets * c_stride + I % Packets * size, sum[I]), ...);
}

/// The same for the first `cols` columns of a tile: computed on the stack, then moved.
template <class T, int Rows, int Packets>
void gemm_edge(Index depth, const T* a, const T* b, Index b_stride, T* c, Index c_stride, bool accumulate, Index cols) {
  constexpr Index width = Packets * GemmSizes<T>::packet;
  alignas(64) T tile[std::size_t(Rows * width)];
  gemm_tile<T, Packets>(std::make_integer_sequence<int, Rows * Packets>{}, depth, a, b, b_stride, tile, width, false);
  for (Index i = 0; i < Rows; ++i)
    for (Index j = 0; j < cols; ++j) c[i * c_stride + j] = tile[i * width + j] + (accumulate ? c[i * c_stride + j] : T(0));
}

/// C = or += A B for packed A and B: tiles of `Rows` rows as long as they fit, then smaller ones.
template <class T, int Rows>
void gemm_block(Index rows, Index cols, Index depth, const T* a, const T* b, T* c, Index c_stride, bool accumulate) {
  constexpr Index size = GemmSizes<T>::packet, tile_cols = GemmSizes<T>::tile_cols;
  for (; rows >= Rows; rows -= Rows, a += Rows * GemmSizes<T>::a_stride, c += Rows * c_stride)
    for (Index j = 0; j < cols; j += tile_cols) {
      const Index width = std::min(cols - j, tile_cols);
      const T* strip = b + j * depth;
      if (width == tile_cols) gemm_tile<T, 2>(std::make_integer_sequence<int, Rows * 2>{}, depth, a, strip, tile_cols, c + j, c_stride, accumulate);
      else if (width > size) gemm_edge<T, Rows, 2>(depth, a, strip, tile_cols, c + j, c_stride, accumulate, width);
      else gemm_edge<T, Rows, 1>(depth, a, strip, tile_cols, c + j, c_stride, accumulate, width);
    }
  if constexpr (Rows > 1)
    if (rows > 0) gemm_block<T, int(std::bit_floor(unsigned(Rows - 1)))>(rows, cols, depth, a, b, c, c_stride, accumulate);
}

/// Rows x Cols dot products along contiguous k: each packet of B is read once for all rows of A.
template <class T, int Rows, int Cols>
void gemm_dots(Index k, const T* a, Index a_stride, const T* b, Index b_stride, T* c, Index c_stride, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<T>::packet;
  [&]<int... I>(std::integer_sequence<int, I...>) {
    const Index whole = k - k % size;
    Packet<T> sum[] = {(static_cast<void>(I), pset1<Packet<T>>(T(0)))...};
    for (Index p = 0; p < whole; p += size)
      ((sum[I] = pmadd(ploadu<Packet<T>>(a + (I / Cols) * a_stride + p), ploadu<Packet<T>>(b + (I % Cols) * b_stride + p), sum[I])), ...);
    T total[] = {predux(sum[I])...};
    for (Index p = whole; p < k; ++p) ((total[I] += a[(I / Cols) * a_stride + p] * b[(I % Cols) * b_stride + p]), ...);
    ((c[(I / Cols) * c_stride + I % Cols] = total[I] + (accumulate ? c[(I / Cols) * c_stride + I % Cols] : T(0))), ...);
  }(std::make_integer_sequence<int, Rows * Cols>{});
}

/// The product of few rows with a transposed matrix: b points at rows of n x k.
template <class T>
void gemm_few_rows(Index m, Index n, Index k, const T* a, Index a_stride, const T* b, Index b_stride, T* c, Index c_stride, bool accumulate) {
  constexpr Index step = 4;
  const Index whole = n - n % step;
  for (Index j = 0; j < n; j += j < whole ? step : 1)
    for (Index i = 0; i < m; ++i)
      if (j < whole) gemm_dots<T, 1, step>(k, a + i * a_stride, a_stride, b + j * b_stride, b_stride, c + i * c_stride + j, c_stride, accumulate);
      else gemm_dots<T, 1, 1>(k, a + i * a_stride, a_stride, b + j * b_stride, b_stride, c + i * c_stride + j, c_stride, accumulate);
}

/// C = or += A B.
template <class T>
void gemm_serial(Index m, Index n, Index k, GemmOperand<T> a, GemmOperand<T> b, T* c, Index c_stride, bool accumulate, T* scratch) {
  using Sizes = GemmSizes<T>;
  if (m <= 4 && b.transposed() && !a.transposed()) return gemm_few_rows(m, n, k, a.data, a.row_stride, b.data, b.col_stride, c, c_stride, accumulate);
  if (k == 0 && !accumulate)
    for (Index i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, T(0));
  T* const packed_b = scratch;
  T* const packed_a = scratch + GemmScratch<T>::b_elements;
  for (Index j = 0; j < n; j += Sizes::cols) {
    const Index cols = std::min(n - j, Sizes::cols);
    for (Index p = 0; p < k; p += Sizes::depth) {
      const Index depth = std::min(k - p, Sizes::depth);
      for (Index s = 0; s < cols; s += Sizes::tile_cols) {
        const Index width = std::min(cols - s, Sizes::tile_cols);
        T* const strip = packed_b + s * depth;
        if (width < Sizes::tile_cols) std::fill_n(strip, depth * Sizes::tile_cols, T(0));
        pack(depth, width, b.at(p, j + s), strip, Sizes::tile_cols);
      }
      for (Index i = 0; i < m; i += Sizes::rows) {
        const Index rows = std::min(m - i, Sizes::rows);
        pack(rows, depth, a.at(i, p), packed_a, Sizes::a_stride);
        gemm_block<T, int(Sizes::tile_rows)>(rows, cols, depth, packed_a, packed_b, c + i * c_stride + j, c_stride, accumulate || p > 0);
      }
    }
  }
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
