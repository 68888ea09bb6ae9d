// A learned activation by loops.
#pragma once

#include <array>

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/learned_activation.hpp>

namespace stlm::ops::impl {

template <>
struct LearnedActivation<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void forward(Ctx&, const T* x, const ReluNetwork<T>& f, T* y, Index size) {
    for (Index i = 0; i < size; ++i) {
      T sum = *f.b2;
      for (Index j = 0; j < f.hidden; ++j) {
        const T h = f.w1[j] * x[i] + f.b1[j];
        if (!(real_part(h) <= 0)) sum += f.w2[j] * h;  // so that NaN stays NaN
      }
      y[i] = sum;
    }
  }
  template <class T>
  static void backward(Ctx&, const T* x, const ReluNetwork<T>& f, const T* dy, T* dx, Index size,
                       const ReluNetwork<T>& grads) {
    std::array<T, 2 * ReluNetwork<T>::most + 1> sums{};
    for (Index i = 0; i < size; ++i) {
      T slope(0);
      const T d = dy[i];
      for (Index j = 0; j < f.hidden; ++j)
        if (real_part(f.w1[j] * x[i] + f.b1[j]) > 0) {
          slope += f.w2[j] * f.w1[j];
          sums[static_cast<std::size_t>(j)] += d;
          sums[static_cast<std::size_t>(f.hidden + j)] += d * x[i];
        }
      sums[static_cast<std::size_t>(2 * f.hidden)] += d;
      dx[i] = d * slope;
    }
    add_network_gradients(f, sums.data(), grads);
  }
};

}  // namespace stlm::ops::impl
