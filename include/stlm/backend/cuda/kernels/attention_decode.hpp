// Attention of a few queries that read many keys, as when a model generates: there are too few of them to fill a GPU,
// so the keys are split too.
//
// A block of threads has one query of one head and 128 of its keys: eight threads for each score, then a thread for each
// packet of columns and every n-th value. Every warp finds the maximum and the sum of all scores by itself: barriers are what
// takes long. Where there is more than one block for a query, each leaves its maximum, its
// sum and its unscaled part of the output, which a warp then joins in order of the keys. Bound by reading keys and
// values, once for each query head; heads that share them find them in the L2 cache.
#pragma once

#include <stlm/backend/cuda/kernels/attention_dropout.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <class T>
struct AttentionDecode {
  static constexpr const char* name = "attention_decode";
  static constexpr int threads = 128, size = threads, blocks_of_sm = 4;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, size> scores, weights;
    SharedArray<Real, threads * Packet<T>::size> mixed;
  };

  AttentionNumbers numbers;
  HeadRows<const T> q, k, v;
  HeadRows<T> out;
  Span<Real> lse;
  Real scale;
  int splits;
  Span<Real>
      parts;  ///< (rows, splits, 2 + head size): maximum, sum, output if that is not 0; unused when there is one split

  Index blocks() const { return numbers.rows() * splits; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    q.packets&& k.packets&& v.packets ? run<Packet<T>::size>(e, shared) : run<1>(e, shared);
  }

 private:
  template <int W, class Exec>
  STLM_KERNEL void run(Exec& e, Shared& shared) const {
    const int block = static_cast<int>(e.block()), row = block / splits, split = block - row * splits;
    const int i = row % numbers.queries, h = row / numbers.queries % numbers.heads;
    const int b = row / numbers.queries / numbers.heads, hk = h / numbers.group, D = numbers.head_size;
    const Place place = numbers.place(e, b);
    const AttentionNumbers shape = numbers.at(place);
    const int kb = static_cast<int>(place.sequence);
    const RowRange seen = shape.visible(shape.sequence(e, i), i);
    const int begin = split * size, end = begin + size < seen.end ? begin + size : seen.end;
    const Index part = (static_cast<Index>(row) * splits + split) * (D + 2);
    if (splits > 1 &&
        (begin >= seen.end || end <= seen.begin))  // of a cache that is not full, or outside of the window
      return e.each([&](int t) {
        if (t < 2) e.store(parts, part + t, t == 0 ? Real(-INFINITY) : Real(0));
      });
    const auto visible = [&](int key) { return key >= seen.begin && key < end; };

    constexpr int lanes = 8, at_once = threads / lanes, of_thread = size / at_once;  // of a score, scores of the block
    Registers<Exec, Real, of_thread> dot;
    e.each([&](int t) {
      unroll<of_thread>([&](int n) { dot[n][t] = 0; });
      const Index query = q.at(b, i, h);
      const auto key = [&](int n) { return begin + n * at_once + t / lanes; };
      for (int c = t % lanes * W; c < D; c += lanes * W) {
        const auto x = load_numbers<W>(e, q.numbers, query + c);
        Numbers<AsStored<W, T>, of_thread> y;  // all of them, before the first is waited for
        unroll<of_thread>([&](int n) {
          if (visible(key(n))) y[n] = load_as_stored<W>(e, k.numbers, k.at(kb, key(n), hk) + c);
        });
        unroll<of_thread>([&](int n) {
          if (!visible(key(n))) return;
          const auto one = unpacked(y[n]);
          for (int j = 0; j < W; ++j) dot[n][t] += x[j] * one[j];
          e.flops(2 * W);
        });
      }
    });
    unroll<of_thread>([&](int n) {
      e.template combine_lanes<lanes>(dot[n], Sum{});
      e.each([&](int t) {
        if (t % lanes == 0) shared.scores[n * at_once + t / lanes] = dot[n][t];
      });
    });
    e.phase([](int) {});  // before others read them

    constexpr int of_lane = size / warp;
    Registers<Exec, Real, of_lane> weight;
    PerThread<Exec, Real> top, sum;
    e.each([&](int t) {
      top[t] = -INFINITY;
      unroll<of_lane>([&](int n) {
        const int one = n * warp + t % warp, key = begin + one, far = shape.position(i) - key;
        Real score = shared.scores[one] * scale;
        if (shape.alibi)
          score -= std::exp2(static_cast<Real>(shape.log2_slope(h))) * static_cast<Real>(far < 0 ? -far : far);
        weight[n][t] = visible(key) ? score : -INFINITY;
        top[t] = Max{}(top[t], weight[n][t]);
      });
    });
    e.combine_warp(top, Max{});
    e.each([&](int t) {
      sum[t] = 0;
      unroll<of_lane>([&](int n) {
        weight[n][t] = weight[n][t] == -INFINITY ? Real(0) : std::exp(weight[n][t] - top[t]);
        sum[t] += weight[n][t];
      });
    });
    e.combine_warp(sum, Sum{});
    e.phase([&](int t) {
      unroll<of_lane>([&](int n) {
        if (n != t / warp) return;
        Real kept = weight[n][t];
        if (shape.dropped > 0)
          kept *= kept_bits<4>(shape.masks.now(e), shape.dropped, row * shape.mask_keys + begin + t) & 1
                      ? static_cast<Real>(shape.keep_scale)
                      : Real(0);
        shared.weights[t] = kept;
      });
    });

    constexpr int values_at_once = 4;  // loaded before the first is waited for
    for (int col = 0; col < D; col += threads * W) {
      const int cols = D - col < threads * W ? D - col : threads * W;
      const int units = (cols + W - 1) / W, groups = threads / units;
      e.phase([&](int t) {
        const int group = t / units, c = col + t % units * W;
        if (group >= groups) return;
        Numbers<Real, W> mixed{};
        for (int first = begin + group; first < end; first += values_at_once * groups) {
          Numbers<AsStored<W, T>, values_at_once> x;
          unroll<values_at_once>([&](int n) {
            const int key = first + n * groups;
            if (visible(key)) x[n] = load_as_stored<W>(e, v.numbers, v.at(kb, key, hk) + c);
          });
          unroll<values_at_once>([&](int n) {
            const int key = first + n * groups;
            if (!visible(key)) return;
            const Real by = shared.weights[key - begin];
            const auto one = unpacked(x[n]);
            for (int j = 0; j < W; ++j) mixed[j] += by * one[j];
          });
        }
        for (int j = 0; j < W; ++j) shared.mixed[t * W + j] = mixed[j];
      });
      e.phase([&](int t) {
        for (int c = t; c < cols; c += threads) {
          Real mixed = 0;
          for (int group = 0; group < groups; ++group) mixed += shared.mixed[group * units * W + c];
          if (splits > 1)
            e.store(parts, part + 2 + col + c, mixed);
          else
            store_number(e, out.numbers, out.at(b, i, h) + col + c, sum[t] == 0 ? Real(0) : mixed / sum[t]);
        }
      });
    }
    e.each([&](int t) {
      if (t > 0) return;
      if (splits == 1) return e.store(lse, row, top[t] + std::log(sum[t]));
      e.store(parts, part, top[t]);
      e.store(parts, part + 1, sum[t]);
    });
  }
};

}  // namespace stlm::gpu
