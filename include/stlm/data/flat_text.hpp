// FlatText: a text that is one sequence of tokens, as loaders and `evaluate` read it: ByteText, TokenText, or your own.
//
//   text[i]                token i; those before the first, i < 0, are what a model reads before the text begins
//   text.size()            number of tokens
//   text.num_bytes()       bytes of the text, ends of text not counted: the divisor of bits per byte
//   text.copy(i, n, to)    tokens [i, i + n) into `to`; i may be negative, i + n beyond the end
#pragma once

#include <concepts>

#include <stlm/core/config.hpp>

namespace stlm {

template <class Text>
concept FlatText = requires(const Text& text, Index i, Token* to) {
  { text[i] } -> std::same_as<Token>;
  { text.size() } -> std::same_as<Index>;
  { text.num_bytes() } -> std::same_as<Index>;
  text.copy(i, i, to);
};

}  // namespace stlm
