// Offsets that are not as many as the sequences they part would be read past their end.
#pragma once

#include <stlm/core/error.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

inline void expect_offsets(const char* where, const Offsets& offsets, Index sequences) {
  expect(!offsets || offsets.size() == sequences + 1, "stlm::ops::", where, ": ", sequences,
         " packed sequences need one offset more than that, found ", offsets.size(), "; give where each begins, and the end.");
}

}  // namespace stlm::ops
