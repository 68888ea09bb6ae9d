// Products of factors rounded to Bfloat16, with f32 sums: how they are packed and multiplied.
//
// A pair of numbers that follow each other along k is multiplied and added in two steps, the second number's product
// first: as the instruction vdpbf16ps does, whose 32 products take the time of 16 of f32. A product of two Bfloat16 is
// exact in float, so multiplication and addition in float give the same bits, but for numbers below 2^-126: where the
// instruction is missing, pairs are packed in that order as floats, and go through the kernel of f32; products of few rows,
// which read the weights as they are stored, take a pair apart instead.
#pragma once

#include <bit>
#include <cstdint>

#include <stlm/backend/eigen/gemm_pack.hpp>
#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Rounded numbers, multiplied by the kernel of f32: for any machine.
struct Bfloat16AsFloat {};

template <>
struct GemmProduct<Bfloat16AsFloat> : GemmProduct<float> {
  static constexpr bool columns = false;
  static constexpr Index step = 2, depth = 768;
  static constexpr Index units(Index k) { return k + k % 2; }

  template <class A>
  static GemmOperand<float> pack_a(Index rows, Index k, GemmOperand<A> a, float* to);
  template <class B>
  static void pack_b(Index k, Index cols, GemmOperand<B> b, float* to);

 private:
  /// What stands at u in a row of pairs that begin with their second number: a zero beyond an odd k.
  template <class X>
  static float swapped(Index u, Index k, const X* first, Index stride) {
    const Index p = u ^ 1;
    return p < k ? static_cast<float>(Bfloat16(first[p * stride])) : 0.0F;
  }
};

template <class A>
GemmOperand<float> GemmProduct<Bfloat16AsFloat>::pack_a(Index rows, Index k, GemmOperand<A> a, float* to) {
  constexpr Index stride = GemmSizes<Bfloat16AsFloat>::a_stride;
  for (Index i = 0; i < rows; ++i)
    for (Index u = 0; u < units(k); ++u) to[i * stride + u] = swapped(u, k, a.from(i, 0).data, a.col_stride);
  return {to, stride, 1};
}

template <class B>
void GemmProduct<Bfloat16AsFloat>::pack_b(Index k, Index cols, GemmOperand<B> b, float* to) {
  constexpr Index strip = GemmSizes<Bfloat16AsFloat>::tile_cols;
  for (Index begin = 0; begin < cols; begin += strip)
    for (Index u = 0; u < units(k); ++u)
      for (Index j = begin; j < begin + strip; ++j)
        *to++ = j < cols ? swapped(u, k, b.from(0, j).data, b.row_stride) : 0.0F;
}

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512BF16__)

/// Pairs multiplied by vdpbf16ps. A unit is a pair in the bits of a float, of which only bits are moved.
struct Bfloat16Pairs {};

template <>
struct GemmProduct<Bfloat16Pairs> {
  using Value = float;
  using Unit = float;
  static constexpr bool columns = true;
  static constexpr Index step = 1, depth = 384;
  static constexpr Index units(Index k) { return (k + 1) / 2; }
  static constexpr Index elements(Index units) { return 2 * units; }
  static Packet<float> multiply_add(Packet<float> a, Packet<float> b, Packet<float> sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }

  template <class A>
  static GemmOperand<float> pack_a(Index rows, Index k, GemmOperand<A> a, float* to);
  template <class B>
  static void pack_b(Index k, Index cols, GemmOperand<B> b, float* to);
  /// k consecutive numbers, a multiple of 32.
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
  /// Up to 32 numbers that follow each other along k: 16 pairs.
  static Packet<float> pairs(const float* x, Index count) {
    return (__m512)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(first(count - 16), x + 16),
                                       _mm512_maskz_loadu_ps(first(count), x));
  }
  static Packet<float> pairs(const Bfloat16* x, Index count) {
    const auto mask = static_cast<__mmask32>((std::uint64_t{1} << std::min<Index>(count, 32)) - 1U);
    return (__m512)_mm512_maskz_loadu_epi16(mask, x);
  }
  /// Pairs of the numbers x[0], x[1], .. with those one stride after them, or with zeros when k is over.
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
    if (cols % strip != 0 && cols % strip <= block)  // the last strip's second half
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

using Bfloat16Product = Bfloat16Pairs;

#else

/// Pairs in the bits of a float, for the dots of few rows alone: what lies in memory is half of what floats take.
struct Bfloat16Pairs {};

template <>
struct GemmProduct<Bfloat16Pairs> {
  using Value = float;
  using Unit = float;
  static constexpr Index elements(Index units) { return 2 * units; }
  EIGEN_ALWAYS_INLINE static Packet<float> multiply_add(Packet<float> a, Packet<float> b, Packet<float> sum) {
    return Eigen::internal::pmadd(first(a), first(b), Eigen::internal::pmadd(second(a), second(b), sum));
  }
  /// k consecutive numbers, an even count.
  static void pair_up(Index k, const float* x, float* to) {
    for (Index p = 0; p < k; p += 2)
      to[p / 2] = std::bit_cast<float>(std::uint32_t{Bfloat16(x[p]).bits} | std::uint32_t{Bfloat16(x[p + 1]).bits} << 16);
  }

 private:
  using Bits [[gnu::vector_size(sizeof(Packet<float>))]] = std::uint32_t;

  EIGEN_ALWAYS_INLINE static Packet<float> first(Packet<float> pairs) {
    return std::bit_cast<Packet<float>>(std::bit_cast<Bits>(pairs) << 16);
  }
  EIGEN_ALWAYS_INLINE static Packet<float> second(Packet<float> pairs) {
    return std::bit_cast<Packet<float>>(std::bit_cast<Bits>(pairs) & 0xFFFF0000U);
  }
};

using Bfloat16Product = Bfloat16AsFloat;

#endif

/// How a product of scalar S is computed on this machine.
template <class S>
using MachineProduct = std::conditional_t<std::is_same_v<S, Bfloat16>, Bfloat16Product, S>;

}  // namespace stlm::eigen

namespace stlm::detail {
template <>
struct ProductScalar<EigenBackend> {
  using type = std::conditional_t<std::is_same_v<eigen::Bfloat16Product, eigen::Bfloat16AsFloat>, float, Bfloat16>;
};
}  // namespace stlm::detail

#pragma GCC diagnostic pop
