// StepState: what changes from one training step to the next: the step number, the learning rate, the clipping factor. It is in
// the backend's memory, because a step that a GPU replays cannot read numbers of the host.
#pragma once

#include <cmath>

#include <stlm/core/tensor_view.hpp>

namespace stlm {

struct AdamWOptions {
  double lr = 6e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.1;
  bool decay_vectors = false;  ///< true: weight decay applies to gains and biases too
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

/// The coefficients of a step in T: w -= rate m / (sqrt(correct2 v) + eps) + decay w, with the gradient multiplied by `clip`.
template <class T>
struct AdamWNumbers {
  T beta1, beta2, rate, correct2, eps, decay, clip = 1;
  bool skip = false;  ///< leave everything as it is

  /// The coefficients of step number `step`, counted from 1; `factor` multiplies the learning rate.
  static STLM_HOST_DEVICE AdamWNumbers of(const AdamWOptions& o, double factor, Index step) {
    const auto steps = static_cast<double>(step);
    const double lr = o.lr * factor;
    return {T(o.beta1), T(o.beta2), T(lr / (1 - std::pow(o.beta1, steps))), T(1 / (1 - std::pow(o.beta2, steps))),
            T(o.eps), T(lr * o.weight_decay)};
  }
};

/// What determines a step, besides its gradient.
template <class Schedule>
struct StepRule {
  AdamWOptions adamw;
  double max_norm;  ///< gradients with a larger norm are scaled down to it
  Schedule schedule;
  const double* factor;  ///< on the host; multiplies the learning rate, as the schedule's factor does
  double scale = 1;      ///< multiplies the gradient before it is clipped
};

/// The last step, and the number of steps taken. All zeros before the first step.
template <class T>
struct StepState {
  Index step = 0;      ///< steps taken
  Index failed = 0;    ///< the first step, counted from 1, whose gradient was not finite; it and later ones are skipped
  Index masks = 0;     ///< names the next batch's dropout masks: `step`, plus 2^24 for each micro-batch since the last step
  double waiting = 0;  ///< the sum of the losses of the micro-batches since the last step
  double loss = 0;     ///< the sum of the losses of the last step's rows
  double norm = 0;     ///< of the last step's gradient, before clipping
  double factor = 0;   ///< of the last step's learning rate
  AdamWNumbers<T> numbers;

  /// The state at step number `step`, without clipping.
  static StepState at(const AdamWOptions& options, double factor, Index step) {
    StepState state;
    state.step = state.masks = step;
    state.factor = factor;
    state.numbers = AdamWNumbers<T>::of(options, factor, step);
    return state;
  }

  /// Takes the sum of a micro-batch's losses.
  STLM_HOST_DEVICE void wait(double losses) {
    waiting += losses;
    masks += Index{1} << 24;
  }
  /// Forgets the micro-batches since the last step.
  STLM_HOST_DEVICE void forget() {
    waiting = 0;
    masks = step;
  }
  /// Advances to the next step, given the sum of squares of its gradient and the sum of its last batch's losses. `given` is
  /// the value at `rule.factor`.
  template <class Schedule>
  STLM_HOST_DEVICE void begin(double squares, double losses, const StepRule<Schedule>& rule, double given) {
    loss = waiting + losses;
    if (failed == 0) {
      norm = std::sqrt(squares) * rule.scale;
      if (!std::isfinite(norm)) failed = step + 1;
    }
    if (failed == 0) {
      factor = rule.schedule(step) * given;
      numbers = AdamWNumbers<T>::of(rule.adamw, factor, ++step);
      numbers.clip = static_cast<T>(norm > rule.max_norm ? rule.scale * (rule.max_norm / norm) : rule.scale);
    }
    forget();
    numbers.skip = failed != 0;
  }
};

template <class T>
using StepView = View<StepState<T>, 1>;

}  // namespace ops
}  // namespace stlm
