// Inverted dropout of contiguous numbers, each by the random number of its place.
#pragma once

#include <algorithm>
#include <cstring>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/random.hpp>

namespace stlm::eigen {

/// draw_blocks writes the words of `blocks` blocks of a stream from the `counter`-th on, one block after another, the same
/// words as those of `philox`. It writes whole multiples of drawn_blocks blocks.
#ifdef EIGEN_VECTORIZE_AVX2
// Each lane of 64 bits holds a word in its lower half. A product reads only that half of its factors, so the upper half may
// hold anything.
#ifdef EIGEN_VECTORIZE_AVX512
using WordLanes [[gnu::vector_size(64)]] = std::uint64_t;
inline WordLanes word_products(WordLanes a, WordLanes b) {
  return reinterpret_cast<WordLanes>(_mm512_mul_epu32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
}
#else
using WordLanes [[gnu::vector_size(32)]] = std::uint64_t;
inline WordLanes word_products(WordLanes a, WordLanes b) {
  return reinterpret_cast<WordLanes>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}
#endif
inline constexpr Index drawn_blocks = sizeof(WordLanes) / sizeof(std::uint64_t);
inline void draw_blocks(RandomKey key, std::uint64_t counter, Index blocks, std::uint32_t* to) {
  constexpr WordLanes zero{};
  WordLanes places{};
  for (int i = 0; i < drawn_blocks; ++i) places[i] = static_cast<std::uint64_t>(i);
  for (; blocks > 0; blocks -= drawn_blocks, counter += drawn_blocks) {
    WordLanes a = places + counter, b = a >> 32, c = zero, d = zero;
    RandomKey now = key;
    for (int round = 0; round < PhiloxRounds::count; ++round) {
      const WordLanes p = word_products(a, zero + PhiloxRounds::first_factor);
      const WordLanes q = word_products(c, zero + PhiloxRounds::third_factor);
      a = (q >> 32) ^ b ^ now.low;
      c = (p >> 32) ^ d ^ now.high;
      b = q;
      d = p;
      now.low += PhiloxRounds::low_step;
      now.high += PhiloxRounds::high_step;
    }
    const WordLanes ab = (a & 0xFFFFFFFF) | b << 32, cd = (c & 0xFFFFFFFF) | d << 32;
    for (int i = 0; i < drawn_blocks; ++i, to += 4) {
      const std::uint64_t block[2] = {ab[i], cd[i]};
      std::memcpy(to, block, sizeof block);
    }
  }
}
#else
inline constexpr Index drawn_blocks = 8;
inline void draw_blocks(RandomKey key, std::uint64_t counter, Index blocks, std::uint32_t* to) {
  for (; blocks > 0; blocks -= drawn_blocks, counter += drawn_blocks) {
    std::uint32_t words[4][drawn_blocks];  // filled by a loop that compilers vectorise
    for (Index j = 0; j < drawn_blocks; ++j) {
      const RandomBlock block = philox(key, counter + static_cast<std::uint64_t>(j));
      for (int w = 0; w < 4; ++w) words[w][j] = block.word[w];
    }
    for (Index j = 0; j < drawn_blocks; ++j)
      for (int w = 0; w < 4; ++w) *to++ = words[w][j];
  }
}
#endif

/// x[i] becomes 0 where the (first + i)-th uniform number of the stream is below `rate`, else x[i] / (1 - rate).
template <class T>
void drop(RandomKey key, double rate, std::uint64_t first, T* x, Index size) {
  constexpr Index strip = 512;
  const std::uint32_t dropped = values_below(static_cast<float>(rate));
  const T scale = T(1 / (1 - rate));
  alignas(64) std::uint32_t words[std::size_t(strip + 4 * drawn_blocks)];
  for (; size > 0; size -= strip, first += strip, x += strip) {
    const Index width = std::min(strip, size), before = static_cast<Index>(first % 4);
    draw_blocks(key, first / 4, (before + width + 3) / 4, words);
    for (Index j = 0; j < width; ++j) x[j] *= words[before + j] >> 8 < dropped ? T(0) : scale;
  }
}

}  // namespace stlm::eigen
