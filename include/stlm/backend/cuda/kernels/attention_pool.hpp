// Pooling by attention: how much attention each token receives, and the choice of the tokens that receive most.
//
// A block of threads has 64 keys of one head and loops over all queries in tiles of 64; heads are then added up in order.
// Bound by the FMAs of tile products (attention_tile.hpp). Ranks are counted, a thread for each score, so they do not depend
// on the order of threads.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tile.hpp>

namespace stlm::gpu {

/// received[b, h, j] = sum over queries i of exp(scale q_i . k_j - lse_i).
template <class T>
struct AttentionReceived {
  static constexpr const char* name = "attention_received";
  using Tile = AttentionTile<T>;
  using Real = compute_t<T>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  using Shared = typename Tile::Shared;

  HeadRows<const T> q, k;
  Span<const Real> lse;
  Span<Real> received;
  int tokens, heads, group;
  Real scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, tokens, size, heads);
    const int b = at.sequence, h = at.head, j = at.first;
    const Index row = (static_cast<Index>(b) * heads + h) * tokens;
    typename Tile::template Sums<Exec> dot;
    Registers<Exec, Real, 4> sum;
    e.each([&](int t) { unroll<4>([&](int r) { sum[r][t] = 0; }); });
    for (int i = 0; i < tokens; i += size) {
      Tile::dot_products(e, shared, dot, b, k, j, tokens, h / group, b, q, i, tokens, h);
      e.each([&](int t) {
        unroll<4>([&](int c) {
          const int query = i + Tile::col(t) + c;
          if (query >= tokens) return;
          const Real log_sum = e.load(lse, row + query);
          unroll<4>([&](int r) { sum[r][t] += std::exp(scale * dot[4 * r + c][t] - log_sum); });
        });
      });
    }
    unroll<4>([&](int r) { e.template combine_lanes<16>(sum[r], Sum{}); });
    e.each([&](int t) {
      unroll<4>([&](int r) {
        const int key = j + Tile::row(t) + r;
        if (t % 16 == 0 && key < tokens) e.store(received, row + key, sum[r][t]);
      });
    });
  }
};

/// scores[b, j] = the sum of received[b, h, j] over heads, divided by heads * tokens: the mean over heads and queries.
template <class T>
struct MeanOfHeads {
  static constexpr const char* name = "mean_of_heads";
  static constexpr int threads = 128;

  Span<const T> received;
  Span<T> scores;
  Index tokens, heads;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, b = n / tokens, j = n % tokens;
      if (n >= scores.size) return;
      T sum = 0;
      for (Index h = 0; h < heads; ++h) sum += e.load(received, (b * heads + h) * tokens + j);
      e.store(scores, n, sum / static_cast<T>(heads * tokens));
      e.flops(heads);
    });
  }
};

/// ranks[b, j]: how many scores of sequence b precede score j: higher ones, and equal ones at lower positions. NaN counts
/// as -infinity.
template <class T>
struct RankScores {
  static constexpr const char* name = "rank_scores";
  static constexpr int threads = 128;

  Span<const T> scores;
  Span<std::int32_t> ranks;
  Index tokens;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, first = n / tokens * tokens;
      if (n >= scores.size) return;
      const auto value = [&](Index i) {
        const T score = e.load(scores, i);
        return score == score ? score : static_cast<T>(-INFINITY);
      };
      const T own = value(n);
      int rank = 0;
      for (Index i = first; i < first + tokens; ++i) {
        const T other = value(i);
        rank += other > own || (other == own && i < n);
      }
      e.store(ranks, n, rank);
    });
  }
};

/// picks[b, :]: the rows with the `keep` lowest ranks, in order of rank if `by_score`, else of position.
struct PickRanks {
  static constexpr const char* name = "pick_ranks";
  static constexpr int threads = 128;

  Span<const std::int32_t> ranks;
  Span<Token> picks;
  Index tokens, keep;
  bool by_score;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, b = n / tokens;
      if (n >= ranks.size) return;
      Index place = e.load(ranks, n);
      if (place >= keep) return;
      if (!by_score) {
        place = 0;
        for (Index i = b * tokens; i < n; ++i) place += e.load(ranks, i) < keep;
      }
      e.store(picks, b * keep + place, static_cast<Token>(n));
    });
  }
};

}  // namespace stlm::gpu
