// Attention's forward pass on tensor cores: factors rounded to Bfloat16, sums and softmax in float (Dao 2023).
//
// A block of 4 warps has 64 queries of a head, and walks over the keys they read in tiles of 64. Scores and outputs
// stay in registers; the probabilities of one product are the left factor of the next as they lie. Keys and values are
// read from memory once for each tile of queries. Bound by shared memory: a warp reads both tiles for its own 16
// queries, one access of 256 bytes for each mma.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_scores.hpp>

namespace stlm::gpu {

template <int D>
struct TensorAttentionForward {
  static constexpr const char* name = "attention_tensor_forward";
  using Tile = TensorTile<D>;
  using Scores = TensorScores<8>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  struct Shared {
    typename Tile::Columns keys;
    typename Tile::Vectors values;
    typename Tile::Kept kept;
  };

  AttentionNumbers numbers;
  HeadRows<const float> q, k, v;
  HeadRows<float> out;
  Span<float> lse;
  float scale;

  Index blocks() const { return pieces(numbers.queries, size) * numbers.heads * numbers.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, numbers.queries, size, numbers.heads);
    const Place place = numbers.place(e, at.sequence);
    const AttentionNumbers shape = numbers.at(place);
    const int b = at.sequence, h = at.head, i = at.first, hk = h / shape.group, kb = static_cast<int>(place.sequence);
    const int i_end = i + size < shape.queries ? i + size : shape.queries;
    const TileKeys keys = shape.keys_of(e, i, i_end - 1);
    const float slope = shape.alibi ? e.exp2(shape.log2_slope(h)) / scale : 0.f;
    const auto query = [&](int t, int eight) { return i + Tile::warp_row(t) + Tile::group(t) + 8 * eight; };

    typename Tile::template Left<Exec> left;
    typename Tile::template Sums<Exec> o;
    Registers<Exec, FragmentC, size / 8> s;
    Registers<Exec, float, 2> top, sum, high;  // of a lane's two queries; `top` before scaling
    Tile::load_left(e, left, q, b, i, i_end, h);
    e.each([&](int t) {
      unroll<D / 8>([&](int n) { o[n][t] = {}; });
      unroll<2>([&](int eight) {
        top[eight][t] = -INFINITY;
        sum[eight][t] = 0;
      });
    });

    for (int j = keys.some.begin; j < keys.some.end; j += size) {
      e.phase([&](int t) {
        Tile::load(e, t, k, kb, j, keys.some.end, hk, shared.keys);
        Tile::load(e, t, v, kb, j, keys.some.end, hk, shared.values);
        if (shape.dropped > 0) Tile::draw_kept(e, t, shape, b, h, i, i_end, j, shared.kept);
      });
      const auto needed = [&](int key) { return j + key < keys.some.end; };  // not: all are masked
      e.each([&](int t) { unroll<size / 8>([&](int n) { s[n][t] = {}; }); });
      unroll<2>([&](int piece) {
        if (needed(32 * piece))
          unroll<Tile::steps>([&](int step) {
            unroll<4>(
                [&](int n) { Tile::multiply(e, s[4 * piece + n], left[step], shared.keys, 4 * piece + n, step); });
          });
      });
      if (shape.alibi) Scores::add_alibi(e, s, shape, slope, i, j);
      if (!keys.whole(j, size)) Scores::mask(e, s, shape, i, i_end, j);
      softmax(e, s, o, top, sum, high);
      if (shape.dropped > 0) Scores::drop(e, s, shared.kept, static_cast<float>(shape.keep_scale), 0);
      unroll<2>([&](int piece) {
        if (needed(32 * piece))
          unroll<2>([&](int two) {
            const int step = 2 * piece + two;
            PerThread<Exec, FragmentA> p;
            e.each([&](int t) { p[t] = Tile::as_left(e, s[2 * step][t], s[2 * step + 1][t]); });
            unroll<D / 8>([&](int n) { Tile::multiply(e, o[n], p, shared.values, n, step); });
          });
      });
      e.phase([](int) {});  // before the next tile overwrites this one
    }

    unroll<2>([&](int eight) { e.template combine_lanes<4>(sum[eight], Sum{}); });
    e.each([&](int t) {
      unroll<2>([&](int eight) {
        const float total = sum[eight][t];
        const float factor = total == 0 ? 0.f : 1.f / total;
        unroll<D / 4>([&](int n) { o[n / 2][t].value[2 * eight + n % 2] *= factor; });
        if (Tile::member(t) == 0 && query(t, eight) < i_end)
          e.store(lse, shape.row(shape.sequence(e, query(t, eight)), b, h, query(t, eight)),
                  top[eight][t] * scale + std::log(total));
      });
    });
    Tile::store(e, o, out, b, i, i_end, h);
  }

 private:
  /// Scores become exp(score - top of the row so far); what stands in `o` and `sum` shrinks to the new top.
  template <class Exec, class Fragments, class Outputs>
  STLM_KERNEL void softmax(Exec& e, Fragments& s, Outputs& o, Registers<Exec, float, 2>& top,
                           Registers<Exec, float, 2>& sum, Registers<Exec, float, 2>& high) const {
    e.each([&](int t) {
      unroll<2>([&](int eight) { high[eight][t] = top[eight][t]; });
      unroll<size / 2>([&](int n) {
        float& most = high[n % 4 / 2][t];
        most = Max{}(most, s[n / 4][t].value[n % 4]);
      });
    });
    unroll<2>([&](int eight) { e.template combine_lanes<4>(high[eight], Max{}); });
    e.each([&](int t) {
      const float factor = scale * log2_e;
      unroll<2>([&](int eight) {
        const float level =
            high[eight][t] == -INFINITY ? 0.f : high[eight][t] * factor;  // a row that has seen nothing yet
        const float shrink = e.exp2(top[eight][t] * factor - level);
        top[eight][t] = high[eight][t];
        sum[eight][t] *= shrink;
        unroll<D / 4>([&](int n) { o[n / 2][t].value[2 * eight + n % 2] *= shrink; });
        unroll<size / 4>([&](int n) {
          float& p = s[n / 2][t].value[2 * eight + n % 2];
          p = e.exp2(p * factor - level);
          sum[eight][t] += p;
        });
      });
      e.flops(5 * size / 2 + D / 2);
    });
  }
};

}  // namespace stlm::gpu
