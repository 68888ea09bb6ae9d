// Sampling the next token: temperature, then top-k, then one seeded draw.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <stlm/core/error.hpp>
#include <stlm/core/random.hpp>
#include <stlm/core/tensor_view.hpp>
#include <stlm/io/utf8_state.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

struct SampleOptions {
  Index max_bytes = 200;
  double temperature = 1;  ///< 0 takes the likeliest token
  Index top_k = 0;         ///< draw among the k likeliest only; 0: all
  bool utf8 = false;       ///< draw only bytes that keep the text valid UTF-8
  std::uint64_t seed = 0;
};

/// Which symbols may follow a text: all, or those that keep it valid UTF-8. Ids from 256 on are no bytes; of these an end
/// of text waits for the end of a character.
class TextRule {
 public:
  TextRule(bool utf8, std::string_view text) : utf8_(utf8) {
    for (const char c : text) push(static_cast<unsigned char>(c));
  }
  bool allows(Token id) const {
    if (!utf8_) return true;
    return id < 256 ? state_.accepts(static_cast<unsigned char>(id))
                    : id != ByteTokenizer::end_of_text || state_.complete();
  }
  void push(Token id) {
    if (id >= 256) return;
    const auto byte = static_cast<unsigned char>(id);
    if (!state_.accepts(byte)) state_ = {};  // of a text that is not valid; what follows shall be
    if (state_.accepts(byte)) state_.push(byte);
  }

 private:
  bool utf8_;
  Utf8State state_;
};

/// Draws tokens; allocates once, for the vocabulary.
class Sampler {
 public:
  Sampler(Index vocabulary, const SampleOptions& options)
      : options_(options), key_(RandomKey::from_seed(options.seed)), order_(static_cast<std::size_t>(vocabulary)) {
    expect<Error>(options.temperature >= 0 && options.top_k >= 0,
                  "stlm::Sampler: expected a temperature and a top-k of at least 0, found ", options.temperature, " and ",
                  options.top_k, ".");
  }

  /// One token from the logits of a row; never `excluded`. Throws NumericError when no logit is finite.
  template <class T>
  Token operator()(std::span<const T> logits, Token excluded = -1) {
    return (*this)(logits, [excluded](Token id) { return id != excluded; });
  }
  /// One of the tokens for which `allowed(id)` holds.
  template <class T, class Allowed>
    requires std::is_invocable_v<Allowed, Token>
  Token operator()(std::span<const T> logits, const Allowed& allowed) {
    std::iota(order_.begin(), order_.end(), Token{0});
    const auto before = [&](Token a, Token b) {  // likelier first; equal ones by id, so the order is total
      const T x = value(logits, a, allowed), y = value(logits, b, allowed);
      return x != y ? x > y : a < b;
    };
    const bool greedy = options_.temperature == 0;
    const Index keep = greedy ? 1 : options_.top_k > 0 ? std::min(options_.top_k, Index(order_.size())) : Index(order_.size());
    if (keep < Index(order_.size()))
      std::nth_element(order_.begin(), order_.begin() + keep, order_.end(), before);
    const auto end = order_.begin() + keep;
    const double top = static_cast<double>(value(logits, *std::min_element(order_.begin(), end, before), allowed));
    expect<NumericError>(std::isfinite(top), "stlm::Sampler: the largest logit is not finite; the weights are damaged.");
    const auto weight = [&](Token id) {
      return greedy ? 1 : std::exp((static_cast<double>(value(logits, id, allowed)) - top) / options_.temperature);
    };
    double total = 0;
    for (auto id = order_.begin(); id != end; ++id) total += weight(*id);
    double left = static_cast<double>(random_uniform(key_, drawn_++)) * total;
    for (auto id = order_.begin(); id != end; ++id)
      if ((left -= weight(*id)) < 0) return *id;
    return *(end - 1);
  }

 private:
  template <class T, class Allowed>
  static T value(std::span<const T> logits, Token id, const Allowed& allowed) {
    const T logit = logits[static_cast<std::size_t>(id)];
    return !allowed(id) || std::isnan(logit) ? -std::numeric_limits<T>::infinity() : logit;
  }

  SampleOptions options_;
  RandomKey key_;
  std::uint64_t drawn_ = 0;
  std::vector<Token> order_;
};

}  // namespace stlm
