// Inverted dropout of a run of numbers, by the random numbers of their places.
#pragma once

#include <algorithm>

#include <stlm/core/random.hpp>

namespace stlm::eigen {

/// x[i] becomes 0 where the (first + i)-th uniform number of the stream is below `rate`, else x[i] / (1 - rate).
template <class T>
void drop(RandomKey key, double rate, std::uint64_t first, T* x, Index size) {
  constexpr Index strip = 512;
  const float threshold = static_cast<float>(rate);
  const T scale = T(1 / (1 - rate));
  float drawn[strip];
  for (Index i = 0; i < size; i += strip) {
    const Index width = std::min(strip, size - i);
    random_uniforms(key, first + static_cast<std::uint64_t>(i), width, drawn);
    for (Index j = 0; j < width; ++j) x[i + j] *= drawn[j] < threshold ? T(0) : scale;
  }
}

}  // namespace stlm::eigen
