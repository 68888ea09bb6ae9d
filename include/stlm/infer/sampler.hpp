// Sampling the next token: temperature, then top-k, min-p (Nguyen et al. 2024) and top-p (Holtzman et al. 2020), then one
// seeded draw.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <stlm/core/backend.hpp>
#include <stlm/core/error.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

struct SampleOptions {
  Index max_bytes = 200;
  double temperature = 1;  ///< 0 takes the likeliest token
  Index top_k = 0;         ///< draw among the k likeliest only; 0: all
  double min_p = 0;        ///< of these, draw only among those with at least this part of the likeliest's probability
  double top_p = 1;        ///< of these, draw among the fewest likeliest that hold this part of their probability
  bool utf8 = false;       ///< draw only bytes that keep the text valid UTF-8, also when it ends at max_bytes
  std::uint64_t seed = 0;
};

namespace detail {
inline void expect_valid(const SampleOptions& options) {
  expect<Error>(options.max_bytes >= 0 && options.temperature >= 0 && std::isfinite(options.temperature) &&
                    options.top_k >= 0 && options.min_p >= 0 && options.min_p <= 1 && options.top_p > 0 && options.top_p <= 1,
                "stlm::Sampler: expected max_bytes, a temperature and a top-k of at least 0, a min-p from 0 to 1, and a top-p "
                "above 0 and up to 1, found ", options.max_bytes, ", ", options.temperature, ", ", options.top_k, ", ",
                options.min_p, " and ", options.top_p, ".");
}
inline void expect_finite(bool largest_logit_is_finite) {
  expect<NumericError>(largest_logit_is_finite,
                       "stlm::Sampler: the largest logit of a token that is allowed is not finite; the weights are damaged, "
                       "or no token is allowed.");
}
/// Calls f, the caller's on_byte. Returns whether the text goes on: yes, unless f returns false.
template <class F, class... Args>
bool goes_on(F& f, Args... args) {
  if constexpr (std::is_same_v<std::invoke_result_t<F&, Args...>, bool>)
    return f(args...);
  else
    return static_cast<void>(f(args...)), true;
}
/// What `generator` writes after `prompt`.
template <class Generator, class B, class P>
std::string text_of(Generator generator, Context<B>& ctx, const P& params, std::string_view prompt,
                    const SampleOptions& options) {
  std::string text;
  generator.generate(ctx, params, prompt, options, [&](char c) { text.push_back(c); });
  return text;
}
}  // namespace detail

/// Draws tokens; allocates once, for the vocabulary.
class Sampler {
 public:
  Sampler(Index vocabulary, const SampleOptions& options)
      : options_(options),
        key_(RandomKey::from_seed(options.seed)),
        order_(static_cast<std::size_t>(vocabulary)),
        weights_(order_.size()) {
    detail::expect_valid(options);
  }

  /// One token from the logits of a row; never `excluded`. Throws NumericError when the largest logit is not finite.
  template <class T>
  Token operator()(std::span<const T> logits, Token excluded = -1) {
    return (*this)(logits, [excluded](Token id) { return id != excluded; });
  }
  /// One of the tokens for which `allowed(id)` holds. Throws NumericError when the largest of their logits is not finite.
  template <class T, class Allowed>
    requires std::is_invocable_v<Allowed, Token>
  Token operator()(std::span<const T> logits, const Allowed& allowed) {
    expect(logits.size() >= order_.size(), "stlm::Sampler: expected the logits of ", order_.size(), " tokens, found ",
           logits.size(), "; give the constructor the vocabulary of the model.");
    const Token best = likeliest(logits.first(order_.size()), allowed);
    detail::expect_finite(best >= 0 && std::isfinite(logits[static_cast<std::size_t>(best)]));
    if (options_.temperature == 0) return best;
    std::iota(order_.begin(), order_.end(), Token{0});
    const auto before = [&](Token a, Token b) {  // likelier first; equal ones by id, so the order is total
      const T x = value(logits, a, allowed), y = value(logits, b, allowed);
      return x != y ? x > y : a < b;
    };
    std::size_t keep = options_.top_k > 0 ? std::min(static_cast<std::size_t>(options_.top_k), order_.size()) : order_.size();
    if (keep < order_.size())
      std::partial_sort(order_.begin(), order_.begin() + static_cast<Index>(keep), order_.end(), before);
    else if (options_.top_p < 1)
      std::sort(order_.begin(), order_.end(), before);
    const double top = static_cast<double>(logits[static_cast<std::size_t>(best)]);
    double total = 0;
    for (std::size_t i = 0; i < keep; ++i) {
      const double weight = std::exp((static_cast<double>(value(logits, order_[i], allowed)) - top) / options_.temperature);
      total += weights_[i] = weight < options_.min_p ? 0 : weight;
    }
    if (options_.top_p < 1) {
      const double enough = options_.top_p * total;
      std::size_t i = 0;
      for (total = 0; i < keep && total < enough; ++i) total += weights_[i];
      keep = i;
    }
    double left = static_cast<double>(random_uniform(key_, drawn_++)) * total;
    for (std::size_t i = 0; i < keep; ++i)
      if ((left -= weights_[i]) < 0) return order_[i];
    return best;
  }

 private:
  /// The allowed token with the largest logit, the first of equal ones; -1 if no allowed logit is above -infinity. Compilers
  /// vectorise the loop that tells whether a block has a logit above `top`.
  template <class T, class Allowed>
  static Token likeliest(std::span<const T> logits, const Allowed& allowed) {
    constexpr std::size_t block = 64;
    T top = -std::numeric_limits<T>::infinity();
    Token best = -1;
    for (std::size_t begin = 0; begin < logits.size(); begin += block) {
      const std::size_t end = std::min(begin + block, logits.size());
      int larger = 0;
      for (std::size_t i = begin; i < end; ++i) larger |= logits[i] > top;
      for (std::size_t i = begin; larger && i < end; ++i)
        if (logits[i] > top && allowed(static_cast<Token>(i))) {
          best = static_cast<Token>(i);
          top = logits[i];
        }
    }
    return best;
  }
  template <class T, class Allowed>
  static T value(std::span<const T> logits, Token id, const Allowed& allowed) {
    const T logit = logits[static_cast<std::size_t>(id)];
    return !allowed(id) || std::isnan(logit) ? -std::numeric_limits<T>::infinity() : logit;
  }

  SampleOptions options_;
  RandomKey key_;
  std::uint64_t drawn_ = 0;
  std::vector<Token> order_;
  std::vector<double> weights_;
};

}  // namespace stlm
