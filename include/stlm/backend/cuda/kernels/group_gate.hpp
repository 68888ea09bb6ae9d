// Gated groups of columns (ops/group_gate.hpp). Bound by memory: 8 bytes forward and 12 backward for a float.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// Rows of a few numbers become their softmax, in place: a thread for each row.
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
      T top = e.load(x, row * stride), sum = 0;
      for (int c = 1; c < cols; ++c) top = Max{}(top, e.load(x, row * stride + c));
      for (int c = 0; c < cols; ++c) {
        const T power = std::exp(e.load(x, row * stride + c) - top);
        e.store(x, row * stride + c, power);
        sum += power;
      }
      for (int c = 0; c < cols; ++c) e.store(x, row * stride + c, static_cast<T>(e.load(x, row * stride + c) / sum));
      e.flops(4 * cols);
    });
  }
};

/// y = scale g x: a warp for each row, whose lanes count the groups as they pass them.
template <class T, int W>
struct GroupGateForward {
  static constexpr const char* name = "group_gate_forward";
  static constexpr int threads = 128, rows_of_block = threads / warp;

  Span<const T> gates, x;
  Span<T> y;
  Index rows, gates_stride, x_stride, y_stride;
  unsigned span;  // rows of x for one of gates
  int cols, width;
  T scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index row = e.block() * rows_of_block + t / warp;
      if (row >= rows) return;
      const Index gate_row = static_cast<unsigned>(row) / span * gates_stride;
      int group = t % warp * W / width, within = t % warp * W % width;
      for_packets<W>(t % warp, cols, [&](int c) {
        const T gate = scale * e.load(gates, gate_row + group);
        auto v = load_numbers<W>(e, x, row * x_stride + c);
        unroll<W>([&](int j) { v[j] *= gate; });
        store_numbers<W>(e, y, row * y_stride + c, v);
        for (within += warp * W; within >= width; within -= width) ++group;
        e.flops(W);
      });
    });
  }
};

/// d in place, and dlogits: Lanes threads for a row of gates, group by group. `span` rows of a group are numbered
/// packet by packet, and each thread takes every Lanes-th: `rows_of_step` rows and `rest` packets further.
template <class T, int W, int Lanes>
struct GroupGateBackward {
  static constexpr const char* name = "group_gate_backward";
  static constexpr int threads = Lanes > 128 ? Lanes : 128, rows_of_block = threads / Lanes;
  struct Shared {
    SharedArray<T, threads / warp> partial;
  };

  Span<const T> gates, x;
  Span<T> d, dlogits;
  Index rows, gates_stride, x_stride, d_stride, dlogits_stride, span;  // `rows` of gates
  int groups, width;
  T scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const auto row = [&](int t) { return e.block() * rows_of_block + t / Lanes; };
    const int packets = width / W, rows_of_step = Lanes / packets, rest = Lanes % packets;
    PerThread<Exec, T> sum, mean;
    e.each([&](int t) { mean[t] = 0; });
    for (int g = 0; g < groups; ++g) {
      e.each([&](int t) {
        sum[t] = 0;
        if (row(t) >= rows) return;
        const T gate = scale * e.load(gates, row(t) * gates_stride + g);
        int c = t % Lanes % packets;
        for (Index n = t % Lanes / packets; n < span; n += rows_of_step) {
          const Index at = row(t) * span + n, col = (g * packets + c) * W;
          const auto v = load_numbers<W>(e, x, at * x_stride + col);
          auto dy = load_numbers<W>(e, d, at * d_stride + col);
          unroll<W>([&](int j) {
            sum[t] += dy[j] * v[j];
            dy[j] *= gate;
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
        if (t % Lanes != 0 || row(t) >= rows) return;
        e.store(dlogits, row(t) * dlogits_stride + g, static_cast<T>(scale * sum[t]));
        mean[t] += e.load(gates, row(t) * gates_stride + g) * (scale * sum[t]);
      });
    }
    e.each([&](int t) {
      if (t % Lanes != 0 || row(t) >= rows) return;
      for (int g = 0; g < groups; ++g) {
        const Index i = row(t) * dlogits_stride + g;
        e.store(dlogits, i, static_cast<T>(e.load(gates, row(t) * gates_stride + g) * (e.load(dlogits, i) - mean[t])));
      }
    });
  }
};

}  // namespace stlm::gpu
