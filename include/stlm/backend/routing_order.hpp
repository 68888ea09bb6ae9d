// The parts of routing that are the same on every backend of the host: choosing the K experts of a row, and sorting rows by
// expert.
#pragma once

#include <algorithm>

#include <stlm/ops/routing.hpp>

namespace stlm::ops::impl {

/// Chooses the experts of the K largest probabilities of row n, in descending order; of equal probabilities the first. No
/// expert is chosen twice, even if probabilities are NaN.
template <class T>
void choose_experts(const RoutesView<T>& r, Index n) {
  const T* const p = r.probabilities + n * r.num_experts;
  Index* const chosen = r.experts + n * r.chosen;
  for (Index j = 0; j < r.chosen; ++j) {
    Index best = -1;
    for (Index e = 0; e < r.num_experts; ++e)
      if ((best < 0 || real_part(p[e]) > real_part(p[best])) && std::find(chosen, chosen + j, e) == chosen + j) best = e;
    chosen[j] = best;
  }
}

/// Computes the slots and offsets from the experts, by a stable counting sort.
template <class T>
void sort_by_expert(const RoutesView<T>& r) {
  std::fill_n(r.offsets, r.num_experts + 1, Index{0});
  const Index routed = r.rows * r.chosen;
  for (Index i = 0; i < routed; ++i) ++r.offsets[r.experts[i] + 1];
  for (Index e = 0; e < r.num_experts; ++e) r.offsets[e + 1] += r.offsets[e];
  for (Index i = 0; i < routed; ++i) r.slots[i] = r.offsets[r.experts[i]]++;
  std::copy_backward(r.offsets, r.offsets + r.num_experts, r.offsets + r.num_experts + 1);  // each was at its expert's end
  r.offsets[0] = 0;
}

}  // namespace stlm::ops::impl
