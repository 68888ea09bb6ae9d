// Activation functions: types with `value` and `derivative`. A user-defined type works on every backend without registration
// (on a GPU if both functions are marked STLM_HOST_DEVICE). The functions must not throw, as the threads of a pool call them.
#pragma once

#include <cmath>

#include <stlm/core/scalar.hpp>

namespace stlm {

struct Sigmoid {
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return T(1) / (T(1) + std::exp(-x));
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    const T s = value(x);
    return s * (T(1) - s);
  }
};

struct Silu {  ///< x sigmoid(x) (Elfwing et al. 2017)
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return x * Sigmoid::value(x);
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    const T s = Sigmoid::value(x);
    return s * (T(1) + x * (T(1) - s));
  }
};

struct Gelu {  ///< x Phi(x), exact (Hendrycks & Gimpel 2016)
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return T(0.5) * x * (T(1) + erf(x * T(0.70710678118654752)));
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    return T(0.5) * (T(1) + erf(x * T(0.70710678118654752))) + x * T(0.39894228040143268) * std::exp(T(-0.5) * x * x);
  }
};

/// GPT-2's GELU: x (1 + tanh(u / 2)) / 2 = x sigmoid(u), u = sqrt(8 / pi) (x + 0.044715 x^3), within 5e-4 of Gelu
/// (Hendrycks & Gimpel 2016).
struct GeluTanh {
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return x * Sigmoid::value(x * (T(1.5957691216057308) + T(0.07135481627260025) * x * x));
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    const T s = Sigmoid::value(x * (T(1.5957691216057308) + T(0.07135481627260025) * x * x));
    return s * (T(1) + x * (T(1) - s) * (T(1.5957691216057308) + T(0.21406444881780076) * x * x));
  }
};

struct Tanh {
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return std::tanh(x);
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    const T y = std::tanh(x);
    return T(1) - y * y;
  }
};

struct Relu {
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return real_part(x) <= 0 ? T(0) : x;  // so that NaN stays NaN
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    return real_part(x) > 0 ? T(1) : T(0);
  }
};

struct LeakyRelu {  ///< slope 0.01 below zero
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return real_part(x) > 0 ? x : T(0.01) * x;
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    return real_part(x) > 0 ? T(1) : T(0.01);
  }
};

struct ReluSquared {  ///< relu(x)^2 (So et al. 2021, "Primer")
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return real_part(x) <= 0 ? T(0) : x * x;
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    return real_part(x) <= 0 ? T(0) : T(2) * x;
  }
};

}  // namespace stlm
