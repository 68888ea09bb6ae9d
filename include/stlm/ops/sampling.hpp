// Sampling tokens in the memory where the logits are, with the options of stlm::Sampler (infer/sampler.hpp). With the same
// seed Sampler draws the same tokens, up to rounding of the weights and their sums.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/random.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// Whether a backend has `sample`. Host backends do not: there Sampler reads the logits.
template <class Backend>
inline constexpr bool draws_tokens = false;

struct SampleLimits {
  double temperature = 1;  ///< 0 takes the likeliest token
  Index top_k = 0;         ///< 0: all
  double min_p = 0;
  double top_p = 1;

  friend bool operator==(const SampleLimits&, const SampleLimits&) = default;
};

/// The state for drawing the tokens of one row, one after another. `rule.allows(token)` says whether a token may be drawn, and
/// `rule.push(token)` records the token drawn.
template <class Rule>
struct Draw {
  RandomKey key;  ///< RandomKey::from_seed(seed) for the draws of a Sampler with that seed
  Rule rule;
  std::uint64_t drawn = 0;
};

namespace impl {
template <class Backend>
struct Sampling : MissingBackend<Backend> {};
}  // namespace impl

/// Draws tokens(r) from row r of logits (N, V) with draws(r); -1 if the largest allowed logit is not finite. `next`, if given,
/// receives the same tokens, but 0 instead of -1, for a step that reads them before the host does. All views are in the
/// backend's memory and nothing is copied to the host, so a recorded step may draw.
template <class Backend, class Logits, class Rule, class T = typename Logits::value_type>
void sample(Context<Backend>& ctx, const Logits& logits, const SampleLimits& limits, View<Draw<Rule>, dynamic> draws,
            View<Token, dynamic> tokens, View<Token, dynamic> next = {}) {
  const MatrixView<const T> rows(logits);
  expect(draws.size() == rows.rows && tokens.size() == rows.rows && (!next.data() || next.size() == rows.rows),
         "stlm::ops::sample: ", rows.rows, " rows of logits, ", draws.size(), " draws, room for ", tokens.size(), " and ",
         next.size(), " tokens; all must be equal.");
  impl::Sampling<Backend>::template sample<T>(ctx, rows, limits, draws.data(), tokens.data(), next.data());
}

}  // namespace stlm::ops
