// Pooling by attention, by loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/attention_pool.hpp>

namespace stlm::ops::impl {

template <>
struct AttentionPool<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void received(Ctx&, HeadsView<const T> q, HeadsView<const T> k, const T* lse, View<T, dynamic, dynamic> scores) {
    const Index tokens = scores.extent(1), group = q.heads / k.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(q.head_size)));
    for (Index b = 0; b < scores.extent(0); ++b)
      for (Index j = 0; j < tokens; ++j) {
        T sum = 0;
        for (Index h = 0; h < q.heads; ++h)
          for (Index i = 0; i < tokens; ++i) {
            T dot = 0;
            for (Index c = 0; c < q.head_size; ++c) dot += q(b, i, h)[c] * k(b, j, h / group)[c];
            sum += std::exp(scale * dot - lse[(b * q.heads + h) * tokens + i]);
          }
        scores(b, j) = sum / T(static_cast<real_t<T>>(q.heads * tokens));
      }
  }
  template <class T>
  static void keep_highest(Ctx&, View<T, dynamic, dynamic> scores, bool by_score, View<Token, dynamic, dynamic> picks) {
    const Index tokens = scores.extent(1);
    for (Index b = 0; b < scores.extent(0); ++b)
      pick_highest(&scores(b, 0), tokens, picks.extent(1), by_score, b * tokens, &picks(b, 0));
  }
};

}  // namespace stlm::ops::impl
