// The elementwise work of optimisers, over flat buffers.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// One AdamW step (Loshchilov & Hutter 2017), step counted from 1:
///   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w -= lr (mhat / (sqrt(vhat) + eps) + decay w)
struct AdamWStep {
  double lr, beta1, beta2, eps, weight_decay;
  std::int64_t step;
};

namespace impl {
template <class Backend>
struct Optimizer : MissingBackend<Backend> {};
}  // namespace impl

/// Updates w, m, v from g in one pass; all of one size.
template <class Backend, class T>
void adamw(Context<Backend>& ctx, View<T, dynamic> w, std::type_identity_t<View<const T, dynamic>> g, View<T, dynamic> m,
           View<T, dynamic> v, const AdamWStep& step) {
  expect(g.size() == w.size() && m.size() == w.size() && v.size() == w.size(), "stlm::ops::adamw: ", w.size(),
         " weights, ", g.size(), " gradients, ", m.size(), " and ", v.size(), " moments; all must be equal.");
  impl::Optimizer<Backend>::template adamw<T>(ctx, w.data(), g.data(), m.data(), v.data(), w.size(), step);
}

/// The sum of squares in double, in a fixed order whatever the number of threads.
template <class Backend, class X>
double sum_squares(Context<Backend>& ctx, const X& x) {
  return impl::Optimizer<Backend>::template sum_squares<typename X::value_type>(ctx, x.data(), x.size());
}

}  // namespace stlm::ops
