// The vector forms of activations: packets of Eigen's array expressions.
#pragma once

#include <initializer_list>
#include <type_traits>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/ops/activation.hpp>

namespace stlm::eigen {

/// The vector form of an activation: `value(x)` and `derivative(x)` on Eigen arrays. Activations without a specialisation, a
/// user's own included, are computed element by element.
template <class Function>
struct Vectorized {
  template <class X>
  static auto value(const X& x) {
    return x.unaryExpr([](typename X::Scalar v) { return Function::value(v); });
  }
  template <class X>
  static auto derivative(const X& x) {
    return x.unaryExpr([](typename X::Scalar v) { return Function::derivative(v); });
  }
};

template <>
struct Vectorized<Sigmoid> {
  template <class X>
  static auto value(const X& x) {
    return 1 / (1 + (-x).exp());
  }
  template <class X>
  static auto derivative(const X& x) {
    const auto s = value(x);
    return s * (1 - s);
  }
};

template <>
struct Vectorized<Silu> {
  template <class X>
  static auto value(const X& x) {
    return x / (1 + (-x).exp());
  }
  template <class X>
  static auto derivative(const X& x) {
    const auto s = Vectorized<Sigmoid>::value(x);
    return s * (1 + x * (1 - s));
  }
};

template <>
struct Vectorized<GeluTanh> {
  template <class X>
  static auto value(const X& x) {
    return x * gate(x);
  }
  template <class X>
  static auto derivative(const X& x) {
    using T = typename X::Scalar;
    const auto s = gate(x);
    return s * (1 + x * (1 - s) * (T(1.5957691216057308) + T(0.21406444881780076) * x.square()));
  }

 private:
  template <class X>
  static auto gate(const X& x) {
    using T = typename X::Scalar;
    return Vectorized<Sigmoid>::value(x * (T(1.5957691216057308) + T(0.07135481627260025) * x.square()));
  }
};

template <>
struct Vectorized<Tanh> {
  template <class X>
  static auto value(const X& x) {
    return x.tanh();
  }
  template <class X>
  static auto derivative(const X& x) {
    return 1 - x.tanh().square();
  }
};

/// Gelu or its derivative on packets of floats. With a = |x| and Q(a) = 1 - Phi(a) = exp(-a^2 / 2) R(a),
///
///   gelu(x) = max(x, 0) - a Q(a),   gelu'(-a) = Q(a) - a phi(a) = 1 - gelu'(a)
///
/// so one exponential serves both, and nothing cancels in the tail. R is a quotient of polynomials with positive
/// coefficients, fitted to a relative error of 5e-9 up to a = 12.5, beyond which Q is less than 1e-34.
template <bool Derivative>
struct GeluPackets {
  float operator()(float x) const { return packetOp(x); }
  template <class P>
  P packetOp(const P& x) const {
    using namespace Eigen::internal;
    const auto number = [](float value) { return pset1<P>(value); };
    const auto horner = [&](const P& a, std::initializer_list<float> coefficients) {
      P sum = number(*coefficients.begin());
      for (const float* c = coefficients.begin() + 1; c != coefficients.end(); ++c) sum = pmadd(sum, a, number(*c));
      return sum;
    };
    const P a = pmin(pabs(x), number(12.5F));
    const P bell = pexp(pmul(pmul(a, a), number(-0.5F)));
    const P above = horner(a, {0.00394948304F, 0.0395032478F, 0.179871632F, 0.43373378F, 0.5F});
    const P below = horner(a, {0.00989972289F, 0.0990281F, 0.460593366F, 1.18849857F, 1.66535244F, 1.0F});
    const P tail = pmul(bell, pdiv(above, below));
    if constexpr (Derivative) {
      const P left = psub(tail, pmul(pmul(a, bell), number(0.39894228F)));
      return pselect(pcmp_lt(x, number(0)), left, psub(number(1), left));
    } else {
      return psub(pmax(x, number(0)), pmul(a, tail));
    }
  }
};

template <>
struct Vectorized<Gelu> {
  template <class X>
  static auto value(const X& x) {
    return apply<false>(x, [](auto v) { return Gelu::value(v); });
  }
  template <class X>
  static auto derivative(const X& x) {
    return apply<true>(x, [](auto v) { return Gelu::derivative(v); });
  }

 private:
  template <bool Derivative, class X, class F>
  static auto apply(const X& x, const F& other) {
    if constexpr (std::is_same_v<typename X::Scalar, float>)
      return x.unaryExpr(GeluPackets<Derivative>{});
    else
      return x.unaryExpr(other);
  }
};

}  // namespace stlm::eigen

template <bool Derivative>
struct Eigen::internal::functor_traits<stlm::eigen::GeluPackets<Derivative>> {
  enum { Cost = 40, PacketAccess = packet_traits<float>::HasExp };
};
