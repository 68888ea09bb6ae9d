// Attention of a few queries that read many keys, as in decoding. The queries are too few to fill a GPU, so the keys are split
// among blocks too.
//
// A block of threads has one query of one head and 128 of its keys: eight threads compute each score, then each thread sums
// one packet of columns over every n-th value. Every warp finds the maximum and the sum of all scores of the block by itself,
// because barriers would take longer. If a query has more than one block, each stores its maximum, its sum and its part of the
// output before division by the sum; a warp then joins the parts in order of the keys (attention_join.hpp). Bound by reading
// keys and values, once for each query head; heads that share them find them in the L2 cache.
#pragma once

#include <stlm/backend/cuda/kernels/attention_decode_scores.hpp>
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
  Span<Real> parts;  ///< (rows, splits, 2 + head size): maximum, sum and, if that is not 0, output; unused if splits is 1

  Index blocks() const { return numbers.rows() * splits; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    q.packets && k.packets && v.packets ? run<Packet<T>::size>(e, shared) : run<1>(e, shared);
  }

 private:
  template <int W, class Exec>
  STLM_KERNEL void run(Exec& e, Shared& shared) const {
    const DecodeShare mine = DecodeShare::of(e, numbers, splits, size);
    if (splits > 1 && !mine.sees())
      return e.each([&](int t) {
        if (t < 2) e.store(parts, mine.part + t, t == 0 ? Real(-INFINITY) : Real(0));
      });
    PerThread<Exec, Real> top, sum;
    score_keys<W>(e, shared.scores, mine, q, k);
    weigh_keys(e, shared, mine, scale, top, sum);
    mix_values<W>(e, shared, mine, sum);
    e.each([&](int t) {
      if (t > 0) return;
      if (splits == 1) return e.store(lse, mine.row, top[t] + std::log(sum[t]));
      e.store(parts, mine.part, top[t]);
      e.store(parts, mine.part + 1, sum[t]);
    });
  }

  /// Stores the sum of the values times their weights: the block's part of the output or, divided by `sum`, all of it.
  template <int W, class Exec>
  STLM_KERNEL void mix_values(Exec& e, Shared& shared, const DecodeShare& mine, PerThread<Exec, Real>& sum) const {
    constexpr int values_at_once = 4;  // loaded before the first is used
    const int D = numbers.head_size;
    for (int col = 0; col < D; col += threads * W) {
      const int cols = D - col < threads * W ? D - col : threads * W;
      const int units = (cols + W - 1) / W, groups = threads / units;
      e.phase([&](int t) {
        const int group = t / units, c = col + t % units * W;
        if (group >= groups) return;
        Numbers<Real, W> mixed{};
        for (int first = mine.begin + group; first < mine.end; first += values_at_once * groups) {
          Numbers<AsStored<W, T>, values_at_once> x;
          unroll<values_at_once>([&](int n) {
            const int key = first + n * groups;
            if (mine.visible(key)) x[n] = load_as_stored<W>(e, v.numbers, v.at(mine.kb, key, mine.hk) + c);
          });
          unroll<values_at_once>([&](int n) {
            const int key = first + n * groups;
            if (!mine.visible(key)) return;
            const Real by = shared.weights[key - mine.begin];
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
            e.store(parts, mine.part + 2 + col + c, mixed);
          else
            store_number(e, out.numbers, out.at(mine.b, mine.i, mine.h) + col + c, sum[t] == 0 ? Real(0) : mixed / sum[t]);
        }
      });
    }
  }
};

}  // namespace stlm::gpu
