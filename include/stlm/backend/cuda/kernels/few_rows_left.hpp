// The left factor of a product of few rows (few_rows.hpp): as it is, or computed as it is read.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/activation.hpp>

namespace stlm::gpu {

/// Rows as they are.
template <class F>
struct AsTheyAre {
  static constexpr bool normed = false;
  Span<const F> x;
  Index stride;

  template <int W, class Exec>
  STLM_KERNEL auto load(Exec& e, int m, int k) const {
    return load_numbers<W>(e, x, m * stride + k);
  }
};
/// x gain / sqrt(mean of x^2 + eps).
template <class F>
struct Normed : AsTheyAre<F> {
  static constexpr bool normed = true;
  Span<const compute_t<F>> gain;
  compute_t<F> eps;
};
/// silu(gate) up: parts of the same rows, or matrices with the same stride.
template <class F>
struct Gated {
  static constexpr bool normed = false;
  Span<const F> gate, up;
  Index stride;

  template <int W, class Exec>
  STLM_KERNEL auto load(Exec& e, int m, int k) const {
    auto x = load_numbers<W>(e, gate, m * stride + k);
    const auto y = load_numbers<W>(e, up, m * stride + k);
    unroll<W>([&](int j) { x[j] = Silu::value(x[j]) * y[j]; });
    return x;
  }
};

}  // namespace stlm::gpu
