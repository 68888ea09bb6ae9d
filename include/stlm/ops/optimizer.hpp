// The elementwise work of optimisers, over flat buffers.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/ops/step_state.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct Optimizer : MissingBackend<Backend> {};
}  // namespace impl

/// Takes the losses of a micro-batch into `state`. Its step has more of them to come.
template <class Backend, class T>
void add_losses(Context<Backend>& ctx, StepView<T> state, std::type_identity_t<View<const T, dynamic>> losses) {
  impl::Optimizer<Backend>::template add_losses<T>(ctx, state.data(), losses);
}

/// Advances `state` to the next step of a run, given the step's whole gradient and the losses of its last batch's rows.
template <class Backend, class T, class Schedule>
void begin_step(Context<Backend>& ctx, StepView<T> state, std::type_identity_t<View<const T, dynamic>> grads,
                std::type_identity_t<View<const T, dynamic>> losses, const StepRule<Schedule>& rule) {
  impl::Optimizer<Backend>::template begin_step<T>(ctx, state.data(), grads, losses, rule);
}

struct UpdateOptions {
  bool decays = true;                    ///< apply weight decay, as for tensors of rank >= 2
  bool clears = false;                   ///< set the gradient to zero afterwards
  View<Bfloat16, dynamic> rounded = {};  ///< if given, receives the new weights
};

/// One step of AdamW (Loshchilov & Hutter 2017) on weights w in one pass, where g is the gradient times the clipping factor:
///   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w -= lr (mhat / (sqrt(vhat) + eps) + decay w)
template <class Backend, class T>
void adamw(Context<Backend>& ctx, StepView<T> state, View<T, dynamic> w, View<T, dynamic> g, View<T, dynamic> m,
           View<T, dynamic> v, const UpdateOptions& options = {}) {
  const auto& rounded = options.rounded;
  expect(g.size() == w.size() && m.size() == w.size() && v.size() == w.size() && (!rounded || rounded.size() == w.size()),
         "stlm::ops::adamw: ", w.size(), " weights, ", g.size(), " gradients, ", m.size(), " and ", v.size(), " moments, ",
         rounded.size(), " rounded; all must be equal.");
  impl::Optimizer<Backend>::template adamw<T>(ctx, state.data(), w.data(), g.data(), m.data(), v.data(), w.size(), options);
}

/// One step of momentum, where g is the gradient times the clipping factor: m = mu m + g, u = g + mu m. Then g = 0 if `clears`.
template <class Backend, class T>
void momentum(Context<Backend>& ctx, StepView<T> state, View<T, dynamic> g, double mu, View<T, dynamic> m,
              View<T, dynamic> u, bool clears = false) {
  expect(m.size() == g.size() && u.size() == g.size(), "stlm::ops::momentum: ", g.size(), " gradients, ", m.size(),
         " moments, room for ", u.size(), "; all must be equal.");
  impl::Optimizer<Backend>::template momentum<T>(ctx, state.data(), g, T(mu), m, u, clears);
}

/// w = (1 - f decay) w - f rate x, where f is the step's factor of the learning rate.
template <class Backend, class T>
void descend(Context<Backend>& ctx, StepView<T> state, std::type_identity_t<View<const T, dynamic>> x, double rate,
             double decay, View<T, dynamic> w) {
  expect(x.size() == w.size(), "stlm::ops::descend: ", x.size(), " numbers, ", w.size(), " weights; both must be equal.");
  impl::Optimizer<Backend>::template descend<T>(ctx, state.data(), x, rate, decay, w);
}

/// The sum of squares in double, in a fixed order for any number of threads.
template <class Backend, class X>
double sum_squares(Context<Backend>& ctx, const X& x) {
  return impl::Optimizer<Backend>::template sum_squares<typename X::value_type>(ctx, x.data(), x.size());
}

/// y = x / (|x| + eps), where |x| is the square root of `sum_squares`. On a GPU the host does not wait for that number, and y
/// may also be Bfloat16.
template <class Backend, class T, class Y>
void normalize(Context<Backend>& ctx, View<T, dynamic> x, double eps, View<Y, dynamic> y) {
  expect(x.size() == y.size(), "stlm::ops::normalize: ", x.size(), " numbers, room for ", y.size(),
         "; give views of one size.");
  impl::Optimizer<Backend>::template normalize<T>(ctx, x, eps, y);
}

}  // namespace stlm::ops
