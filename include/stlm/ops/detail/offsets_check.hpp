// Offsets that are not as many as the sequences they part would be read past their end; lengths beyond those planned for, past
// what was.
#pragma once

#include <stlm/core/error.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

inline void expect_offsets(const char* where, const Offsets& offsets, Index sequences) {
  expect(!offsets || offsets.size() == sequences + 1, "stlm::ops::", where, ": ", sequences,
         " packed sequences need one offset more than that, found ", offsets.size(), "; give where each begins, and the end.");
}
/// Reads the offsets: for backends of the host.
inline void expect_lengths(const char* where, const Offsets& offsets, Index most) {
  for (Index b = 0; offsets && b + 1 < offsets.size(); ++b) {
    const Index length = offsets(b + 1) - offsets(b);
    expect(0 <= length && length <= most, "stlm::ops::", where, ": packed sequence ", b, " has ", length,
           " rows, the shape allows ", most, "; give the most that one has.");
  }
}

}  // namespace stlm::ops
