// The network of a learned activation, as kernels read it and as its gradients are added up.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/learned_activation.hpp>

namespace stlm::gpu {

/// ops::ReluNetwork as a kernel reads it; in shared memory its numbers lie one after another, w1, b1, w2, b2.
template <class T>
struct NetworkSpan {
  static constexpr int most = static_cast<int>(ops::ReluNetwork<T>::most), numbers = 3 * most + 1;
  Span<const T> w1, b1, w2, b2;
  int hidden;

  NetworkSpan(const ops::ReluNetwork<T>& f)
      : w1(f.w1, f.hidden), b1(f.b1, f.hidden), w2(f.w2, f.hidden), b2(f.b2, 1), hidden(static_cast<int>(f.hidden)) {}

  /// Copies thread t's share of the network to `shared`; a barrier must follow.
  template <class Exec, class Array>
  STLM_KERNEL void share(Exec& e, Array& shared, int t) const {
    for (int j = t; j < hidden; j += Exec::threads) {
      shared[j] = e.load(w1, j);
      shared[hidden + j] = e.load(b1, j);
      shared[2 * hidden + j] = e.load(w2, j);
    }
    if (t == 0) shared[3 * hidden] = e.load(b2, 0);
  }
};

/// Adds the gradients of the weights, computed from the sums [A | B | sum of dy] of kernels/learned_activation.hpp.
template <class T>
struct NetworkGradients {
  static constexpr const char* name = "network_gradients";
  static constexpr int threads = 64;
  static_assert(threads >= NetworkSpan<T>::most);

  NetworkSpan<T> f;
  Span<const T> sums;
  Span<T> w1, b1, w2, b2;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const auto add = [&](Span<T> to, Index i, T value) { e.store(to, i, static_cast<T>(e.load(to, i) + value)); };
      if (t == 0) add(b2, 0, e.load(sums, 2 * f.hidden));
      if (t >= f.hidden) return;
      const T a = e.load(sums, t), b = e.load(sums, f.hidden + t), weight = e.load(f.w2, t);
      add(w1, t, weight * b);
      add(b1, t, weight * a);
      add(w2, t, e.load(f.w1, t) * b + e.load(f.b1, t) * a);
    });
  }
};

}  // namespace stlm::gpu
