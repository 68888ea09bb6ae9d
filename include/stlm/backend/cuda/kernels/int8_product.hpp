// y[n, j] = or += x_scale_n w_scale_j (x_n . w_j), for rows of int8 padded with zeros to a multiple of 64
// (ops/quantized.hpp). Sums are integers, so they are exact in any order.
//
// For few rows of x, as in decoding, a warp reads one row of W, once: bound by memory, one byte for each weight. For many
// rows, a block computes 64 x 64 results: bound by the dot products of 16 bytes each, of which a thread does 16 for every
// 8 packets that it reads from shared memory.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <class T>
struct Int8Factors {
  Span<const std::int8_t> x, w;
  Span<const float> x_scales, w_scales;  // one for each row
  Span<T> y;
  Index y_stride;
  int stride;  // of x and of w
  bool accumulate;

  template <class Exec>
  STLM_KERNEL void finish(Exec& e, Index n, Index j, std::int32_t sum) const {
    if (n >= x_scales.size || j >= w_scales.size) return;
    const float product = e.load(x_scales, n) * e.load(w_scales, j) * static_cast<float>(sum);
    store_number(e, y, n * y_stride + j, accumulate ? load_number(e, y, n * y_stride + j) + product : product);
  }
};

/// For at most Rows rows of x.
template <class T, int Rows>
struct Int8ProductFew {
  static constexpr const char* name = "int8_product_few";
  static constexpr int threads = 128, columns_of_block = threads / warp;
  Int8Factors<T> of;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    const auto column = [&](int t) { return e.block() * columns_of_block + t / warp; };
    Registers<Exec, std::int32_t, Rows> sum;
    e.each([&](int t) {
      unroll<Rows>([&](int n) { sum[n][t] = 0; });
      if (column(t) < of.w_scales.size) for_packets<Packet<std::int8_t>::size>(t % warp, of.stride, [&](int k) {
        const auto weights = e.load_packet(of.w, column(t) * of.stride + k);
        unroll<Rows>([&](int n) {
          if (n >= of.x_scales.size) return;
          sum[n][t] = e.dot(e.load_packet(of.x, n * Index{of.stride} + k), weights, sum[n][t]);
        });
      });
    });
    unroll<Rows>([&](int n) { sum_warp(e, sum[n]); });
    e.each([&](int t) {
      unroll<Rows>([&](int n) {
        if (t % warp == n) of.finish(e, n, column(t), sum[n][t]);
      });
    });
  }
};

/// A block computes one tile of results; blocks go down the rows of x first. Each thread has 4 x 4 results, 16 rows and 16
/// columns apart.
template <class T>
struct Int8ProductTile {
  static constexpr const char* name = "int8_product_tile";
  static constexpr int tile = 64, side = 16, each_way = tile / side, threads = side * side;
  static constexpr int packets = 4, row_words = 4 * packets + 4;  // 4 more, to spread rows over the banks
  struct Shared {
    SharedArray<std::int32_t, tile * row_words> x, w;
  };
  Int8Factors<T> of;
  unsigned tiles_down;  // along the rows of x

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    using Words = Packet<std::int32_t>;
    const auto block = static_cast<unsigned>(e.block());
    const Index n0 = Index{block % tiles_down} * tile, j0 = Index{block / tiles_down} * tile;
    PerThread<Exec, Packet<std::int8_t>> next_x, next_w;
    PerThread<Exec, Numbers<Numbers<std::int32_t, each_way>, each_way>> sum;
    const auto fetch = [&](int t, int k) {  // thread t has packet t % 4 of row t / 4
      const auto of_row = [&](Span<const std::int8_t> from, Index row, Index rows) {
        return row < rows ? e.load_packet(from, row * of.stride + k + t % packets * 16) : Packet<std::int8_t>{};
      };
      next_x[t] = of_row(of.x, n0 + t / packets, of.x_scales.size);
      next_w[t] = of_row(of.w, j0 + t / packets, of.w_scales.size);
    };
    e.each([&](int t) {
      sum[t] = {};
      fetch(t, 0);
    });
    for (int k = 0; k < of.stride; k += 16 * packets) {
      e.phase([&](int t) {
        const int to = t / packets * row_words + t % packets * 4;
        shared.x.set_packet(to, __builtin_bit_cast(Words, next_x[t]));
        shared.w.set_packet(to, __builtin_bit_cast(Words, next_w[t]));
      });
      e.phase([&](int t) {
        if (k + 16 * packets < of.stride) fetch(t, k + 16 * packets);
        unroll<packets>([&](int p) {
          const auto from = [&](auto& array, int row) {
            return __builtin_bit_cast(Packet<std::int8_t>, array.packet(row * row_words + p * 4));
          };
          Packet<std::int8_t> left[each_way];
          unroll<each_way>([&](int a) { left[a] = from(shared.x, t / side + a * side); });
          unroll<each_way>([&](int b) {
            const Packet<std::int8_t> right = from(shared.w, t % side + b * side);
            unroll<each_way>([&](int a) { sum[t][a][b] = e.dot(left[a], right, sum[t][a][b]); });
          });
        });
      });
    }
    e.each([&](int t) {
      unroll<each_way>([&](int a) {
        unroll<each_way>([&](int b) { of.finish(e, n0 + t / side + a * side, j0 + t % side + b * side, sum[t][a][b]); });
      });
    });
  }
};

}  // namespace stlm::gpu
