// Dot products of int8, exact in 32 bits: the same integers, whatever instructions a machine has.
//
// vpdpbusd (AVX-512 VNNI) multiplies unsigned by signed bytes and adds four products to 32 bits: x is given as x + 128, and
// 128 times the sum of W's row is subtracted afterwards. vpmaddubsw (AVX2) adds two such products in 16 bits and would
// saturate: it is given |x| and W with the signs of x, whose sums of two products are at most 2 * 127^2 < 2^15.
#pragma once

#include <cstdint>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/lane_sums.hpp>
#include <stlm/backend/eigen/stream.hpp>

namespace stlm::eigen {

#ifdef EIGEN_VECTORIZE_AVX2

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VNNI__)
struct Int8Lanes {
  static constexpr int offset = 128, rows = 4;
  using Bytes = __m512i;
  /// Lanes of int32, as the instruction has them: GCC would copy sums of another type in every iteration of a loop.
  using Sums [[gnu::vector_size(64)]] = std::int32_t;

  static Bytes load(const std::int8_t* from) { return _mm512_loadu_si512(from); }
  EIGEN_ALWAYS_INLINE static Sums multiply_add(Bytes x, Bytes w, Sums sum) {
    return reinterpret_cast<Sums>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), x, w));
  }
  static void store(std::int32_t* to, Sums sums) { _mm512_storeu_si512(to, reinterpret_cast<__m512i>(sums)); }
};
#else
struct Int8Lanes {
  static constexpr int offset = 0, rows = 2;
  using Bytes = __m256i;
  using Sums [[gnu::vector_size(32)]] = std::int32_t;

  static Bytes load(const std::int8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  EIGEN_ALWAYS_INLINE static Sums multiply_add(Bytes x, Bytes w, Sums sum) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(w, x));
    return sum + reinterpret_cast<Sums>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static void store(std::int32_t* to, Sums sums) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(sums));
  }
};
#endif

struct Int8Dots : Int8Lanes {
  /// sums[r * Count + i] = (x_r + offset) . w_i over `size` bytes, a multiple of 64, for up to `rows` rows of x and four of W.
  /// For a single row of x up to rows * 4 of W. The bytes at `x` are those of x_r + offset. All rows * 4 numbers of `sums` are
  /// overwritten. They do not depend on Delay, the order of reading.
  template <int Rows, int Count, bool Delay = l1_prefetches_delay>
  static void sum(const std::int8_t* x, const std::int8_t* w, Index size, std::int32_t* sums) {
    constexpr Index step = sizeof(Bytes);
    Sums sum[std::size_t(Rows * Count)];
#pragma GCC unroll 16
    for (Sums& s : sum) s = Sums{};
    if constexpr (Rows == 1 && Delay) {
#pragma GCC unroll 16
      for (int i = 0; i < Count; ++i)
#pragma GCC unroll 4
        for (Index k = 0; k < size; k += step) sum[i] = multiply_add(load(x + k), load(w + i * size + k), sum[i]);
    } else if constexpr (Rows == 1) {
      constexpr int beside = std::min(Count, 4);
#pragma GCC unroll 4
      for (int first = 0; first < Count; first += beside) {
        Stream<beside> stream(w + first * size, StreamSteps::in_order(beside, step));
        for (Index k = 0; k < size; k += step, stream.go_on()) {
          stream.prefetch();
          const Bytes some = load(x + k);
#pragma GCC unroll 4
          for (int i = first; i < first + beside; ++i) sum[i] = multiply_add(some, load(w + i * size + k), sum[i]);
        }
      }
    } else {
      for (Index k = 0; k < size; k += step) {
        Bytes some[std::size_t(Rows)];
#pragma GCC unroll 4
        for (int r = 0; r < Rows; ++r) some[r] = load(x + r * size + k);
#pragma GCC unroll 4
        for (int i = 0; i < Count; ++i) {
          const Bytes column = load(streamed<Delay>(w + i * size + k));
#pragma GCC unroll 4
          for (int r = 0; r < Rows; ++r) sum[r * Count + i] = multiply_add(some[r], column, sum[r * Count + i]);
        }
      }
    }
    store(sums, lane_sums<int(step / 4)>(sum));
  }
};

#else

struct Int8Dots {
  static constexpr int offset = 0, rows = 4;

  template <int Rows, int Count, bool = false>
  static void sum(const std::int8_t* x, const std::int8_t* w, Index size, std::int32_t* sums) {
    for (int r = 0; r < Rows; ++r)
      for (int i = 0; i < Count; ++i) {
        std::int32_t& sum = sums[r * Count + i] = 0;
        for (Index k = 0; k < size; ++k) sum += x[r * size + k] * w[i * size + k];
      }
  }
};

#endif

}  // namespace stlm::eigen
