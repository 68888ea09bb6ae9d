// Pairs of Bfloat16 multiplied by vdpbf16ps, which adds both products of a pair to a float: 32 numbers an instruction.
#pragma once

#include <cstdint>

#include <stlm/backend/eigen/gemm_pack.hpp>
#include <stlm/core/bfloat16.hpp>

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512BF16__)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Pairs multiplied by vdpbf16ps. A unit is a pair in the bits of a float, which is moved but never computed with.
struct Bfloat16Pairs {};

template <>
struct GemmProduct<Bfloat16Pairs> {
  using Value = float;
  using Unit = float;
  static constexpr bool columns = true, converts = true;
  static constexpr Index step = 1, depth = 384;
  static constexpr Index units(Index k) { return (k + 1) / 2; }
  static constexpr Index elements(Index units) { return 2 * units; }
  EIGEN_ALWAYS_INLINE static Packet<float> multiply_add(Packet<float> a, Packet<float> b, Packet<float> sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }

  template <class A>
  static GemmOperand<float> pack_a(Index rows, Index k, GemmOperand<A> a, float* to);
  template <class B>
  static void pack_b(Index k, Index cols, GemmOperand<B> b, float* to);
  /// Rounds k consecutive numbers, a multiple of 32, to pairs.
  static void pair_up(Index k, const float* x, float* to) {
    for (Index p = 0; p < k; p += 32) Eigen::internal::pstoreu(to + p / 2, pairs(x + p, 32));
  }

 private:
  static constexpr Index block = 16;  // units of a packet

  static __mmask16 first(Index count) {
    return static_cast<__mmask16>((1U << std::clamp<Index>(count, 0, 16)) - 1U);
  }
  /// Up to 16 numbers, rounded, each in the lower half of 32 bits.
  static __m512i lower(const float* x, Index count) {
    return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(first(count), x)));
  }
  static __m512i lower(const Bfloat16* x, Index count) {
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first(count), x));
  }
  /// Up to 32 consecutive numbers along k, as 16 pairs.
  static Packet<float> pairs(const float* x, Index count) {
    return (__m512)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(first(count - 16), x + 16),
                                       _mm512_maskz_loadu_ps(first(count), x));
  }
  static Packet<float> pairs(const Bfloat16* x, Index count) {
    const auto mask = static_cast<__mmask32>((std::uint64_t{1} << std::min<Index>(count, 32)) - 1U);
    return (__m512)_mm512_maskz_loadu_epi16(mask, x);
  }
  /// Pairs of x[0], x[1], .. with the numbers one stride after them, or, for the last number of an odd k, with zeros.
  template <class X>
  static Packet<float> zipped(const X* x, Index stride, bool whole, Index count) {
    const __m512i low = lower(x, count);
    return (__m512)(whole ? _mm512_or_si512(low, _mm512_slli_epi32(lower(x + stride, count), 16)) : low);
  }
};

template <class A>
GemmOperand<float> GemmProduct<Bfloat16Pairs>::pack_a(Index rows, Index k, GemmOperand<A> a, float* to) {
  using Sizes = GemmSizes<Bfloat16Pairs>;
  static_assert(Sizes::rows % block == 0);
  if (!a.transposed()) {
    for (Index i = 0; i < rows; ++i)
      for (Index p = 0; p < k; p += 2 * block)
        Eigen::internal::pstoreu(to + i * Sizes::a_stride + p / 2, pairs(a.data + i * a.row_stride + p, k - p));
    return {to, Sizes::a_stride, 1};
  }
  for (Index u = 0; u < units(k); ++u)
    for (Index i = 0; i < rows; i += block)
      Eigen::internal::pstoreu(to + u * Sizes::rows + i,
                               zipped(a.from(i, 2 * u).data, a.col_stride, 2 * u + 1 < k, rows - i));
  return {to, 1, Sizes::rows};
}

template <class B>
void GemmProduct<Bfloat16Pairs>::pack_b(Index k, Index cols, GemmOperand<B> b, float* to) {
  constexpr Index strip = GemmSizes<Bfloat16Pairs>::tile_cols;
  if (!b.transposed()) {
    for (Index u = 0; u < units(k); ++u)
      for (Index j = 0; j < cols; j += block)
        Eigen::internal::pstore(to + j / strip * strip * units(k) + u * strip + j % strip,
                                zipped(b.from(2 * u, j).data, b.row_stride, 2 * u + 1 < k, cols - j));
    if (cols % strip != 0 && cols % strip <= block)  // zeros in the second half of the last strip
      for (Index u = 0; u < units(k); ++u) std::fill_n(to + cols / strip * strip * units(k) + u * strip + block, block, 0.0F);
    return;
  }
  alignas(64) float rows[strip * block];
  for (Index begin = 0; begin < cols; begin += strip, to += strip * units(k))
    for (Index u = 0; u < units(k); u += block) {
      for (Index j = 0; j < strip; ++j)
        Eigen::internal::pstore(rows + j * block, begin + j < cols ? pairs(b.from(2 * u, begin + j).data, k - 2 * u)
                                                                   : Eigen::internal::pset1<Packet<float>>(0.0F));
      pack_transposed(strip, std::min(block, units(k) - u), rows, block, to + u * strip, strip);
    }
}

/// Whether products of any number of rows multiply pairs.
inline constexpr bool multiplies_pairs = true;

}  // namespace stlm::eigen

#pragma GCC diagnostic pop

#endif
