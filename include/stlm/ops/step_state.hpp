// What changes from one step of training to the next: the number of the step, its learning rate, how its gradient is
// clipped. It stands in memory of the backend: a step that a GPU replays can read no number of the host.
#pragma once

#include <cmath>

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
  expect<Error>(finite_from_zero(o.lr) && o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1 &&
                    o.eps > 0 && std::isfinite(o.eps) && finite_from_zero(o.weight_decay),
                "stlm::AdamW: expected lr and weight_decay of at least 0, eps above 0, and beta1 and beta2 from 0 to below 1, "
                "found ", o.lr, ", ", o.weight_decay, ", ", o.eps, ", ", o.beta1, " and ", o.beta2, ".");
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

}  // namespace ops
}  // namespace stlm
