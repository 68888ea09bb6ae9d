// The elementwise work of optimisers, over flat buffers.
#pragma once

#include <cmath>

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// One AdamW step (Loshchilov & Hutter 2017), step counted from 1:
///   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w -= lr (mhat / (sqrt(vhat) + eps) + decay w)
struct AdamWStep {
  double lr, beta1, beta2, eps, weight_decay;
  std::int64_t step;
};

/// The numbers of a step in T: w -= rate m / (sqrt(correct2 v) + eps) + decay w, for the gradient g scaled by `clip`.
template <class T>
struct AdamWNumbers {
  T beta1, beta2, rate, correct2, eps, decay, clip = 1;
  bool skip = false;  ///< leave everything as it is

  static STLM_HOST_DEVICE AdamWNumbers of(const AdamWStep& s) {
    const auto steps = static_cast<double>(s.step);
    return {T(s.beta1), T(s.beta2), T(s.lr / (1 - std::pow(s.beta1, steps))), T(1 / (1 - std::pow(s.beta2, steps))),
            T(s.eps), T(s.lr * s.weight_decay)};
  }
};

/// What changes from one step of a run to the next, kept where its weights are: a step that a GPU replays can read no
/// number of the host. All zeros before the first.
template <class T>
struct StepState {
  Index step = 0;     ///< steps taken
  Index failed = 0;   ///< the first step, counted from 1, whose gradient was not finite; none is taken after it
  double loss = 0;    ///< the sum of the losses of the last step's rows
  double norm = 0;    ///< of its gradient, before clipping
  double factor = 0;  ///< of its learning rate
  AdamWNumbers<T> numbers;

  /// The next step, from the sum of squares of its gradient: the factors of clipping and schedule, the moments' corrections.
  template <class Schedule>
  STLM_HOST_DEVICE void begin(double squares, const AdamWStep& options, double max_norm, const Schedule& schedule) {
    if (failed == 0) {
      norm = std::sqrt(squares);
      if (!std::isfinite(norm)) failed = step + 1;
    }
    if (failed == 0) {
      factor = schedule(step);
      AdamWStep next = options;
      next.lr *= factor;
      next.step = ++step;
      numbers = AdamWNumbers<T>::of(next);
      if (norm > max_norm) numbers.clip = static_cast<T>(max_norm / norm);
    }
    numbers.skip = failed != 0;
  }
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

/// y = x / (|x| + eps), |x| being the square root of `sum_squares`. A GPU does not give the host that number to wait for.
template <class Backend, class T>
void normalize(Context<Backend>& ctx, std::type_identity_t<View<const T, dynamic>> x, double eps, View<T, dynamic> y) {
  expect(x.size() == y.size(), "stlm::ops::normalize: ", x.size(), " numbers, room for ", y.size(), ".");
  impl::Optimizer<Backend>::template normalize<T>(ctx, x, eps, y);
}

/// The next step of a run, from its whole gradient and the losses of its rows. `options` are those of its first step.
template <class Backend, class T, class Schedule>
void begin_step(Context<Backend>& ctx, View<StepState<T>, 1> state, std::type_identity_t<View<const T, dynamic>> grads,
                std::type_identity_t<View<const T, dynamic>> losses, const AdamWStep& options, double max_norm,
                const Schedule& schedule) {
  impl::Optimizer<Backend>::template begin_step<T>(ctx, state.data(), grads, losses, options, max_norm, schedule);
}

/// Updates some weights by the step that was begun, as `adamw`; their gradient becomes zero. `rounded`, if it is given,
/// becomes the new weights in Bfloat16.
template <class Backend, class T>
void adamw_step(Context<Backend>& ctx, View<StepState<T>, 1> state, View<T, dynamic> w, View<T, dynamic> g,
                View<T, dynamic> m, View<T, dynamic> v, bool decays, View<Bfloat16, dynamic> rounded = {}) {
  expect(g.size() == w.size() && m.size() == w.size() && v.size() == w.size() && (!rounded || rounded.size() == w.size()),
         "stlm::ops::adamw_step: ", w.size(), " weights, ", g.size(), " gradients, ", m.size(), " and ", v.size(),
         " moments, ", rounded.size(), " rounded; all must be equal.");
  impl::Optimizer<Backend>::template adamw_step<T>(ctx, state.data(), w.data(), g.data(), m.data(), v.data(), w.size(),
                                                   decays, rounded.data());
}

}  // namespace stlm::ops
