// What optimisers do alike on every backend whose memory the host reads.
#pragma once

#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::ops::impl {

struct HostOptimizer {
  template <class T, class Ctx, class Schedule>
  static void begin_step(Ctx& ctx, StepState<T>* state, View<const T, dynamic> grads, View<const T, dynamic> losses,
                         const AdamWStep& options, double max_norm, const Schedule& schedule) {
    state->loss = 0;
    for (const T& loss : losses) state->loss += static_cast<double>(loss);
    state->begin(sum_squares(ctx, grads), options, max_norm, schedule);
  }
  template <class T, class Ctx>
  static void normalize(Ctx& ctx, View<const T, dynamic> x, double eps, View<T, dynamic> y) {
    axpby(ctx, T(1 / (std::sqrt(sum_squares(ctx, x)) + eps)), x, T(0), y);
  }
};

}  // namespace stlm::ops::impl
