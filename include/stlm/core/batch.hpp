// Batch: token ids and what is to follow them. BatchShape: how many.
#pragma once

#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// `batch` sequences (B) of `tokens` tokens (T).
struct BatchShape {
  Index batch = 1, tokens = 1;
};

/// Token ids on the host, (B, T) each; `targets` is what follows `tokens`, position by position.
struct Batch {
  View<const Token, dynamic, dynamic> tokens, targets;
};

}  // namespace stlm
