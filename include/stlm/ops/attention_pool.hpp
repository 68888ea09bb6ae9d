// Pooling by attention: how much attention each token received, and the tokens that received the most.
//
//   received:  s_j = mean over heads h and queries i of P[h, i, j],    P = exp(Q K^T / sqrt(D) - lse), not causal
//   highest:   the K rows of each sequence with the highest s
//
// The choice of rows is piecewise constant, so scores have no gradient. Callers gather the chosen rows with
// ops::embedding_forward, using the activations as the table, and scatter their gradients with ops::embedding_backward.
#pragma once

#include <cmath>

#include <stlm/core/bfloat16.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct AttentionPool : MissingBackend<Backend> {};

/// Writes the picks of one sequence of `size` scores: the rows `first` + j of the `keep` highest. Of equal scores the earlier
/// ranks higher; NaN ranks lowest. Ranks are found by counting, so nothing is sorted and every thread finds the same.
template <class T>
void pick_highest(const T* scores, Index size, Index keep, bool by_score, Index first, Token* picks) {
  const auto value = [&](Index j) {
    const real_t<T> score = real_part(scores[j]);
    return std::isnan(score) ? -INFINITY : score;
  };
  for (Index j = 0, next = 0; j < size; ++j) {
    Index rank = 0;
    for (Index i = 0; i < size; ++i) rank += value(i) > value(j) || (value(i) == value(j) && i < j);
    if (rank < keep) picks[by_score ? rank : next++] = static_cast<Token>(first + j);
  }
}
}  // namespace impl

/// q (B, T, H, D), k (B, T, Kv, D) and the lse (B * H * T) that `attention_forward` wrote without a causal mask
/// -> scores (B, T). lse and scores hold compute_t<T>, where T is the scalar of q and k.
template <class Backend, class Q, class T = std::remove_const_t<Q>>
void attention_received(Context<Backend>& ctx, HeadsView<Q> q, std::type_identity_t<HeadsView<const T>> k,
                        View<const compute_t<T>, dynamic> lse, View<compute_t<T>, dynamic, dynamic> scores) {
  expect(k.heads > 0 && q.heads % k.heads == 0 && k.head_size == q.head_size && lse.size() == q.heads * scores.size(),
         "stlm::ops::attention_received: scores of ", scores.extent(0), " sequences of ", scores.extent(1),
         " tokens do not fit ", q.heads, " query heads, ", k.heads, " key heads and ", lse.size(),
         " row sums; give those that attention was computed with.");
  impl::AttentionPool<Backend>::template received<T>(ctx, q, k, lse.data(), scores);
}

/// scores (B, T) -> picks (B, K): the rows of (B*T, C) that are kept, in order of position, or of score if `by_score`.
template <class Backend, class T>
void keep_highest(Context<Backend>& ctx, View<T, dynamic, dynamic> scores, bool by_score, View<Token, dynamic, dynamic> picks) {
  expect(picks.extent(0) == scores.extent(0) && picks.extent(1) <= scores.extent(1), "stlm::ops::keep_highest: cannot keep ",
         picks.extent(1), " tokens in ", picks.extent(0), " sequences, found ", scores.extent(0), " sequences of ",
         scores.extent(1), "; keep fewer, of as many sequences.");
  impl::AttentionPool<Backend>::template keep_highest<T>(ctx, scores, by_score, picks);
}

}  // namespace stlm::ops
