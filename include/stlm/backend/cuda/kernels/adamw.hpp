// AdamW (ops/optimizer.hpp) in one pass over flat buffers: scales the gradient for clipping, updates the weights, and may
// write a copy of them in Bfloat16 and set the gradient to zero.
//
// Bound by memory: 28 bytes for a float weight, 34 with the copy and the zero.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::gpu {

using ops::AdamWNumbers;

/// `cleared` and `rounded` may be empty.
template <class T>
struct AdamWArguments {
  Span<const AdamWNumbers<T>> numbers;
  Span<T> weights;
  Span<const T> grads;
  Span<T> first, second;
  bool decays;
  Span<T> cleared;
  Span<Bfloat16> rounded;
};

/// A thread has W weights.
template <class T, int W>
struct AdamWUpdate {
  static constexpr const char* name = "adamw";
  static constexpr int threads = 256, numbers_of_block = threads * W;

  AdamWArguments<T> of;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const AdamWNumbers<T> s = e.load(of.numbers, 0);
      const T decay = of.decays ? s.decay : T(0);
      const Index first = (e.block() * threads + t) * W;
      for_numbers<W>(first, of.weights.size, [&]<int Count>(Constant<Count>, Index i) {
        auto w = load_numbers<Count>(e, of.weights, i), m = load_numbers<Count>(e, of.first, i);
        auto v = load_numbers<Count>(e, of.second, i);
        const auto g = load_numbers<Count>(e, of.grads, i);
        if (s.skip) return;  // after the loads, so that they do not wait for it
        unroll<Count>([&](int j) {
          const T d = s.clip * g[j];
          m[j] = s.beta1 * m[j] + (T(1) - s.beta1) * d;
          v[j] = s.beta2 * v[j] + (T(1) - s.beta2) * d * d;
          w[j] -= s.rate * m[j] / (std::sqrt(s.correct2 * v[j]) + s.eps) + decay * w[j];
        });
        store_numbers<Count>(e, of.weights, i, w);
        store_numbers<Count>(e, of.first, i, m);
        store_numbers<Count>(e, of.second, i, v);
        if (of.cleared.data) store_numbers<Count>(e, of.cleared, i, Numbers<T, Count>{});
        if constexpr (Count % Packet<Bfloat16>::size == 0 || Count == 1)
          if (of.rounded.data) {
            Numbers<float, Count> copy;
            unroll<Count>([&](int j) { copy[j] = static_cast<float>(w[j]); });
            store_numbers<Count>(e, of.rounded, i, copy);
          }
      });
    });
  }
};

}  // namespace stlm::gpu
