// The pieces into which GPT-2 cuts a text before it merges bytes (Radford et al. 2019). Its regular expression,
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// is written out here: an English ending; else an optional space and a run of one class; else a run of white space, whose
// last character is left to the next piece unless the run is one character or ends the text.
//
// Each byte that is not UTF-8 is a character of no class, as if decoded with Python's "surrogateescape". So the pieces of
// any bytes, joined, are those bytes.
#pragma once

#include <stlm/tokenizer/unicode_class.hpp>

namespace stlm {

/// Bytes of the first piece of `text`, which is not empty.
constexpr std::size_t gpt2_piece(std::string_view text) {
  if (text[0] == '\'')
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"})
      if (text.substr(1).starts_with(ending)) return 1 + ending.size();

  std::size_t at = text[0] == ' ' ? 1 : 0;
  if (at < text.size()) {
    const auto [kind, bytes] = first_character(text.substr(at));
    if (kind != CharClass::space) {
      for (at += bytes; at < text.size();) {
        const Character next = first_character(text.substr(at));
        if (next.kind != kind) break;
        at += next.bytes;
      }
      return at;
    }
  }

  std::size_t last = 0;  // where the last white space begins
  for (at = 0; at < text.size();) {
    const Character next = first_character(text.substr(at));
    if (next.kind != CharClass::space) return last > 0 ? last : at;
    last = at;
    at += next.bytes;
  }
  return at;
}

}  // namespace stlm
