// Bfloat16: the upper half of a float. The scalar of a model whose products are of mixed precision.
//
// A model with Bfloat16 parameters computes in float: sums, statistics, gradients of parameters and vectors (gains, biases)
// stay float; the factors of its matrix products are rounded to Bfloat16, the weights once a step. Activations are float
// on a CPU, and rounded as a product reads them; on a GPU, which waits for memory, they are Bfloat16 (activation_t). The
// product of two is exact in float, and so is its sum with f32 rounding.
#pragma once

#include <cstdint>

#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// 8 bits of exponent as float, 8 of precision. Rounds to nearest, ties to even; subnormal numbers are zero, as they are
/// to the instructions for this type.
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

/// What a model with parameters of scalar S computes in: S itself, or float.
template <class S>
using compute_t = typename detail::Compute<S>::type;

namespace detail {
template <class Backend, class S>
struct ActivationOf {
  using type = compute_t<S>;
};
}  // namespace detail

/// What a backend keeps a model's activations and their gradients in, the parameters being of scalar S: what it computes
/// in, or Bfloat16. Statistics of rows, losses, and gradients of parameters are compute_t<S>.
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

/// N parameters in a row, gains or biases: stored in what the model computes in.
template <class S, Index N>
using Vector = View<compute_t<S>, N>;

}  // namespace stlm
