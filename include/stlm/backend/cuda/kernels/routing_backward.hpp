// The gradient of routing (kernels/routing.hpp), a thread for each row.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// The gradient of the logits through gates and load balance (ops/routing.hpp). Rounded probabilities may not add up to 1,
/// so a mean weighted by them is divided by their sum.
template <class T>
struct RouteBackward {
  static constexpr const char* name = "route_backward";
  static constexpr int threads = 128;
  using Real = compute_t<T>;

  Span<const T> probabilities, dgates;
  Span<const Index> experts, offsets;
  Span<T> dlogits;
  Index rows;
  int num_experts, chosen;
  Real balance;  // weight * E / rows / routed rows, for each routed row of an expert
  bool renormalize;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, row = n * num_experts, first = n * chosen;
      if (n >= rows) return;
      const auto p = [&](Index i) { return load_number(e, probabilities, row + i); };
      const auto gate_d = [&](Index j) { return load_number(e, dgates, j); };
      Real chosen_mean = 0, scale = 1, mean = 0, sum = 0;
      if (renormalize) {
        for (Index j = first; j < first + chosen; ++j) {
          chosen_mean += gate_d(j) * p(e.load(experts, j));
          sum += p(e.load(experts, j));
        }
        scale = Real(1) / sum;
        chosen_mean *= scale;
        sum = 0;
      }
      const auto d = [&](int i) {  // the gradient of probability i
        Real total = balance * static_cast<Real>(e.load(offsets, i + 1) - e.load(offsets, i));
        for (Index j = first; j < first + chosen; ++j)
          if (e.load(experts, j) == i) total += (gate_d(j) - chosen_mean) * scale;
        return total;
      };
      for (int i = 0; i < num_experts; ++i) {
        mean += p(i) * d(i);
        sum += p(i);
      }
      mean /= sum;
      for (int i = 0; i < num_experts; ++i) store_number(e, dlogits, row + i, p(i) * (d(i) - mean));
      e.flops(8 * num_experts + 6 * chosen);
    });
  }
};

}  // namespace stlm::gpu
