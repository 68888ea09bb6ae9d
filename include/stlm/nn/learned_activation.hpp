// LearnedActivation: the activation of a FeedForward as a trainable function of one number, a sum of ten relus:
//
//   f(x) = b2 + sum_j w2_j relu(w1_j x + b1_j)          w1 (10, 1), b1 (10), w2 (1, 10), b2 (1)
//
// It starts as the piecewise linear interpolation of GELU at ten knots k_j: w1_j = 1, b1_j = -k_j, b2 = GELU(k_0), and
// w2_j is the change of slope at k_j; the slope is 0 before the first knot and 1 after the last. The knots are placed by hand
// so that the largest error on [-4, 4] is small: 0.0087.
//
// Each layer has its own function. With GlobalLearnedActivation all layers of a Repeat share one, as in the STLM reference,
// whose layers are all one Repeat. The tensors have the shapes of PyTorch's two linear layers, so weight decay is the same.
#pragma once

#include <array>

#include <stlm/core/module.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/learned_activation.hpp>

namespace stlm {

struct LearnedActivation {
  static constexpr Index hidden = 10;
  static constexpr bool one_for_all_layers = false;
  static constexpr std::array<double, 10> knots{-3.29, -2.19, -0.82, -0.455, -0.145, 0.145, 0.455, 0.82, 2.19, 3.29};

  template <class T>
  struct Params {
    View<compute_t<T>, hidden, 1> w1;
    Vector<T, hidden> b1;
    View<compute_t<T>, 1, hidden> w2;
    Vector<T, 1> b2;
    operator ops::ReluNetwork<compute_t<T>>() const { return {hidden, w1.data(), b1.data(), w2.data(), b2.data()}; }
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    constexpr Role table = Role::kTable;  // not a matrix for Muon
    v(path / "w1", p.w1, ParameterSpec::given(table, [](Index) { return 1.0; }));
    v(path / "b1", p.b1, ParameterSpec::given(Role::kVector, [](Index j) { return -knot(j); }));
    v(path / "w2", p.w2, ParameterSpec::given(table, [](Index j) { return slope_after(j) - slope_after(j - 1); }));
    v(path / "b2", p.b2, ParameterSpec::given(Role::kVector, [](Index) { return Gelu::value(knot(0)); }));
  }

  template <class B, class S, class T = compute_t<S>, class X, class Y>
  static void forward(Context<B>& ctx, const Params<S>& p, const X& x, const Y& y) {
    ops::learned_activation_forward(ctx, x, ops::ReluNetwork<T>(p), y);
  }
  template <class B, class S, class T = compute_t<S>, class X, class D>
  static void backward(Context<B>& ctx, const Params<S>& p, const X& x, const D& dy, const D& dx,
                       const Params<T>& grads) {
    ops::learned_activation_backward(ctx, x, ops::ReluNetwork<T>(p), dy, dx, ops::ReluNetwork<T>(grads));
  }

 private:
  static double knot(Index j) { return knots[static_cast<std::size_t>(j)]; }
  static double slope_after(Index j) {
    if (j < 0) return 0;
    if (j + 1 == hidden) return 1;
    return (Gelu::value(knot(j + 1)) - Gelu::value(knot(j))) / (knot(j + 1) - knot(j));
  }
};

struct GlobalLearnedActivation : LearnedActivation {
  static constexpr bool one_for_all_layers = true;
};

/// An activation with parameters.
template <class Function>
concept TrainableActivation = requires { typename Function::template Params<float>; };

/// An activation as FeedForward uses it: a stateless function becomes a module without parameters.
template <class Function>
struct ActivationLayer {
  static constexpr bool one_for_all_layers = false;
  template <class T>
  struct Params {};

  template <class V, class P>
  static constexpr void visit(V&, const Path&, const P&) {}
  template <class B, class P, class X, class Y>
  static void forward(Context<B>& ctx, const P&, const X& x, const Y& y) {
    ops::activation_forward<Function>(ctx, x, y);
  }
  template <class B, class P, class X, class D, class G>
  static void backward(Context<B>& ctx, const P&, const X& x, const D& dy, const D& dx, const G&) {
    ops::activation_backward<Function>(ctx, x, dy, dx);
  }
};
template <TrainableActivation Function>
struct ActivationLayer<Function> : Function {};

}  // namespace stlm
