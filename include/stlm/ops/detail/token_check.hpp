// Token ids that point outside a table are an error that names the position, never a read past the end. For tokens in
// memory of the host.
#pragma once

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm::ops {

inline void expect_tokens(const char* where, const Token* tokens, Index count, Index vocabulary, Token ignore) {
  for (Index n = 0; n < count; ++n)
    if ((tokens[n] < 0 || tokens[n] >= vocabulary) && tokens[n] != ignore) [[unlikely]]
      fail<Error>("stlm::ops::", where, ": token ", n, " is ", tokens[n], ", expected an id in [0, ", vocabulary,
                  "); check the tokenizer against the model's vocabulary.");
}

}  // namespace stlm::ops
