// Token rules: which tokens may be drawn next, given those drawn before.
#pragma once

#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>

#include <stlm/core/config.hpp>
#include <stlm/io/utf8_state.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

/// A rule for the tokens that may follow those drawn. It is copied to a GPU, which evaluates it (infer/token_draws.hpp).
template <class R>
concept TokenRule = std::is_trivially_copyable_v<R> && requires(R rule, const R& asked, Token id) {
  { asked.allows(id) } -> std::same_as<bool>;
  rule.push(id);
};

/// Allows every token except `excluded`; -1 excludes none.
struct AnyBut {
  Token excluded = -1;
  STLM_HOST_DEVICE bool allows(Token id) const { return id != excluded; }
  STLM_HOST_DEVICE void push(Token) {}
};

/// Which symbols may follow `text`: all but `excluded`; with `utf8` only those that keep the text valid UTF-8, also when it
/// ends after `max_bytes` more bytes. Ids from 256 on are not bytes; with `utf8` an end of text may not cut a character.
class TextRule {
 public:
  TextRule(bool utf8, std::string_view text, Token excluded = -1, Index max_bytes = std::numeric_limits<Index>::max())
      : utf8_(utf8), excluded_(excluded) {
    for (const char c : text) push(static_cast<unsigned char>(c));
    left_ = max_bytes;
  }
  STLM_HOST_DEVICE bool allows(Token id) const {
    if (id == excluded_) return false;
    if (!utf8_) return true;
    if (id >= 256) return id != ByteTokenizer::end_of_text || state_.complete();
    const auto byte = static_cast<unsigned char>(id);
    return state_.accepts(byte) && (!state_.complete() || Utf8State::length(byte) <= left_);
  }
  STLM_HOST_DEVICE void push(Token id) {
    if (id >= 256) return;
    const auto byte = static_cast<unsigned char>(id);
    if (!state_.accepts(byte)) state_ = {};  // the text so far is invalid; what follows must be valid
    if (state_.accepts(byte)) state_.push(byte);
    --left_;
  }

 private:
  bool utf8_;
  Token excluded_;
  Index left_ = std::numeric_limits<Index>::max();  // bytes that may still come
  Utf8State state_;
};

}  // namespace stlm
