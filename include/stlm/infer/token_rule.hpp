// Token rules: which tokens may be drawn next, given those drawn before.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include <stlm/core/tensor_view.hpp>
#include <stlm/io/utf8_state.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

/// Which tokens may follow those drawn: what a GPU can ask where it draws them (infer/token_draws.hpp).
template <class R>
concept TokenRule = std::is_trivially_copyable_v<R> && requires(R rule, const R& asked, Token id) {
  { asked.allows(id) } -> std::same_as<bool>;
  rule.push(id);
};

/// Any but one; -1: any.
struct AnyBut {
  Token excluded = -1;
  STLM_HOST_DEVICE bool allows(Token id) const { return id != excluded; }
  STLM_HOST_DEVICE void push(Token) {}
};

/// Which symbols may follow a text: all but `excluded`, or those that keep it valid UTF-8. Ids from 256 on are no bytes;
/// of these an end of text waits for the end of a character.
class TextRule {
 public:
  TextRule(bool utf8, std::string_view text, Token excluded = -1) : utf8_(utf8), excluded_(excluded) {
    for (const char c : text) push(static_cast<unsigned char>(c));
  }
  STLM_HOST_DEVICE bool allows(Token id) const {
    if (id == excluded_) return false;
    if (!utf8_) return true;
    return id < 256 ? state_.accepts(static_cast<unsigned char>(id))
                    : id != ByteTokenizer::end_of_text || state_.complete();
  }
  STLM_HOST_DEVICE void push(Token id) {
    if (id >= 256) return;
    const auto byte = static_cast<unsigned char>(id);
    if (!state_.accepts(byte)) state_ = {};  // of a text that is not valid; what follows shall be
    if (state_.accepts(byte)) state_.push(byte);
  }

 private:
  bool utf8_;
  Token excluded_;
  Utf8State state_;
};

}  // namespace stlm
