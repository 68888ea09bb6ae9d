// expect_tokens: a token id outside a table throws an Error that names its position, instead of a read past the table's end.
// For tokens in host memory.
#pragma once

#include <string_view>

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm::ops {

inline void expect_tokens(std::string_view where, const Token* tokens, Index count, Index vocabulary, Token ignore) {
  for (Index n = 0; n < count; ++n)
    if ((tokens[n] < 0 || tokens[n] >= vocabulary) && tokens[n] != ignore) [[unlikely]]
      fail<Error>("stlm::", where, ": token ", n, " is ", tokens[n], ", expected an id in [0, ", vocabulary,
                  "); check the tokenizer against the model's vocabulary.");
}

}  // namespace stlm::ops
