// Scalars: float and double compute; std::complex<double> runs the complex-step derivative check
// (Squire & Trapp 1998): f'(x) = Im f(x + ih) / h, exact to rounding for any analytic f.
#pragma once

#include <cmath>
#include <complex>
#include <type_traits>

#include <stlm/core/config.hpp>

namespace stlm {

template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T>
using real_t = typename RealOf<T>::type;

/// The real part. Comparisons (max, relu, top-k) use it, so that functions stay piecewise analytic.
template <class T>
STLM_HOST_DEVICE constexpr T real_part(T x) {
  return x;
}
template <class T>
constexpr T real_part(std::complex<T> x) {
  return x.real();
}

/// erf for the scalars above. For complex arguments to first order in the imaginary part, which is exact for a complex step.
template <class T>
STLM_HOST_DEVICE T erf(T x) {
  return std::erf(x);
}
template <class T>
std::complex<T> erf(std::complex<T> x) {
  constexpr T two_over_sqrt_pi = T(1.1283791670955125739);
  return {std::erf(x.real()), two_over_sqrt_pi * std::exp(-x.real() * x.real()) * x.imag()};
}

}  // namespace stlm
