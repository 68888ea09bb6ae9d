// Which packed sequence each row belongs to, found once for all kernels, heads and tiles that ask for it.
#pragma once

#include <stlm/backend/cuda/kernels/attention_rows.hpp>

namespace stlm::gpu {

/// sequences[i] = the rows of the packed sequence of row i. If `offsets` is null, all sequences have `length` rows.
struct FindSequences {
  static constexpr const char* name = "attention_find_sequences";
  static constexpr int threads = 128;
  Span<const Index> offsets;
  Span<RowRange> sequences;
  int length;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index i = e.block() * threads + t;
      if (i >= sequences.size) return;
      if (!offsets.data) {
        const int begin = static_cast<int>(i / length) * length;
        return e.store(sequences, i, RowRange{begin, begin + length});
      }
      Index low = 0, high = offsets.size - 1;  // offsets[low] <= i < offsets[high]
      while (high - low > 1) (e.load(offsets, (low + high) / 2) <= i ? low : high) = (low + high) / 2;
      e.store(sequences, i, RowRange{static_cast<int>(e.load(offsets, low)), static_cast<int>(e.load(offsets, high))});
    });
  }
};

}  // namespace stlm::gpu
