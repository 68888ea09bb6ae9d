// Products of factors rounded to Bfloat16, with f32 sums: how they are packed and multiplied.
//
// Two consecutive numbers along k are a pair. A pair is multiplied and added in two steps, the product of the second numbers
// first, as by the instruction vdpbf16ps, whose 32 products take as long as 16 of f32. A product of two Bfloat16 is exact in
// float, so multiplication and addition in float give the same bits, except for numbers below 2^-126. Where the instruction
// is missing, pairs are packed as floats in that order and multiplied by the kernel of f32. Products of few rows read the
// weights as they are stored and split the pairs in registers instead.
#pragma once

#include <stlm/backend/eigen/gemm_bfloat16_pairs.hpp>
#include <stlm/core/backend.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Numbers rounded to Bfloat16 and multiplied by the kernel of f32: for any machine.
struct Bfloat16AsFloat {};

template <>
struct GemmProduct<Bfloat16AsFloat> : GemmProduct<float> {
  static constexpr bool columns = false, converts = true;
  static constexpr Index step = 2, depth = 768;
  static constexpr Index units(Index k) { return k + k % 2; }

  template <class A>
  static GemmOperand<float> pack_a(Index rows, Index k, GemmOperand<A> a, float* to);
  template <class B>
  static void pack_b(Index k, Index cols, GemmOperand<B> b, float* to);

 private:
  /// Number u of a row whose pairs begin with their second number. A zero completes the last pair of an odd k.
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

using Bfloat16Product = std::conditional_t<multiplies_pairs, Bfloat16Pairs, Bfloat16AsFloat>;

/// How a product of scalar S is computed on this machine.
template <class S>
using MachineProduct = std::conditional_t<std::is_same_v<S, Bfloat16>, Bfloat16Product, S>;

}  // namespace stlm::eigen

namespace stlm::detail {
template <>
struct ProductScalar<EigenBackend> {
  using type = std::conditional_t<eigen::multiplies_pairs, Bfloat16, float>;
};
}  // namespace stlm::detail

#pragma GCC diagnostic pop
