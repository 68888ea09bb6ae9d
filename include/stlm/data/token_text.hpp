// TokenText: a text as the tokens of a tokenizer, with the tokenizer's end of text between documents, as ByteText has.
//
//   auto [train, held_out] = ByteText::from_files({"a.txt"}).split(0.1);
//   ByteLoader<Model, TokenText> loader(TokenText(train, tokenizer), shape);
//   evaluate(ctx, params, acts, TokenText(held_out, tokenizer)).bits_per_byte();   // bytes of the text
//
// Any tokenizer with `encode(text)` and an `end_of_text`. A part of a text is encoded by itself. Before its first token are
// ends of text, not tokens of the text it was cut from, because those may depend on what follows the cut.
#pragma once

#include <stlm/data/byte_text.hpp>
#include <stlm/tokenizer/detail/special_tokens.hpp>

namespace stlm {

class TokenText {
 public:
  template <class Tokenizer>
  TokenText(const ByteText& text, const Tokenizer& tokenizer)
      : end_of_text_(detail::end_of_text_of(tokenizer)), num_bytes_(text.num_bytes()) {
    text.for_each_document([&](std::string_view document, bool ended) {
      const std::vector<Token> ids = tokenizer.encode(document);
      ids_.insert(ids_.end(), ids.begin(), ids.end());
      if (ended) ids_.push_back(end_of_text_);
    });
  }

  Index size() const { return std::ssize(ids_); }
  /// Bytes of the text, ends of text not counted: the divisor of bits per byte.
  Index num_bytes() const { return num_bytes_; }

  /// Token i; every token before the first and after the last is an end of text.
  Token operator[](Index i) const { return i >= 0 && i < size() ? ids_[static_cast<std::size_t>(i)] : end_of_text_; }
  /// Tokens [i, i + count) into `to`.
  void copy(Index i, Index count, Token* to) const {
    for (const Index end = i + count; i < end; ++i) *to++ = (*this)[i];
  }

 private:
  std::vector<Token> ids_;
  Token end_of_text_;
  Index num_bytes_;
};

}  // namespace stlm
