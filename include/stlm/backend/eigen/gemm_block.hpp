// A block of C = A B or C += A B, tile by tile (gemm_tile.hpp). Remaining rows, fewer than a tile has, take tiles of 4 and 1
// rows; remaining columns, fewer than a strip has, take a tile on the stack.
#pragma once

#include <stlm/backend/eigen/gemm_tile.hpp>

namespace stlm::eigen {

/// A block of B as packed strips, `step` units apart. `stored`: unpacked B, which the first tiles pack; without data, B is
/// packed already.
template <class Unit>
struct GemmStrips {
  Unit* packed;
  Index step;
  GemmOperand<Unit> stored{nullptr, 0, 0};
};

/// C = or += A B for one block of each: tiles of Rows rows as long as they fit, then smaller tiles.
template <class S, bool Columns, int Rows, class Unit, class T, class Left>
void gemm_block(Index rows, Index cols, Index depth, GemmOperand<Unit> a, GemmStrips<Unit>& b, T* c, Index c_stride,
                bool accumulate, GemmAhead<Left>& ahead) {
  constexpr Index size = GemmSizes<S>::packet, strip = GemmSizes<S>::tile_cols;
  constexpr bool packing = Rows == GemmSizes<S>::tile_rows;
  constexpr std::make_integer_sequence<int, Rows> narrow;
  constexpr std::make_integer_sequence<int, Rows * 2> wide;
  const Index a_stride = Columns ? a.col_stride : a.row_stride;
  for (; rows >= Rows; rows -= Rows, a = a.from(Rows, 0), c += Rows * c_stride, b.stored.data = nullptr) {
    Unit* packed = b.packed;
    for (Index j = 0; j < cols; j += strip, packed += b.step) {
      alignas(64) T edge[std::size_t(Rows * strip)];
      const Index left = cols - j;
      const bool whole = left >= strip, add = whole && accumulate;
      T* const to = whole ? c + j : edge;
      const Index to_stride = whole ? c_stride : strip;
      if (left <= size)
        gemm_tile<S, Columns, 1>(narrow, depth, a.data, a_stride, packed, strip, to, to_stride, add, nullptr, ahead);
      else if (!packing || !whole || !b.stored.data)
        gemm_tile<S, Columns, 2>(wide, depth, a.data, a_stride, packed, strip, to, to_stride, add, nullptr, ahead);
      else if constexpr (packing)
        gemm_tile<S, Columns, 2>(wide, depth, a.data, a_stride, b.stored.data + j, b.stored.row_stride, to, to_stride, add,
                                 packed, ahead);
      if (!whole) gemm_move<T>(Rows, left, edge, c + j, c_stride, accumulate);
    }
  }
  if constexpr (Rows > 1)
    if (rows > 0) gemm_block<S, Columns, (Rows > 4 ? 4 : 1)>(rows, cols, depth, a, b, c, c_stride, accumulate, ahead);
}

}  // namespace stlm::eigen
