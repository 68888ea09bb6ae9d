// Copies rows to their K slots among the routed rows, and combines them back. Each row is read or written once.
#pragma once

#include <stlm/backend/cuda/kernels/rows.hpp>

namespace stlm::gpu {

/// routed[slots[n, j], :] = x[n, :] for each j.
template <class T, int W>
struct DispatchRows {
  static constexpr const char* name = "dispatch";
  static constexpr int threads = 128;

  Span<const T> x;
  Span<const Index> slots;
  Span<T> routed;
  Index rows, chosen, x_stride, routed_stride, cols;
  RowLanes lanes;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * lanes.rows_of(threads) + lanes.row(t);
      if (n >= rows) return;
      for (Index c = lanes.lane(t) * W; c < cols; c += lanes.count() * W) {
        const auto row = load_numbers<W>(e, x, n * x_stride + c);
        for (Index j = 0; j < chosen; ++j)
          store_numbers<W>(e, routed, e.load(slots, n * chosen + j) * routed_stride + c, row);
      }
    });
  }
};

/// y[n, :] = sum over j of gates[n, j] routed[slots[n, j], :]; if `gates` is empty, gates are 1.
template <class T, int W>
struct CombineRows {
  static constexpr const char* name = "combine";
  static constexpr int threads = 128;

  Span<const T> routed, gates;
  Span<const Index> slots;
  Span<T> y;
  Index rows, chosen, routed_stride, y_stride, cols;
  RowLanes lanes;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * lanes.rows_of(threads) + lanes.row(t);
      if (n >= rows) return;
      for (Index c = lanes.lane(t) * W; c < cols; c += lanes.count() * W) {
        Numbers<compute_t<T>, W> sum{};
        for (Index j = n * chosen; j < (n + 1) * chosen; ++j) {
          const auto row = load_numbers<W>(e, routed, e.load(slots, j) * routed_stride + c);
          const auto gate = gates.data ? load_number(e, gates, j) : compute_t<T>(1);
          for (int k = 0; k < W; ++k) sum[k] += gate * row[k];
        }
        store_numbers<W>(e, y, n * y_stride + c, sum);
        e.flops(2 * chosen * W);
      }
    });
  }
};

/// dgates[n, j] = dy[n, :] . routed[slots[n, j], :]; then that row is overwritten with its gradient gates[n, j] dy[n, :]. A
/// warp for each routed row.
template <class T, int W>
struct CombineBackward {
  static constexpr const char* name = "combine_backward";
  static constexpr int threads = 128, warps = threads / warp;

  Span<const T> dy, gates;
  Span<const Index> slots;
  Span<T> routed, dgates;
  Index chosen, dy_stride, routed_stride;
  int cols;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    PerThread<Exec, compute_t<T>> dot;
    const auto routed_row = [&](int t) { return e.block() * warps + t / warp; };
    e.each([&](int t) {
      dot[t] = 0;
      const Index i = routed_row(t);
      if (i >= slots.size) return;
      const Index from = i / chosen * dy_stride, to = e.load(slots, i) * routed_stride;
      const auto gate = load_number(e, gates, i);
      for_packets<W>(t % warp, cols, [&](int c) {
        auto d = load_numbers<W>(e, dy, from + c);
        const auto row = load_numbers<W>(e, Span<const T>(routed), to + c);
        for (int k = 0; k < W; ++k) {
          dot[t] += d[k] * row[k];
          d[k] *= gate;
        }
        store_numbers<W>(e, routed, to + c, d);
        e.flops(3 * W);
      });
    });
    sum_warp(e, dot);
    e.each([&](int t) {
      if (t % warp == 0 && routed_row(t) < slots.size) store_number(e, dgates, routed_row(t), dot[t]);
    });
  }
};

}  // namespace stlm::gpu
