// Draws one token from each row of logits: a block of threads for each row; weights and sums are double, as in
// stlm::Sampler.
//
// Each thread adds up the weights of a run of adjacent tokens. The sums of the threads before it tell a thread whether the
// draw falls into its run; the thread for which it does goes through its run again. The order of the sums differs from
// Sampler's, so the token differs from Sampler's where the draw falls within rounding, some 1e-16 of the total, of the
// boundary between two tokens. The kernel reads the logits two or three times, after the first time from the caches.
#pragma once

#include <stlm/backend/cuda/kernels/sample_keys.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// Sorted: draws among the first `keep` tokens of each row in `order`, whose entries are row * vocabulary + id. Otherwise
/// draws among all tokens, in order of id.
template <class T, class Rule, bool Sorted>
struct SampleTokens {
  static constexpr const char* name = Sorted ? "sample_sorted" : "sample_tokens";
  static constexpr int threads = 512, warps = threads / warp, blocks_of_sm = 1;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, warps> largest;
    SharedArray<int, warps> likeliest;
    SharedArray<double, threads> part;
    SharedArray<double, warps> of_warp;
    SharedArray<double, 1> kept;
    SharedArray<int, 1> count;
  };

  Span<const T> logits;
  Span<const std::int32_t> order;
  Span<Draw<Rule>> draws;
  Span<Token> tokens, next;  // -1 if the largest allowed logit is infinite (NaN counts as -inf); `next`, if given, has 0 then
  Index stride;
  int vocabulary, keep;
  double temperature, min_p, top_p;  // temperature 0 takes the likeliest token

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const Index row = e.block();
    const Draw<Rule> draw = e.load(Span<const Draw<Rule>>(draws), row);
    const auto id = [&](int i) {
      return Sorted ? static_cast<int>(e.load(order, row * vocabulary + i) - row * vocabulary) : i;
    };
    const auto value = [&](int token) { return drawable(load_number(e, logits, row * stride + token), token, draw); };
    const auto take = [&](int token) {
      e.store(tokens, row, Token{token});
      if (next.data) e.store(next, row, Token{token < 0 ? 0 : token});
      if (token < 0) return;
      Draw<Rule> after = draw;
      after.rule.push(token);
      if (temperature > 0) ++after.drawn;
      e.store(draws, row, after);
    };
    PerThread<Exec, Real> top;
    PerThread<Exec, int> best;
    find_likeliest(e, shared, id, value, top, best);
    e.each([&](int t) {
      if (!(top[t] - top[t] == 0)) best[t] = -1;  // infinite
      if (t == 0 && (temperature == 0 || best[t] < 0)) take(best[t]);
    });
    if (temperature == 0) return;

    const int own = (keep + threads - 1) / threads;  // tokens of a thread
    const auto first = [&](int t) { return t * own < keep ? t * own : keep; };
    const auto weight = [&](int t, int i) {
      const double part = std::exp((static_cast<double>(value(id(i))) - static_cast<double>(top[t])) / temperature);
      return part < min_p ? 0.0 : part;  // of the likeliest token's probability
    };
    e.phase([&](int t) {
      double sum = 0;
      for (int i = first(t); i < first(t + 1) && best[t] >= 0; ++i) sum += weight(t, i);
      shared.part[t] = sum;
      e.flops(3 * own);
    });
    e.phase([&](int t) {
      if (t % warp != 0) return;
      double sum = 0;
      for (int i = t; i < t + warp; ++i) sum += shared.part[i];
      shared.of_warp[t / warp] = sum;
    });
    const auto before = [&](int t) {  // the sum of the weights of the threads before t: never decreases with t
      double sum = 0, lanes = 0;
      for (int w = 0; w < t / warp; ++w) sum += shared.of_warp[w];
      for (int i = t / warp * warp; i < t; ++i) lanes += shared.part[i];
      return sum + lanes;
    };
    e.phase([&](int t) {
      const double total = before(threads), enough = top_p * total, from = top_p < 1 ? before(t) : 0;
      if (top_p < 1 && from < enough && enough <= before(t + 1)) {
        double sum = from;
        int i = first(t);
        while (i < first(t + 1) && sum < enough) sum += weight(t, i++);
        shared.kept[0] = sum;
        shared.count[0] = i;
      }
      if (t == 0 && !(top_p < 1 && total > 0)) {
        shared.kept[0] = total;
        shared.count[0] = keep;
      }
    });
    e.each([&](int t) {
      const double kept = shared.kept[0], at = static_cast<double>(random_uniform(draw.key, draw.drawn)) * kept,
                   from = before(t);
      if (best[t] < 0 || at < from || at >= before(t + 1)) return;
      double left = at - from;
      const int last = shared.count[0] < first(t + 1) ? static_cast<int>(shared.count[0]) : first(t + 1);
      for (int i = first(t); i < last; ++i)
        if ((left -= weight(t, i)) < 0) return take(id(i));
      take(best[t]);
    });
  }

 private:
  /// The largest value and the first token that has it.
  template <class Exec, class Id, class Value>
  STLM_KERNEL void find_likeliest(Exec& e, Shared& shared, const Id& id, const Value& value, PerThread<Exec, Real>& top,
                                  PerThread<Exec, int>& best) const {
    if constexpr (Sorted) {
      e.each([&](int t) {
        best[t] = id(0);
        top[t] = value(best[t]);
      });
    } else {
      PerThread<Exec, Real> mine;
      e.each([&](int t) {
        mine[t] = -INFINITY;
        best[t] = vocabulary;
        for (int i = t; i < vocabulary; i += threads)
          if (const Real x = value(i); x > mine[t]) {
            mine[t] = x;
            best[t] = i;
          }
        top[t] = mine[t];
      });
      combine_block(e, top, shared.largest, Max{});
      e.each([&](int t) { best[t] = mine[t] == top[t] ? best[t] : vocabulary; });
      combine_block(e, best, shared.likeliest, Min{});
    }
  }
  struct Min {
    STLM_HOST_DEVICE int operator()(int a, int b) const { return a < b ? a : b; }
  };
};

}  // namespace stlm::gpu
