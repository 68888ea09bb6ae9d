// The first half of attention_decode.hpp: which query and which of its keys a block has, and the keys' scores and weights.
#pragma once

#include <stlm/backend/cuda/kernels/attention_dropout.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>

namespace stlm::gpu {

struct DecodeShare {
  AttentionNumbers shape;  ///< of the query's sequence
  int row, b, i, h;        ///< the query: its number among all, its sequence, its number there, its head
  int kb, hk;              ///< its keys' sequence in the cache, and their head
  int begin, end, seen;    ///< the block's keys are [begin, end); the query sees those from `seen` on
  Index part;              ///< where the block's part of the output begins

  /// The share of the running block, if the keys of each query are split among `splits` blocks, `size` keys each.
  template <class Exec>
  static STLM_KERNEL DecodeShare of(Exec& e, const AttentionNumbers& numbers, int splits, int size) {
    const int block = static_cast<int>(e.block()), row = block / splits, split = block - row * splits;
    const int i = row % numbers.queries, h = row / numbers.queries % numbers.heads;
    const int b = row / numbers.queries / numbers.heads, hk = h / numbers.group;
    const Place place = numbers.place(e, b);
    const AttentionNumbers shape = numbers.at(place);
    const RowRange seen = shape.visible(shape.sequence(e, i), i);
    const int begin = split * size, end = begin + size < seen.end ? begin + size : seen.end;
    const Index part = (static_cast<Index>(row) * splits + split) * (numbers.head_size + 2);
    return {shape, row, b, i, h, static_cast<int>(place.sequence), hk, begin, end, seen.begin, part};
  }

  STLM_KERNEL bool visible(int key) const { return key >= seen && key < end; }
  /// False if the cache has none of the block's keys yet, or all of them are before the window.
  STLM_KERNEL bool sees() const { return begin < end && end > seen; }
};

/// scores = the dot products of the query with the block's keys, of which there are as many as threads.
template <int W, class Exec, class Array, class T>
STLM_KERNEL void score_keys(Exec& e, Array& scores, const DecodeShare& mine, const HeadRows<const T>& q,
                            const HeadRows<const T>& k) {
  using Real = compute_t<T>;
  constexpr int lanes = 8, at_once = Exec::threads / lanes, of_thread = lanes;  // of a score; scores at once, of a thread
  Registers<Exec, Real, of_thread> dot;
  e.each([&](int t) {
    unroll<of_thread>([&](int n) { dot[n][t] = 0; });
    const Index query = q.at(mine.b, mine.i, mine.h);
    const auto key = [&](int n) { return mine.begin + n * at_once + t / lanes; };
    for (int c = t % lanes * W; c < q.head_size; c += lanes * W) {
      const auto x = load_numbers<W>(e, q.numbers, query + c);
      Numbers<AsStored<W, T>, of_thread> y;  // all loaded before the first is used
      unroll<of_thread>([&](int n) {
        if (mine.visible(key(n))) y[n] = load_as_stored<W>(e, k.numbers, k.at(mine.kb, key(n), mine.hk) + c);
      });
      unroll<of_thread>([&](int n) {
        if (!mine.visible(key(n))) return;
        const auto one = unpacked(y[n]);
        for (int j = 0; j < W; ++j) dot[n][t] += x[j] * one[j];
        e.flops(2 * W);
      });
    }
  });
  unroll<of_thread>([&](int n) {
    e.template combine_lanes<lanes>(dot[n], Sum{});
    e.each([&](int t) {
      if (t % lanes == 0) scores[n * at_once + t / lanes] = dot[n][t];
    });
  });
  e.phase([](int) {});  // barrier before other threads read the scores
}

/// top = the largest score, sum = the sum of all exp(score - top), shared.weights = exp(score - top) after dropout.
template <class Exec, class Shared, class Real>
STLM_KERNEL void weigh_keys(Exec& e, Shared& shared, const DecodeShare& mine, Real scale, PerThread<Exec, Real>& top,
                            PerThread<Exec, Real>& sum) {
  const AttentionNumbers& shape = mine.shape;
  constexpr int of_lane = Exec::threads / warp;
  Registers<Exec, Real, of_lane> weight;
  e.each([&](int t) {
    top[t] = -INFINITY;
    unroll<of_lane>([&](int n) {
      const int one = n * warp + t % warp, key = mine.begin + one, far = shape.position(mine.i) - key;
      Real score = shared.scores[one] * scale;
      if (shape.alibi)
        score -= std::exp2(static_cast<Real>(shape.log2_slope(mine.h))) * static_cast<Real>(far < 0 ? -far : far);
      weight[n][t] = mine.visible(key) ? score : -INFINITY;
      top[t] = Max{}(top[t], weight[n][t]);
    });
  });
  e.template combine_lanes<warp>(top, Max{});
  e.each([&](int t) {
    sum[t] = 0;
    unroll<of_lane>([&](int n) {
      weight[n][t] = weight[n][t] == -INFINITY ? Real(0) : std::exp(weight[n][t] - top[t]);
      sum[t] += weight[n][t];
    });
  });
  sum_warp(e, sum);
  e.phase([&](int t) {
    unroll<of_lane>([&](int n) {
      if (n != t / warp) return;
      Real kept = weight[n][t];
      if (shape.dropped > 0)
        kept *= kept_bits<4>(shape.masks.now(e), shape.dropped, mine.row * shape.mask_keys + mine.begin + t) & 1
                    ? static_cast<Real>(shape.keep_scale)
                    : Real(0);
      shared.weights[t] = kept;
    });
  });
}

}  // namespace stlm::gpu
