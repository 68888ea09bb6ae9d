// A learned activation: one small network, `hidden` relus side by side, applied to every number x:
//
//   f(x) = b2 + sum_j w2_j relu(h_j),    h_j = w1_j x + b1_j
//
// Backward, with A_j = sum of dy and B_j = sum of dy x over the numbers x for which h_j > 0:
//   dx = dy sum_{j: h_j > 0} w2_j w1_j       dw1_j += w2_j B_j           db1_j += w2_j A_j
//                                            dw2_j += w1_j B_j + b1_j A_j     db2 += sum of dy
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// The network's weights, or their gradients: w1, b1, w2 of `hidden` numbers each, b2 of one. They are float if x is Bfloat16.
template <class T>
struct ReluNetwork {
  static constexpr Index most = 64;  ///< hidden units
  Index hidden = 0;
  T *w1 = nullptr, *b1 = nullptr, *w2 = nullptr, *b2 = nullptr;
};

namespace impl {
template <class Backend>
struct LearnedActivation : MissingBackend<Backend> {};

/// The gradients of the weights from the sums [A (hidden) | B (hidden) | sum of dy].
template <class T>
void add_network_gradients(const ReluNetwork<T>& f, const T* sums, const ReluNetwork<T>& grads) {
  for (Index j = 0; j < f.hidden; ++j) {
    const T a = sums[j], b = sums[f.hidden + j];
    grads.w1[j] += f.w2[j] * b;
    grads.b1[j] += f.w2[j] * a;
    grads.w2[j] += f.w1[j] * b + f.b1[j] * a;
  }
  *grads.b2 += sums[2 * f.hidden];
}
}  // namespace impl

/// y = f(x), elementwise.
template <class Backend, class X, class Y, class T = typename Y::value_type>
void learned_activation_forward(Context<Backend>& ctx, const X& x, const ReluNetwork<compute_t<T>>& f,
                                const Y& y) {
  expect(x.size() == y.size() && f.hidden <= f.most,
         "stlm::ops::learned_activation_forward: sizes differ or too many units: x ", x.size(), ", y ", y.size(), ", ",
         f.hidden, " units of at most ", f.most, "; give views of one size, and fewer units.");
  impl::LearnedActivation<Backend>::template forward<T>(ctx, x.data(), f, y.data(), y.size());
}

/// dx = dy f'(x); dx may be dy. The gradients of the weights accumulate.
template <class Backend, class X, class Dy, class Dx, class T = typename Dx::value_type>
void learned_activation_backward(Context<Backend>& ctx, const X& x, const ReluNetwork<compute_t<T>>& f,
                                 const Dy& dy, const Dx& dx, const ReluNetwork<compute_t<T>>& grads) {
  expect(x.size() == dx.size() && dy.size() == dx.size() && f.hidden <= f.most && grads.hidden == f.hidden,
         "stlm::ops::learned_activation_backward: sizes differ or too many units: x ", x.size(), ", dy ", dy.size(),
         ", dx ", dx.size(), ", ", f.hidden, " units of at most ", f.most, ", gradients of ", grads.hidden,
         "; give views of one size, fewer units, and gradients of as many.");
  impl::LearnedActivation<Backend>::template backward<T>(ctx, x.data(), f, dy.data(), dx.data(), dx.size(), grads);
}

}  // namespace stlm::ops
