// Logits as the draw of a token sees them, and the keys that they are sorted by.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/sampling.hpp>

namespace stlm::gpu {

using ops::Draw;

/// A logit as a draw sees it: -infinity if it is NaN or its token may not be drawn.
template <class T, class Rule>
STLM_KERNEL T drawable(T logit, Token id, const Draw<Rule>& draw) {
  return logit == logit && draw.rule.allows(id) ? logit : static_cast<T>(-INFINITY);
}

/// keys[n] = -logit: ascending order puts the likeliest token first.
template <class T, class Rule>
struct SampleKeys {
  static constexpr const char* name = "sample_keys";
  static constexpr int threads = 256;

  Span<const T> logits;
  Span<const Draw<Rule>> draws;
  Span<compute_t<T>> keys;
  Index vocabulary, stride;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, row = n / vocabulary, id = n % vocabulary;
      if (n >= keys.size) return;
      const Draw<Rule> draw = e.load(draws, row);
      const auto logit = drawable(load_number(e, logits, row * stride + id), static_cast<Token>(id), draw);
      e.store(keys, n, compute_t<T>(0) - logit);
    });
  }
};

}  // namespace stlm::gpu
