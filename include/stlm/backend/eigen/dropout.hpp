// Inverted dropout of a run of numbers, by the random numbers of their places.
#pragma once

#include <algorithm>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/random.hpp>

namespace stlm::eigen {

/// The words of some blocks of a stream from the `counter`-th on, one block after another, as `philox` has them; up to a
/// multiple of drawn_blocks.
inline constexpr Index drawn_blocks = 8;
inline void draw_blocks(RandomKey key, std::uint64_t counter, Index blocks, std::uint32_t* to) {
#ifdef EIGEN_VECTORIZE_AVX512
  // Words in lanes of 64 bits: of a factor the product reads the lower half, so what is above may stay as it is.
  const auto all = [](std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); };
  const __m512i first_four = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
  const __m512i last_four = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  for (; blocks > 0; blocks -= drawn_blocks, counter += drawn_blocks, to += 4 * drawn_blocks) {
    __m512i a = _mm512_add_epi64(all(counter), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7)), b = _mm512_srli_epi64(a, 32);
    __m512i c = _mm512_setzero_si512(), d = c;
    RandomKey now = key;
    for (int round = 0; round < 10; ++round) {
      const __m512i p = _mm512_mul_epu32(a, all(0xD2511F53)), q = _mm512_mul_epu32(c, all(0xCD9E8D57));
      a = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(q, 32), b), all(now.low));
      c = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p, 32), d), all(now.high));
      b = q;
      d = p;
      now.low += 0x9E3779B9;
      now.high += 0xBB67AE85;
    }
    const __m512i ab = _mm512_mask_blend_epi32(0xAAAA, a, _mm512_slli_epi64(b, 32));
    const __m512i cd = _mm512_mask_blend_epi32(0xAAAA, c, _mm512_slli_epi64(d, 32));
    _mm512_storeu_si512(to, _mm512_permutex2var_epi64(ab, first_four, cd));
    _mm512_storeu_si512(to + 16, _mm512_permutex2var_epi64(ab, last_four, cd));
  }
#else
  for (; blocks > 0; blocks -= drawn_blocks, counter += drawn_blocks) {
    std::uint32_t words[4][drawn_blocks];  // a loop that compilers vectorise
    for (Index j = 0; j < drawn_blocks; ++j) {
      const RandomBlock block = philox(key, counter + static_cast<std::uint64_t>(j));
      for (int w = 0; w < 4; ++w) words[w][j] = block.word[w];
    }
    for (Index j = 0; j < drawn_blocks; ++j)
      for (int w = 0; w < 4; ++w) *to++ = words[w][j];
  }
#endif
}

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
