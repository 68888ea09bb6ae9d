// Optimiser steps by loops.
#pragma once

#include <stlm/backend/host_optimizer.hpp>
#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::ops::impl {

template <>
struct Optimizer<ReferenceBackend> : HostOptimizer {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void adamw(Ctx&, T* w, const T* g, T* m, T* v, Index size, const AdamWStep& s) {
    const T b1 = T(s.beta1), b2 = T(s.beta2);
    const T correct1 = T(1 / (1 - std::pow(s.beta1, static_cast<double>(s.step))));
    const T correct2 = T(1 / (1 - std::pow(s.beta2, static_cast<double>(s.step))));
    for (Index i = 0; i < size; ++i) {
      m[i] = b1 * m[i] + (T(1) - b1) * g[i];
      v[i] = b2 * v[i] + (T(1) - b2) * g[i] * g[i];
      w[i] -= T(s.lr) * (m[i] * correct1 / (std::sqrt(v[i] * correct2) + T(s.eps)) + T(s.weight_decay) * w[i]);
    }
  }
  template <class T>
  static double sum_squares(Ctx&, const T* x, Index size) {
    double sum = 0;
    for (Index i = 0; i < size; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
  }
  template <class T>
  static void adamw_step(Ctx&, const StepState<T>* state, T* w, T* g, T* m, T* v, Index size, bool decays, Bfloat16* rounded) {
    const AdamWNumbers<T>& s = state->numbers;
    for (Index i = 0; i < size && !s.skip; ++i) {
      const T grad = s.clip * g[i];
      m[i] = s.beta1 * m[i] + (T(1) - s.beta1) * grad;
      v[i] = s.beta2 * v[i] + (T(1) - s.beta2) * grad * grad;
      w[i] -= s.rate * m[i] / (std::sqrt(s.correct2 * v[i]) + s.eps) + (decays ? s.decay : T(0)) * w[i];
      g[i] = T(0);
      if (rounded) rounded[i] = Bfloat16(static_cast<float>(w[i]));
    }
  }
};

}  // namespace stlm::ops::impl
