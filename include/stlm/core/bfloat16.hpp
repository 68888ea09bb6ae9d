// Bfloat16: the upper half of a float. The scalar of a model with matrix products in mixed precision.
//
// A model with Bfloat16 parameters computes in float: sums, statistics, vectors (gains, biases) and gradients of parameters
// stay float. The factors of its matrix products are rounded to Bfloat16, the weights once a step. Activations are float on a
// CPU, rounded when a product reads them; on a GPU, which is bound by memory bandwidth, they are Bfloat16 (activation_t). The
// product of two Bfloat16 numbers is exact in float, so adding it to a sum rounds only as any float addition does.
#pragma once

#include <cstdint>

#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// 8 bits of exponent, as float has, and 8 of precision. Rounds to nearest, ties to even. On the host subnormal numbers become
/// zero, as in the CPU instructions for this type.
struct Bfloat16 {
  std::uint16_t bits = 0;

  constexpr Bfloat16() = default;
  STLM_HOST_DEVICE constexpr explicit Bfloat16(float x) {
#if defined(__CUDA_ARCH__)
    if (!__builtin_is_constant_evaluated()) {  // one instruction, which keeps subnormal numbers
      asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
      return;
    }
#endif
    const auto all = __builtin_bit_cast(std::uint32_t, x);
    const std::uint32_t size = all & 0x7fffffffu, sign = (all >> 16) & 0x8000u;
    if (size > 0x7f800000u)
      bits = static_cast<std::uint16_t>(all >> 16 | 0x40u);  // a quiet NaN
    else if (size < 0x00800000u)
      bits = static_cast<std::uint16_t>(sign);
    else
      bits = static_cast<std::uint16_t>((all + 0x7fffu + (all >> 16 & 1u)) >> 16);
  }
  STLM_HOST_DEVICE constexpr operator float() const {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
  }
};

namespace detail {
template <class S>
struct Compute {
  using type = S;
};
template <>
struct Compute<Bfloat16> {
  using type = float;
};
}  // namespace detail

/// The scalar in which a model with parameters of scalar S computes: S itself, or float.
template <class S>
using compute_t = typename detail::Compute<S>::type;

namespace detail {
template <class Backend, class S>
struct ActivationOf {
  using type = compute_t<S>;
};
}  // namespace detail

/// The scalar of a model's activations and their gradients on a backend, for parameters of scalar S: compute_t<S>, or Bfloat16.
/// Statistics of rows, losses and gradients of parameters are compute_t<S>.
template <class Backend, class S>
using activation_t = typename detail::ActivationOf<Backend, S>::type;

namespace detail {
template <class Backend>
struct ProductScalar {
  using type = float;
};
}  // namespace detail

/// The scalar whose products a backend computes fastest, on the machine it is compiled for: Bfloat16, or float.
template <class Backend>
using fast_scalar = typename detail::ProductScalar<Backend>::type;

/// A vector of N parameters, gains or biases, stored as compute_t<S>.
template <class S, Index N>
using Vector = View<compute_t<S>, N>;

}  // namespace stlm
