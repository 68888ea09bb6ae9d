// One tile of C = A B or C += A B, summed in registers: the innermost loop of gemm_kernel.hpp.
//
// Loads and stores beside the multiply-adds cost little here, so the loop does more with the factors: the first tile of a strip
// packs B while it reads it, a tile that reads A by columns prefetches the columns of the next tile, and one that reads A by
// rows prefetches some of the next block. Functions called in the loop are always inlined: around a call the sums would go to
// memory and back. The tile calls __builtin_prefetch directly, as GCC 12 removes the call of a function that only prefetches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <stlm/backend/eigen/gemm_pack.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Prefetches a block of an operand, `runs` contiguous runs of `length` elements: a tile prefetches the next cache lines every
/// `steps_apart` steps along k, `times` times in all. Many lines at once would stall the tile until there is room for them.
template <class T>
class GemmAhead {
  static constexpr Index line = Index(64 / sizeof(T));
  const T* run_;
  Index stride_, length_, lines_, times_, at_ = 0, due_ = 0;

 public:
  static constexpr Index steps_apart = 16;

  GemmAhead(const T* data, Index stride, Index runs, Index length, Index times)
      : run_(data), stride_(stride), length_(length), lines_(runs * gemm_blocks(length, line)), times_(times) {}

  EIGEN_ALWAYS_INLINE void step() {
    for (due_ += lines_; due_ >= times_; due_ -= times_) {
      __builtin_prefetch(run_ + at_);
      at_ += line;
      if (at_ < length_) continue;
      at_ = 0;
      run_ += stride_;
    }
  }
};

/// The rows of a tile: a pointer to every third row and offsets for the others, which leaves registers for the sums.
template <int Rows, class T>
struct GemmRows {
  T* thirds[std::size_t(Rows + 2) / 3];
  Index stride;

  EIGEN_ALWAYS_INLINE GemmRows(T* first, Index row_stride) : stride(row_stride) {
    for (T*& third : thirds) third = first + (&third - thirds) * 3 * stride;
  }
  EIGEN_ALWAYS_INLINE T* operator[](int row) const { return thirds[row / 3] + row % 3 * stride; }
  EIGEN_ALWAYS_INLINE void to_next_column() {
    for (T*& third : thirds) ++third;
  }
};

/// C = or += A B for one tile in registers: `Packets` packets wide, with one I in 0, 1, .. for each packet of the tile.
/// `a_stride` and `b_stride` are the distances of rows; if `Columns`, `a_stride` is that of columns. `packed`: where B is
/// packed to, or nullptr. `ahead`: what to prefetch meanwhile.
template <class S, bool Columns, int Packets, int... I, class Packed, class Left, class Unit = typename GemmProduct<S>::Unit,
          class T = typename GemmProduct<S>::Value>
void gemm_tile(std::integer_sequence<int, I...>, Index depth, const Unit* a, Index a_stride, const Unit* b,
               Index b_stride, T* c, Index c_stride, bool accumulate, Packed packed, GemmAhead<Left>& ahead) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet;
  constexpr int rows = int(sizeof...(I)) / Packets;
  constexpr bool packs = !std::is_same_v<Packed, std::nullptr_t>;
  const GemmRows<rows, T> c_rows(c, c_stride);
  const auto at = [&](int i) { return c_rows[i / Packets] + i % Packets * size; };
  (__builtin_prefetch(at(I)), ...);
  Packet<T> sum[] = {(static_cast<void>(I), pset1<Packet<T>>(T(0)))...};
  GemmRows<rows, const Unit> a_rows(a, a_stride);
  for (const Unit* const end = b + depth * b_stride; b != end;) {
    ahead.step();
    for (const Unit* const stop = b + std::min(ahead.steps_apart * b_stride, end - b); b != stop; b += b_stride) {
      const Packet<Unit> row[] = {ploadu<Packet<Unit>>(b), ploadu<Packet<Unit>>(b + size)};
      if constexpr (packs) {
        const Unit* const later = b + 64 * b_stride;  // far enough for the latency of memory
        __builtin_prefetch(later), __builtin_prefetch(later + size);
        pstore(packed, row[0]), pstore(packed + size, row[1]);
        packed += 2 * size;
      }
      ((sum[I] = GemmProduct<S>::multiply_add(pset1<Packet<Unit>>(Columns ? a[I / Packets] : *a_rows[I / Packets]),
                                              row[I % Packets], sum[I])),
       ...);
      if constexpr (Columns) {
        __builtin_prefetch(a + 2 * rows - 1);
        a += a_stride;
      } else {
        a_rows.to_next_column();
      }
    }
  }
  if (accumulate) ((sum[I] = padd(sum[I], ploadu<Packet<T>>(at(I)))), ...);
  (pstoreu(at(I), sum[I]), ...);
}

/// C = or += a tile on the stack, of stride tile_cols: for columns that do not fill a strip. Not inlined into every tile.
template <class T>
EIGEN_DONT_INLINE void gemm_move(Index rows, Index cols, const T* tile, T* c, Index c_stride, bool accumulate) {
  for (; rows > 0; --rows, tile += GemmSizes<T>::tile_cols, c += c_stride)
    for (Index j = 0; j < cols; ++j) c[j] = accumulate ? c[j] + tile[j] : tile[j];
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
