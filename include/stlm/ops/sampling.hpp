// Tokens drawn where the logits are: greedily, or at a temperature, among all, the k likeliest, or those that hold a
// part p of the probability. With a seed they are those that stlm::Sampler (infer/sampler.hpp) draws with it.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/random.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// Whether a backend has `sample`. Those of the host have not: there Sampler reads the logits.
template <class Backend>
inline constexpr bool draws_tokens = false;

struct SampleLimits {
  double temperature = 1;  ///< 0 takes the likeliest token
  Index top_k = 0;         ///< 0: all
  double top_p = 1;
};

/// What draws the tokens of one row, one after another. `rule.allows(token)` says which may be drawn,
/// `rule.push(token)` tells it which was.
template <class Rule>
struct Draw {
  RandomKey key;  ///< of a Sampler: RandomKey::from_seed(seed)
  Rule rule;
  std::uint64_t drawn = 0;
};

namespace impl {
template <class Backend>
struct Sampling : MissingBackend<Backend> {};
}  // namespace impl

/// Draws tokens(r) from row r of logits (N, V) with draws(r); -1 where the largest logit that is allowed is not finite.
/// `next`, if it is given, gets the same tokens, but 0 instead of -1, for a step that reads them before the host knows.
/// All lie in the memory of the backend and nothing is read back, so a recorded step may draw.
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
