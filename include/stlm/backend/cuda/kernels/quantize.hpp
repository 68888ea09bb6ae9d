// Rounds rows to int8, and gathers rows of int8 back (core/quantized.hpp). A lane has 16 numbers at once: the packet of int8
// that it writes or reads.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>
#include <stlm/core/quantized.hpp>

namespace stlm::gpu {

using Bytes = Packet<std::int8_t>;

/// Loads 16 floats from number i on, zeros from `end` on, in packets or one by one.
template <bool Packets, class Exec, class T>
STLM_KERNEL Numbers<float, Bytes::size> load_floats(Exec& e, Span<const T> from, Index i, Index end) {
  if constexpr (Packets) {
    return load_numbers<Bytes::size>(e, from, i, end);
  } else {
    Numbers<float, Bytes::size> some;
    unroll<Bytes::size>([&](int j) { some[j] = i + j < end ? load_number(e, from, i + j) : 0.0F; });
    return some;
  }
}

/// Computes each row's integers, padded with zeros, its scale and, unless `sums` is null, the sum of its integers. If a row
/// is not finite, its integers are zero and its scale is not finite. Lanes threads for a row; x is read twice, the second
/// time from a cache.
template <class T, int Lanes, bool Packets>
struct QuantizeRows {
  static constexpr const char* name = "quantize_rows";
  static constexpr int threads = 128, rows_of_block = threads / Lanes;
  struct Shared {
    SharedArray<float, threads / warp> most;
    SharedArray<std::int32_t, threads / warp> sum;
  };

  Span<const T> x;
  Span<std::int8_t> q;
  Span<float> scales;
  Span<std::int32_t> sums;
  Index rows, x_stride;
  int cols, q_stride;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const auto row = [&](int t) { return e.block() * rows_of_block + t / Lanes; };
    const auto floats = [&](int t, int c) {
      return load_floats<Packets>(e, x, row(t) * x_stride + c, row(t) * x_stride + cols);
    };
    PerThread<Exec, float> most;
    PerThread<Exec, std::int32_t> sum;
    e.each([&](int t) {
      most[t] = 0;
      if (row(t) < rows) for_packets<Bytes::size, Lanes>(t % Lanes, cols, [&](int c) {
        const auto v = floats(t, c);
        unroll<Bytes::size>([&](int j) { most[t] = Max{}(most[t], std::abs(v[j])); });
      });
    });
    combine_lanes<Lanes>(e, most, shared.most, Max{});
    e.each([&](int t) {
      sum[t] = 0;
      if (row(t) >= rows) return;
      const float factor = 127 / most[t];  // also infinite if the row is nearly zero
      const bool usable = most[t] < INFINITY && factor < INFINITY;
      for_packets<Bytes::size, Lanes>(t % Lanes, q_stride, [&](int c) {
        const auto v = floats(t, c);
        Bytes bytes{};
        unroll<Bytes::size>([&](int j) {
          const auto integer = usable ? static_cast<int>(std::rint(v[j] * factor)) : 0;
          bytes[j] = static_cast<std::int8_t>(integer);
          sum[t] += integer;
        });
        e.store_packet(q, row(t) * q_stride + c, bytes);
        e.flops(4 * Bytes::size);
      });
    });
    combine_lanes<Lanes>(e, sum, shared.sum, Sum{});
    e.each([&](int t) {
      if (t % Lanes != 0 || row(t) >= rows) return;
      e.store(scales, row(t), most[t] / 127);
      if (sums.data) e.store(sums, row(t), sum[t]);
    });
  }
};

/// y[n, :] = scale W[tokens[n], :], a warp for each row. Moves 5 bytes for a float, 3 for a Bfloat16.
template <class T, bool Packets>
struct GatherQuantized {
  static constexpr const char* name = "gather_quantized";
  static constexpr int threads = 128, rows_of_block = threads / warp;

  Span<const std::int8_t> table;
  Span<const float> scales;
  Span<const Token> tokens;
  Span<T> y;
  Fault* fault;
  const char* where;
  Index y_stride;
  int cols, table_stride;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index row = e.block() * rows_of_block + t / warp;
      if (row >= tokens.size) return;
      const Token token = e.load(tokens, row);
      if (token < 0 || token >= scales.size) return e.fault(fault, {where, row, token, scales.size});
      const float scale = e.load(scales, token);
      for_packets<Bytes::size>(t % warp, cols, [&](int c) {
        const Bytes bytes = e.load_packet(table, Index{token} * table_stride + c);
        Numbers<float, Bytes::size> v;
        unroll<Bytes::size>([&](int j) { v[j] = scale * static_cast<float>(bytes[j]); });
        const Index to = row * y_stride + c, end = row * y_stride + cols;
        if constexpr (Packets)
          store_numbers<Bytes::size>(e, y, to, end, v);
        else
          unroll<Bytes::size>([&](int j) {
            if (to + j < end) store_number(e, y, to + j, v[j]);
          });
        e.flops(Bytes::size);
      });
    });
  }
};

}  // namespace stlm::gpu
