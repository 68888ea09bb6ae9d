// The online softmax of 64 queries on tensor cores: the state of a block's queries while their keys come tile by tile.
//
// Four lanes share the rows of two queries. They combine the maximum of a row for each tile, its sum only at the end.
// Exponents are shifted by the maximum so far, which keeps them in range; when the maximum rises, the sums so far are
// scaled down (Milakov and Gimelshein 2018).
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernels/attention_tensor_scores.hpp>
#include <stlm/backend/cuda/kernels/attention_tensor_tile.hpp>

namespace stlm::gpu {

template <int D, class Exec>
struct TensorQueries {
  using Tile = TensorTile<D>;

  typename Tile::template Sums<Exec> o;
  Registers<Exec, float, 2> top, sum;  ///< of a lane's two queries; `top` is a score before scaling

  STLM_KERNEL void begin(Exec& e) {
    e.each([&](int t) {
      unroll<D / 8>([&](int n) { o[n][t] = {}; });
      unroll<2>([&](int eight) {
        top[eight][t] = -INFINITY;
        sum[eight][t] = 0;
      });
    });
  }

  /// Replaces the scores of the next keys by exp(scale (score - top)), not yet divided by the sum.
  template <int N>
  STLM_KERNEL void add(Exec& e, Registers<Exec, FragmentC, N>& s, float scale) {
    Registers<Exec, float, 2> high;
    e.each([&](int t) {
      unroll<2>([&](int eight) { high[eight][t] = top[eight][t]; });
      unroll<4 * N>([&](int n) {
        float& most = high[n % 4 / 2][t];
        most = std::fmax(most, s[n / 4][t].value[n % 4]);  // skips NaN, whose probability is NaN
      });
    });
    unroll<2>([&](int eight) { e.template combine_lanes<4>(high[eight], Max{}); });
    e.each([&](int t) {
      const float factor = scale * log2_e;
      unroll<2>([&](int eight) {
        const float level = high[eight][t] == -INFINITY ? 0.f : high[eight][t] * factor;  // no key seen yet
        const float shrink = e.exp2(top[eight][t] * factor - level);
        top[eight][t] = high[eight][t];
        sum[eight][t] *= shrink;
        unroll<D / 4>([&](int n) { o[n / 2][t].value[2 * eight + n % 2] *= shrink; });
        unroll<2 * N>([&](int n) {
          float& p = s[n / 2][t].value[2 * eight + n % 2];
          p = e.exp2(p * factor - level);
          sum[eight][t] += p;
        });
      });
      e.flops(20 * N + D / 2);
    });
  }

  STLM_KERNEL void finish(Exec& e, const AttentionNumbers& shape, typename Tile::Vectors& room,
                          const HeadRows<Bfloat16>& out, Span<float> lse, int b, int h, int first, int end,
                          float scale) {
    unroll<2>([&](int eight) { e.template combine_lanes<4>(sum[eight], Sum{}); });
    e.each([&](int t) {
      unroll<2>([&](int eight) {
        const int query = first + Tile::row(t, eight);
        const float total = sum[eight][t], factor = total == 0 ? 0.f : 1.f / total;
        unroll<D / 4>([&](int n) { o[n / 2][t].value[2 * eight + n % 2] *= factor; });
        if (Tile::member(t) == 0 && query < end)
          e.store(lse, shape.row(shape.sequence(e, query), b, h, query), top[eight][t] * scale + std::log(total));
      });
    });
    Tile::store(e, o, room, out, b, first, end, h);
  }
};

}  // namespace stlm::gpu
