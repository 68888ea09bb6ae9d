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
  static double sum_squares(Ctx&, const T* x, Index size) {
    double sum = 0;
    for (Index i = 0; i < size; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
  }
  template <class T>
  static void adamw(Ctx&, const StepState<T>* state, T* w, T* g, T* m, T* v, Index size, const UpdateOptions& options) {
    const AdamWNumbers<T>& s = state->numbers;
    for (Index i = 0; i < size && !s.skip; ++i) {
      const T grad = s.clip * g[i];
      m[i] = s.beta1 * m[i] + (T(1) - s.beta1) * grad;
      v[i] = s.beta2 * v[i] + (T(1) - s.beta2) * grad * grad;
      w[i] -= s.rate * m[i] / (std::sqrt(s.correct2 * v[i]) + s.eps) + (options.decays ? s.decay : T(0)) * w[i];
      if (options.clears) g[i] = T(0);
      if (options.rounded) options.rounded(i) = Bfloat16(static_cast<float>(w[i]));
    }
  }
  template <class T>
  static void momentum(Ctx&, const StepState<T>* state, View<T, dynamic> g, T mu, View<T, dynamic> m, View<T, dynamic> u,
                       bool clears) {
    for (Index i = 0; i < g.size() && !state->numbers.skip; ++i) {
      m(i) = mu * m(i) + state->numbers.clip * g(i);
      u(i) = state->numbers.clip * g(i) + mu * m(i);
      if (clears) g(i) = T(0);
    }
  }
};

}  // namespace stlm::ops::impl
