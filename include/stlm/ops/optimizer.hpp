// The elementwise work of optimisers, over flat buffers.
//
// What changes from one step to the next stands in a StepState in memory of the backend: a step that a GPU replays can read
// no number of the host.
#pragma once

#include <cmath>

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm {

struct AdamWOptions {
  double lr = 6e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.1;
};

namespace detail {
inline bool finite_from_zero(double number) {
  return number >= 0 && std::isfinite(number);
}
inline void expect_valid(const AdamWOptions& o) {
  expect<Error>(finite_from_zero(o.lr) && o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1 && finite_from_zero(o.eps) &&
                    finite_from_zero(o.weight_decay),
                "stlm::AdamW: expected lr, eps and weight_decay of at least 0, and beta1 and beta2 from 0 to below 1, found ",
                o.lr, ", ", o.eps, ", ", o.weight_decay, ", ", o.beta1, " and ", o.beta2, ".");
}
inline void expect_factor(const char* who, double factor) {
  expect<Error>(finite_from_zero(factor), "stlm::", who, ": expected a finite factor of the learning rate of at least 0, "
                "found ", factor, "; correct the schedule it comes from.");
}
inline void expect_max_norm(const char* who, double max_norm) {
  expect<Error>(max_norm > 0, "stlm::", who, ": expected a max_norm above 0, found ", max_norm,
                "; give infinity to leave gradients as they are.");
}
}  // namespace detail

namespace ops {

/// The numbers of a step in T: w -= rate m / (sqrt(correct2 v) + eps) + decay w, for the gradient g scaled by `clip`.
template <class T>
struct AdamWNumbers {
  T beta1, beta2, rate, correct2, eps, decay, clip = 1;
  bool skip = false;  ///< leave everything as it is

  /// Of step number `step`, counted from 1; `factor` multiplies the learning rate.
  static STLM_HOST_DEVICE AdamWNumbers of(const AdamWOptions& o, double factor, Index step) {
    const auto steps = static_cast<double>(step);
    const double lr = o.lr * factor;
    return {T(o.beta1), T(o.beta2), T(lr / (1 - std::pow(o.beta1, steps))), T(1 / (1 - std::pow(o.beta2, steps))),
            T(o.eps), T(lr * o.weight_decay)};
  }
};

/// How a step is made from its gradient.
template <class Schedule>
struct StepRule {
  AdamWOptions adamw;
  double max_norm;  ///< gradients that are longer are scaled down to it
  Schedule schedule;
  const double* factor;  ///< on the host: of the learning rate, beside the schedule's
};

/// A step, and how many were taken: all zeros before the first.
template <class T>
struct StepState {
  Index step = 0;     ///< steps taken
  Index failed = 0;   ///< the first step, counted from 1, whose gradient was not finite; none is taken after it
  double loss = 0;    ///< the sum of the losses of the last step's rows
  double norm = 0;    ///< of its gradient, before clipping
  double factor = 0;  ///< of its learning rate
  AdamWNumbers<T> numbers;

  /// Step number `step` without clipping.
  static StepState at(const AdamWOptions& options, double factor, Index step) {
    StepState state;
    state.step = step;
    state.factor = factor;
    state.numbers = AdamWNumbers<T>::of(options, factor, step);
    return state;
  }

  /// The next step, from the sum of squares of its gradient. `given` is the number at `rule.factor`.
  template <class Schedule>
  STLM_HOST_DEVICE void begin(double squares, const StepRule<Schedule>& rule, double given) {
    if (failed == 0) {
      norm = std::sqrt(squares);
      if (!std::isfinite(norm)) failed = step + 1;
    }
    if (failed == 0) {
      factor = rule.schedule(step) * given;
      numbers = AdamWNumbers<T>::of(rule.adamw, factor, ++step);
      if (norm > rule.max_norm) numbers.clip = static_cast<T>(rule.max_norm / norm);
    }
    numbers.skip = failed != 0;
  }
};

template <class T>
using StepView = View<StepState<T>, 1>;

namespace impl {
template <class Backend>
struct Optimizer : MissingBackend<Backend> {};
}  // namespace impl

/// The next step of a run, from its whole gradient and the losses of its rows.
template <class Backend, class T, class Schedule>
void begin_step(Context<Backend>& ctx, StepView<T> state, std::type_identity_t<View<const T, dynamic>> grads,
                std::type_identity_t<View<const T, dynamic>> losses, const StepRule<Schedule>& rule) {
  impl::Optimizer<Backend>::template begin_step<T>(ctx, state.data(), grads, losses, rule);
}

struct UpdateOptions {
  bool decays = true;                    ///< tensors of rank >= 2
  bool clears = false;                   ///< the gradient becomes zero
  View<Bfloat16, dynamic> rounded = {};  ///< becomes the new weights, where it is given
};

/// The step's AdamW (Loshchilov & Hutter 2017) on some weights w, of the gradient g scaled by the factor of clipping, in one
/// pass:
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

/// The step's momentum, of the gradient g scaled by the factor of clipping: m = mu m + g, u = g + mu m; then g = 0 if it
/// `clears`.
template <class Backend, class T>
void momentum(Context<Backend>& ctx, StepView<T> state, View<T, dynamic> g, double mu, View<T, dynamic> m,
              View<T, dynamic> u, bool clears = false) {
  expect(m.size() == g.size() && u.size() == g.size(), "stlm::ops::momentum: ", g.size(), " gradients, ", m.size(),
         " moments, room for ", u.size(), "; all must be equal.");
  impl::Optimizer<Backend>::template momentum<T>(ctx, state.data(), g, T(mu), m, u, clears);
}

/// w = (1 - f decay) w - f rate x, f being the step's factor of the learning rate.
template <class Backend, class T>
void descend(Context<Backend>& ctx, StepView<T> state, std::type_identity_t<View<const T, dynamic>> x, double rate,
             double decay, View<T, dynamic> w) {
  expect(x.size() == w.size(), "stlm::ops::descend: ", x.size(), " numbers, ", w.size(), " weights; both must be equal.");
  impl::Optimizer<Backend>::template descend<T>(ctx, state.data(), x, rate, decay, w);
}

/// The sum of squares in double, in a fixed order whatever the number of threads.
template <class Backend, class X>
double sum_squares(Context<Backend>& ctx, const X& x) {
  return impl::Optimizer<Backend>::template sum_squares<typename X::value_type>(ctx, x.data(), x.size());
}

/// y = x / (|x| + eps), |x| being the square root of `sum_squares`. A GPU does not give the host that number to wait for, and
/// takes a y of Bfloat16 too.
template <class Backend, class T, class Y>
void normalize(Context<Backend>& ctx, View<T, dynamic> x, double eps, View<Y, dynamic> y) {
  expect(x.size() == y.size(), "stlm::ops::normalize: ", x.size(), " numbers, room for ", y.size(),
         "; give views of one size.");
  impl::Optimizer<Backend>::template normalize<T>(ctx, x, eps, y);
}

}  // namespace ops
}  // namespace stlm
