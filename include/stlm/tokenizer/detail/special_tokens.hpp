// The pad and the end of text of a tokenizer, which may be constants or functions of it.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm::detail {

template <class Tokenizer>
constexpr Token pad_of(const Tokenizer& tokenizer) {
  if constexpr (requires { tokenizer.pad(); })
    return tokenizer.pad();
  else
    return tokenizer.pad;
}
template <class Tokenizer>
constexpr Token end_of_text_of(const Tokenizer& tokenizer) {
  if constexpr (requires { tokenizer.end_of_text(); })
    return tokenizer.end_of_text();
  else
    return tokenizer.end_of_text;
}

}  // namespace stlm::detail
