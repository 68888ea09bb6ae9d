// The dropout mask of attention's probabilities as bits, four for each block of random numbers.
#pragma once

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

/// Bit i says whether element `first` + i of the mask is kept, for N elements. `first` may be negative if the bits of
/// negative elements are not used.
template <int N>
STLM_HOST_DEVICE inline std::uint32_t kept_bits(RandomKey key, std::uint32_t dropped, Index first) {
  static_assert(N % 4 == 0 && N <= 32);
  const int shift = static_cast<int>(first & 3);
  const int blocks = N / 4 + (shift > 0);
  std::uint64_t bits = 0;
  for (int i = 0; i < blocks; ++i) {
    const RandomBlock drawn = philox(key, static_cast<std::uint64_t>((first >> 2) + i));
    std::uint32_t four = 0;
    for (int w = 0; w < 4; ++w) four |= static_cast<std::uint32_t>((drawn.word[w] >> 8) >= dropped) << w;
    bits |= static_cast<std::uint64_t>(four) << 4 * i;
  }
  return static_cast<std::uint32_t>(bits >> shift);
}

}  // namespace stlm::gpu
