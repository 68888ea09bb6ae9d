// Sums over the rows of each sequence, and their adjoint: a warp has some columns of one sequence. Each row is read or
// written once, or read and written if it is added to.
#pragma once

#include <stlm/backend/cuda/kernels/rows.hpp>

namespace stlm::gpu {

/// y[b, :] = w_b sum of x over the rows of sequence b.
template <class T, int W>
struct SegmentSum {
  static constexpr const char* name = "segment_sum";
  static constexpr int threads = 128, warps = threads / warp;
  using Real = compute_t<T>;

  Span<const T> x;
  Span<T> y;
  SequenceRows sequences;
  Index count, x_stride, y_stride, cols, tiles;
  bool mean;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const WarpTile at = warp_tile<W>(e.block() * warps + t / warp, tiles, t % warp);
      if (at.item >= count || at.col >= cols) return;
      const Index first = sequences.first(e, at.item), rows = sequences.first(e, at.item + 1) - first;
      const auto row = [&](Index i) { return load_numbers<W>(e, x, (first + i) * x_stride + at.col); };
      auto sum = sum_rows_in_order<Real, W>(rows, row);
      const Real weight = mean && rows > 0 ? Real(1) / static_cast<Real>(rows) : Real(1);
      for (int j = 0; j < W; ++j) sum[j] *= weight;
      store_numbers<W>(e, y, at.item * y_stride + at.col, sum);
      e.flops(rows * W);
    });
  }
};

/// y[r, :] (+)= w_b x[b, :] for the rows r of sequence b.
template <class T, int W>
struct SegmentSpread {
  static constexpr const char* name = "segment_spread";
  static constexpr int threads = 128, warps = threads / warp;
  using Real = compute_t<T>;

  Span<const T> x;
  Span<T> y;
  SequenceRows sequences;
  Index count, x_stride, y_stride, cols, tiles;
  bool mean, accumulate;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const WarpTile at = warp_tile<W>(e.block() * warps + t / warp, tiles, t % warp);
      if (at.item >= count || at.col >= cols) return;
      const Index first = sequences.first(e, at.item), last = sequences.first(e, at.item + 1);
      auto value = load_numbers<W>(e, x, at.item * x_stride + at.col);
      const Real weight = mean && last > first ? Real(1) / static_cast<Real>(last - first) : Real(1);
      for (int j = 0; j < W; ++j) value[j] *= weight;
      for (Index r = first; r < last; ++r)
        accumulate ? add_numbers<W>(e, y, r * y_stride + at.col, value)
                   : store_numbers<W>(e, y, r * y_stride + at.col, value);
      e.flops(W);
    });
  }
};

}  // namespace stlm::gpu
