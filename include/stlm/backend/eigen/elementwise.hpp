// Elementwise work and activations in pieces of Eigen array expressions.
#pragma once

#include <initializer_list>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/dropout.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm::eigen {

/// The vector form of an activation: `value(x)` and `derivative(x)` on Eigen arrays. Any other type, a user's own
/// included, goes element by element.
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
    return (1 + (-x).exp()).inverse();
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

/// sums += the rows [begin, end) of x, four at a time, over `cols` columns from `first` on.
template <class T>
void add_rows(MatrixView<const T> x, Index begin, Index end, Index first, Index cols, T* sums) {
  const auto row = [=](Index r) { return array(x.row(r) + first, cols); };
  auto sum = array(sums, cols);
  Index r = begin;
  for (; r + 4 <= end; r += 4) sum += (row(r) + row(r + 1)) + (row(r + 2) + row(r + 3));
  for (; r < end; ++r) sum += row(r);
}

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

namespace stlm::ops::impl {

template <>
struct Elementwise<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void add(Ctx& ctx, const T* a, const T* b, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(y + begin, end - begin) =
          eigen::array(a + begin, end - begin) + eigen::array(b + begin, end - begin);
    });
  }
  template <class T>
  static void axpby(Ctx& ctx, T alpha, const T* x, T beta, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      auto to = eigen::array(y + begin, end - begin);
      const auto from = eigen::array(x + begin, end - begin);
      if (beta == T(0))
        to = alpha * from;
      else
        to = alpha * from + beta * to;
    });
  }
  template <class X, class Y>
  static void convert(Ctx& ctx, const X* x, Y* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      for (Index i = begin; i < end; ++i) y[i] = static_cast<Y>(x[i]);
    });
  }
  template <class T>
  static void copy_rows(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y) {
    ctx.for_pieces(y.rows, rows_a_piece(y.cols), [=](Index begin, Index end, int) {
      for (Index r = begin; r < end; ++r) std::copy_n(x.row(r), y.cols, y.row(r));
    });
  }
  template <class T>
  static void clear(Ctx& ctx, MatrixView<T> x) {
    ctx.for_pieces(x.rows, rows_a_piece(x.cols), [=](Index begin, Index end, int) {
      for (Index r = begin; r < end; ++r) std::fill_n(x.row(r), x.cols, T(0));
    });
  }
  template <class T>
  static void add_bias(Ctx& ctx, const T* bias, MatrixView<T> y) {
    ctx.for_pieces(y.rows, rows_a_piece(y.cols), [=](Index begin, Index end, int) {
      for (Index r = begin; r < end; ++r) eigen::array(y.row(r), y.cols) += eigen::array(bias, y.cols);
    });
  }
  template <class T>
  static void sum_rows(Ctx& ctx, MatrixView<const T> dy, T* dbias) {
    ctx.for_pieces(dy.cols, columns_a_piece(ctx, dy.cols), [=](Index begin, Index end, int) {
      eigen::add_rows(dy, 0, dy.rows, begin, end - begin, dbias + begin);
    });
  }
  template <class T>
  static void dropout(Ctx& ctx, T* x, Index size, double rate, RandomKey key) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::drop(key, rate, static_cast<std::uint64_t>(begin), x + begin, end - begin);
    });
  }
  static Index rows_a_piece(Index cols) { return std::max<Index>(1, eigen::grain / std::max<Index>(1, cols)); }
  /// For sums along columns, each of which is the same however many stand beside it: so one piece a thread, and long
  /// stretches of memory.
  static Index columns_a_piece(const Ctx& ctx, Index cols) {
    constexpr Index line = 32;  // two cache lines of floats
    return (cols + ctx.threads() * line - 1) / (ctx.threads() * line) * line;
  }
};

template <>
struct Activation<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class Function, class T>
  static void forward(Ctx& ctx, const T* x, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(y + begin, end - begin) = eigen::Vectorized<Function>::value(eigen::array(x + begin, end - begin));
    });
  }
  template <class Function, class T>
  static void backward(Ctx& ctx, const T* x, const T* dy, T* dx, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(dx + begin, end - begin) =
          eigen::array(dy + begin, end - begin) *
          eigen::Vectorized<Function>::derivative(eigen::array(x + begin, end - begin));
    });
  }
  template <class T>
  static void swiglu_forward(Ctx& ctx, const T* gate, const T* up, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(y + begin, end - begin) = eigen::Vectorized<Silu>::value(eigen::array(gate + begin, end - begin)) *
                                             eigen::array(up + begin, end - begin);
    });
  }
  template <class T>
  static void swiglu_backward(Ctx& ctx, const T* gate, const T* up, const T* dy, T* dgate, T* dup, Index size) {
    constexpr Index strip = 256;  // one exponential for both results
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      for (Index i = begin; i < end; i += strip) {
        const Index width = std::min(strip, end - i);
        Eigen::Array<T, Eigen::Dynamic, 1, 0, strip, 1> s(width), d(width);
        const auto g = eigen::array(gate + i, width);
        s = eigen::Vectorized<Sigmoid>::value(g);
        d = eigen::array(dy + i, width);
        eigen::array(dgate + i, width) = d * eigen::array(up + i, width) * s * (1 + g * (1 - s));
        eigen::array(dup + i, width) = d * g * s;
      }
    });
  }
};

}  // namespace stlm::ops::impl
