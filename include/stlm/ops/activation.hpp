// Activations y = f(x), and the gated product of SwiGLU.
//
// An activation is a type with `value` and `derivative`; a user's own works on every backend without registration
// (on a GPU when both are marked STLM_HOST_DEVICE).
#pragma once

#include <array>

#include <stlm/core/backend.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/core/tensor_view.hpp>

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

/// GPT-2's: x (1 + tanh(u / 2)) / 2 = x sigmoid(u), u = sqrt(8 / pi) (x + 0.044715 x^3), within 5e-4 of Gelu
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

namespace ops {

namespace impl {
template <class Backend>
struct Activation : MissingBackend<Backend> {};
}  // namespace impl

/// y = f(x), elementwise.
template <class Function, class Backend, class X, class Y>
void activation_forward(Context<Backend>& ctx, const X& x, const Y& y) {
  using T = typename Y::value_type;
  expect(x.size() == y.size(), "stlm::ops::activation_forward: sizes differ: ", x.size(), " -> ", y.size(),
         "; give views of one size.");
  impl::Activation<Backend>::template forward<Function, T>(ctx, x.data(), y.data(), y.size());
}

/// dx = dy f'(x); dx may be dy.
template <class Function, class Backend, class X, class Dy, class Dx>
void activation_backward(Context<Backend>& ctx, const X& x, const Dy& dy, const Dx& dx) {
  using T = typename Dx::value_type;
  expect(x.size() == dx.size() && dy.size() == dx.size(), "stlm::ops::activation_backward: sizes differ: x ", x.size(),
         ", dy ", dy.size(), ", dx ", dx.size(), "; give views of one size.");
  impl::Activation<Backend>::template backward<Function, T>(ctx, x.data(), dy.data(), dx.data(), dx.size());
}

namespace detail {
template <class T, std::size_t N>
void expect_equal(const char* op, const std::array<MatrixView<const T>, N>& all) {
  for (const auto& one : all)
    expect(one.rows == all[0].rows && one.cols == all[0].cols, "stlm::ops::", op, ": shapes differ: gate ", all[0].rows,
           "x", all[0].cols, ", another ", one.rows, "x", one.cols, "; give matrices of one shape.");
}
}  // namespace detail

/// y = silu(gate) up (Shazeer 2020). Each may be part of wider rows.
template <class Backend, class Gate, class Up, class Y>
void swiglu_forward(Context<Backend>& ctx, const Gate& gate_view, const Up& up_view, const Y& y_view) {
  using T = typename Y::value_type;
  const MatrixView<const T> gate(gate_view), up(up_view);
  const MatrixView<T> y(y_view);
  detail::expect_equal("swiglu_forward", std::array{gate, up, MatrixView<const T>(y)});
  impl::Activation<Backend>::template swiglu_forward<T>(ctx, gate, up, y);
}

/// dgate = dy up silu'(gate), dup = dy silu(gate). Given one more matrix, writes y into it, the bits that swiglu_forward
/// wrote, so that nobody need keep them. Results may take the place of arguments.
template <class Backend, class Gate, class Up, class Dy, class D, class... Y>
void swiglu_backward(Context<Backend>& ctx, const Gate& gate_view, const Up& up_view, const Dy& dy_view,
                     const D& dgate_view, const D& dup_view, const Y&... y_view) {
  static_assert(sizeof...(Y) <= 1);
  using T = typename D::value_type;
  const MatrixView<const T> gate(gate_view), up(up_view), dy(dy_view);
  const std::array results{MatrixView<T>(dgate_view), MatrixView<T>(dup_view), MatrixView<T>(y_view)...};
  using Read = MatrixView<const T>;
  detail::expect_equal("swiglu_backward", std::array{gate, up, dy, Read(dgate_view), Read(dup_view), Read(y_view)...});
  impl::Activation<Backend>::swiglu_backward(ctx, gate, up, dy, results);
}

}  // namespace ops
}  // namespace stlm
