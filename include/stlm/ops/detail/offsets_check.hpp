// Checks of packed sequences: with too few offsets for the sequences, reads would go past the end of the offsets; with offsets
// of other rows, past the end of the rows; with a sequence longer than planned for, past the end of what was planned.
#pragma once

#include <stlm/core/error.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

inline void expect_offsets(const char* where, const Offsets& offsets, Index sequences) {
  expect(!offsets || offsets.size() == sequences + 1, "stlm::ops::", where, ": ", sequences,
         " packed sequences need one offset more than that, found ", offsets.size(), "; give where each begins, and the end.");
}
/// Reads the offsets: for host backends only.
inline void expect_lengths(const char* where, const Offsets& offsets, Index most) {
  if (!offsets) return;
  const Index last = offsets.size() - 1;
  expect(offsets(0) == 0 && offsets(last) == offsets.rows, "stlm::ops::", where, ": expected offsets from 0 to ", offsets.rows,
         ", the number of rows, found ", offsets(0), " to ", offsets(last), "; give offsets of all rows.");
  for (Index b = 0; b < last; ++b) {
    const Index length = offsets(b + 1) - offsets(b);
    expect(0 <= length && length <= most, "stlm::ops::", where, ": packed sequence ", b, " has ", length,
           " rows, the shape allows ", most, "; give the most that one has.");
  }
}

}  // namespace stlm::ops
