// Pairs of Bfloat16 on machines without vdpbf16ps: split in registers and multiplied as floats.
#pragma once

#include <bit>
#include <cstdint>

#include <stlm/backend/eigen/gemm_pack.hpp>
#include <stlm/core/bfloat16.hpp>

#if !defined(EIGEN_VECTORIZE_AVX512) || !defined(__AVX512BF16__)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Pairs in the bits of a float, only for the dot products of few rows: in memory they take half as much as floats.
struct Bfloat16Pairs {};

template <>
struct GemmProduct<Bfloat16Pairs> {
  using Value = float;
  using Unit = float;
  static constexpr Index elements(Index units) { return 2 * units; }
  EIGEN_ALWAYS_INLINE static Packet<float> multiply_add(Packet<float> a, Packet<float> b, Packet<float> sum) {
    return Eigen::internal::pmadd(first(a), first(b), Eigen::internal::pmadd(second(a), second(b), sum));
  }
  /// The same for 2 packets of A that `spread` has written, so that only B is split. This is for one row of A, whose sums wait
  /// for two products per packet of B: more instructions would leave fewer rows of B in flight.
  EIGEN_ALWAYS_INLINE static Packet<float> multiply_add_spread(const float* a, Packet<float> b, Packet<float> sum) {
    using namespace Eigen::internal;
    const auto a_first = ploadu<Packet<float>>(a), a_second = ploadu<Packet<float>>(a + size);
    return pmadd(a_first, first(b), pmadd(a_second, second(b), sum));
  }
  /// Rounds k consecutive numbers, a multiple of 2 packets, and stores them as floats: in each 2 packets the first numbers of
  /// all pairs, then the second numbers.
  static void spread(Index k, const float* x, float* to) {
    for (Index p = 0; p < k; ++p) to[p - p % (2 * size) + p % 2 * size + p / 2 % size] = static_cast<float>(Bfloat16(x[p]));
  }
  /// Rounds k consecutive numbers, an even count, to pairs.
  static void pair_up(Index k, const float* x, float* to) {
    for (Index p = 0; p < k; p += 2)
      to[p / 2] = std::bit_cast<float>(std::uint32_t{Bfloat16(x[p]).bits} | std::uint32_t{Bfloat16(x[p + 1]).bits} << 16);
  }

 private:
  static constexpr Index size = Eigen::internal::unpacket_traits<Packet<float>>::size;
  using Bits [[gnu::vector_size(sizeof(Packet<float>))]] = std::uint32_t;

  EIGEN_ALWAYS_INLINE static Packet<float> first(Packet<float> pairs) {
    return std::bit_cast<Packet<float>>(std::bit_cast<Bits>(pairs) << 16);
  }
  EIGEN_ALWAYS_INLINE static Packet<float> second(Packet<float> pairs) {
    return std::bit_cast<Packet<float>>(std::bit_cast<Bits>(pairs) & 0xFFFF0000U);
  }
};

inline constexpr bool multiplies_pairs = false;

}  // namespace stlm::eigen

#pragma GCC diagnostic pop

#endif
