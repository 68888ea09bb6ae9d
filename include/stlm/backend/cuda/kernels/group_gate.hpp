// Gated groups of columns (ops/group_gate.hpp). Bound by memory: 8 bytes forward and 12 backward for a float.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// Replaces short rows by their softmax: a thread for each row. Exponentials are computed twice rather than kept.
template <class T>
struct SoftmaxRows {
  static constexpr const char* name = "softmax_rows";
  static constexpr int threads = 128;

  Span<T> x;
  Index rows, stride;
  int cols;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index row = e.block() * threads + t;
      if (row >= rows) return;
      const auto logit = [&](int c) { return load_number(e, x, row * stride + c); };
      compute_t<T> top = logit(0), sum = 0;
      for (int c = 1; c < cols; ++c) top = Max{}(top, logit(c));
      for (int c = 0; c < cols; ++c) sum += std::exp(logit(c) - top);
      for (int c = 0; c < cols; ++c) store_number(e, x, row * stride + c, std::exp(logit(c) - top) / sum);
      e.flops(6 * cols);
    });
  }
};

/// y = scale g x: a warp for each row; each lane keeps track of the group of its column.
template <class T, int W>
struct GroupGateForward {
  static constexpr const char* name = "group_gate_forward";
  static constexpr int threads = 128, rows_of_block = threads / warp;

  Span<const T> gates, x;
  Span<T> y;
  Index rows, gates_stride, x_stride, y_stride;
  unsigned span;  // rows of x for each row of gates
  int cols, width;
  compute_t<T> scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index row = e.block() * rows_of_block + t / warp;
      if (row >= rows) return;
      const Index gate_row = static_cast<unsigned>(row) / span * gates_stride;
      int group = t % warp * W / width, within = t % warp * W % width;
      for_packets<W>(t % warp, cols, [&](int c) {
        const compute_t<T> gate = scale * load_number(e, gates, gate_row + group);
        auto v = load_numbers<W>(e, x, row * x_stride + c);
        unroll<W>([&](int j) { v[j] *= gate; });
        store_numbers<W>(e, y, row * y_stride + c, v);
        for (within += warp * W; within >= width; within -= width) ++group;
        e.flops(W);
      });
    });
  }
};

/// Turns d from dy into dx in place, and computes dlogits: Lanes threads for a row of gates, group by group. The packets of
/// a group in its `span` rows are numbered row by row, and a thread takes every Lanes-th: its next one is `rows_of_step`
/// rows and `rest` packets further. Lane g keeps the sum of group g. Rounded gates may not add up to 1, so a mean weighted
/// by gates is divided by their sum.
template <class T, int W, int Lanes>
struct GroupGateBackward {
  static constexpr const char* name = "group_gate_backward";
  static constexpr int threads = Lanes > 128 ? Lanes : 128, rows_of_block = threads / Lanes;
  static constexpr int most_groups = warp;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, threads / warp> partial;
  };

  Span<const T> gates, x;
  Span<T> d, dlogits;
  Index rows, gates_stride, x_stride, d_stride, dlogits_stride, span;  // `rows`: of gates
  int groups, width;
  Real scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const auto row = [&](int t) { return e.block() * rows_of_block + t / Lanes; };
    const int packets = width / W, rows_of_step = Lanes / packets, rest = Lanes % packets;
    const auto gate = [&](int t, int g) { return load_number(e, gates, row(t) * gates_stride + g); };
    PerThread<Exec, Real> sum, mine, mean, total;
    for (int g = 0; g < groups; ++g) {
      e.each([&](int t) {
        sum[t] = 0;
        if (row(t) >= rows) return;
        const Real factor = scale * gate(t, g);
        int c = t % Lanes % packets;
        for (Index n = t % Lanes / packets; n < span; n += rows_of_step) {
          const Index at = row(t) * span + n, col = (g * packets + c) * W;
          const auto v = load_numbers<W>(e, x, at * x_stride + col);
          auto dy = load_numbers<W>(e, d, at * d_stride + col);
          unroll<W>([&](int j) {
            sum[t] += dy[j] * v[j];
            dy[j] *= factor;
          });
          store_numbers<W>(e, d, at * d_stride + col, dy);
          e.flops(3 * W);
          c += rest;
          if (c >= packets) {
            c -= packets;
            ++n;
          }
        }
      });
      combine_lanes<Lanes>(e, sum, shared.partial, Sum{});
      e.each([&](int t) {
        if (t % Lanes == g) mine[t] = scale * sum[t];
      });
    }
    const auto has_group = [&](int t) { return t % Lanes < groups && row(t) < rows; };
    e.each([&](int t) {
      total[t] = has_group(t) ? gate(t, t % Lanes) : Real(0);
      mean[t] = has_group(t) ? total[t] * mine[t] : Real(0);
    });
    combine_lanes<Lanes>(e, total, shared.partial, Sum{});
    combine_lanes<Lanes>(e, mean, shared.partial, Sum{});
    e.each([&](int t) {
      if (!has_group(t)) return;
      const Real above = mine[t] - mean[t] / total[t];
      store_number(e, dlogits, row(t) * dlogits_stride + t % Lanes, gate(t, t % Lanes) * above);
    });
  }
};

}  // namespace stlm::gpu
