// HostOptimizer: the optimiser functions that all backends share whose memory the host reads.
#pragma once

#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::ops::impl {

struct HostOptimizer {
  template <class T, class Ctx>
  static void add_losses(Ctx&, StepState<T>* state, View<const T, dynamic> losses) {
    state->wait(sum(losses));
  }
  template <class T, class Ctx, class Schedule>
  static void begin_step(Ctx& ctx, StepState<T>* state, View<const T, dynamic> grads, View<const T, dynamic> losses,
                         const StepRule<Schedule>& rule) {
    state->begin(sum_squares(ctx, grads), sum(losses), rule, *rule.factor);
  }
  template <class T, class Ctx>
  static void descend(Ctx& ctx, const StepState<T>* state, View<const T, dynamic> x, double rate, double decay,
                      View<T, dynamic> w) {
    if (state->numbers.skip) return;
    axpby(ctx, T(-state->factor * rate), x, T(1 - state->factor * decay), w);
  }
  template <class T, class Ctx>
  static void normalize(Ctx& ctx, View<const T, dynamic> x, double eps, View<T, dynamic> y) {
    axpby(ctx, T(1 / (std::sqrt(sum_squares(ctx, x)) + eps)), x, T(0), y);
  }

 private:
  template <class T>
  static double sum(View<const T, dynamic> losses) {
    double sum = 0;
    for (const T& loss : losses) sum += static_cast<double>(loss);
    return sum;
  }
};

}  // namespace stlm::ops::impl
