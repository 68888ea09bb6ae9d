// TokenBoundary: patches that are the tokens of a tokenizer, such as GPT-2's.
//
//   auto gpt2 = std::make_shared<const BpeTokenizer>(load_gpt2("encoder.json", "vocab.bpe"));
//   TokenBoundary boundary(gpt2);
//
// Where a token ends depends on the bytes that follow it, so a model with this boundary predicts the ends of its patches and
// its loss includes them. Copies share the tokenizer. A token of more than Window bytes goes on in the next patch.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <stlm/core/error.hpp>
#include <stlm/tokenizer/patch_boundary.hpp>

namespace stlm {

class TokenBoundary {
 public:
  static constexpr bool known_from_past = false;

  TokenBoundary() = default;
  /// Any tokenizer with `encode(text)` and `token_bytes(id)`.
  template <class Tokenizer>
  explicit TokenBoundary(std::shared_ptr<const Tokenizer> tokenizer) {
    if (!tokenizer) return;
    tokens_ = [tokenizer](std::string_view text, const std::function<void(std::string_view)>& on_token) {
      for (const Token id : tokenizer->encode(text)) on_token(tokenizer->token_bytes(id));
    };
  }

  /// Calls on_token(bytes) for every token of a text, in order.
  void for_each_token(std::string_view text, const std::function<void(std::string_view)>& on_token) const {
    expect<Error>(static_cast<bool>(tokens_), "stlm::TokenBoundary: it has no tokenizer; construct it from one, such as "
                                              "stlm::load_gpt2 gives.");
    tokens_(text, on_token);
  }
  /// The lengths of the patches of a text.
  std::vector<Index> split(std::string_view text, Index window) const {
    expect<Error>(window >= 1, "stlm::TokenBoundary: expected a window of at least 1, found ", window, ".");
    std::vector<Index> lengths;
    for_each_token(text, [&](std::string_view token) {
      Index left = static_cast<Index>(token.size());
      for (; left > window; left -= window) lengths.push_back(window);
      lengths.push_back(left);
    });
    return lengths;
  }

 private:
  std::function<void(std::string_view, const std::function<void(std::string_view)>&)> tokens_;
};

}  // namespace stlm
