// How kernels that move rows divide them: lanes within a row, rows within sequences.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// 2^shift adjacent lanes of a warp have a row, so that narrow rows share a warp.
struct RowLanes {
  int shift;

  /// For rows of `packets` packets: the fewest lanes that cover a row at once, at most a warp.
  static RowLanes of(Index packets) {
    int shift = 0;
    while ((1 << shift) < packets && (1 << shift) < warp) ++shift;
    return {shift};
  }
  STLM_HOST_DEVICE int row(int thread) const { return thread >> shift; }
  STLM_HOST_DEVICE int lane(int thread) const { return thread & ((1 << shift) - 1); }
  STLM_HOST_DEVICE int rows_of(int threads) const { return threads >> shift; }
  STLM_HOST_DEVICE int count() const { return 1 << shift; }
};

/// Where the rows of sequences begin. Sequences have `tokens` rows each or are packed.
struct SequenceRows {
  Span<const Index> offsets;
  Index tokens;

  SequenceRows(const Offsets& offsets_, Index tokens_) : offsets{offsets_.data(), offsets_.size()}, tokens(tokens_) {}
  template <class Exec>
  STLM_KERNEL Index first(Exec& e, Index b) const {
    return offsets.data ? e.load(offsets, b) : b * tokens;
  }
};

/// The work of a warp: a tile of row `item`, in which each lane has W columns from `col` on. Tiles lie side by side in a row.
struct WarpTile {
  Index item, col;
};
template <int W>
STLM_KERNEL WarpTile warp_tile(Index unit, Index tiles, int lane) {
  return {unit / tiles, (unit % tiles * warp + lane) * W};
}
template <int W>
Index warp_tiles(Index cols) {
  return ceil_div(cols, warp * W);
}

/// to[i ...] += sum.
template <int W, class Exec, class T>
STLM_KERNEL void add_numbers(Exec& e, Span<T> to, Index i, Numbers<loaded_t<T>, W> sum) {
  const auto old = load_numbers<W>(e, Span<const T>(to), i);
  for (int j = 0; j < W; ++j) sum[j] += old[j];
  store_numbers<W>(e, to, i, sum);
  e.flops(W);
}

/// The sum of row(0), ..., row(count - 1), in order; each gives Numbers<T, W>. Several rows are loaded at once.
template <class T, int W, class Row>
STLM_KERNEL Numbers<T, W> sum_rows_in_order(Index count, const Row& row) {
  constexpr int together = 4;
  Numbers<T, W> sum{};
  Index i = 0;
  for (; i + together <= count; i += together) {
    Numbers<T, W> part[together];
    unroll<together>([&](int k) { part[k] = row(i + k); });
    unroll<together>([&](int k) {
      for (int j = 0; j < W; ++j) sum[j] += part[k][j];
    });
  }
  for (; i < count; ++i) {
    const Numbers<T, W> part = row(i);
    for (int j = 0; j < W; ++j) sum[j] += part[j];
  }
  return sum;
}

}  // namespace stlm::gpu
