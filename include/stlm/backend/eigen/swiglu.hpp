// The gated product of SwiGLU and its gradients, in one pass over packets.
#pragma once

#include <stlm/backend/eigen/by_packets.hpp>

namespace stlm::eigen {

template <class P>
P sigmoid(const P& x) {
  using namespace Eigen::internal;
  const P one = pset1<P>(1);
  return pdiv(one, padd(one, pexp(pnegate(x))));
}

/// y = silu(gate) up.
template <class T>
void swiglu_forward(const T* gate, const T* up, T* y, Index count) {
  by_packets<T, 2, 1>({gate, up}, {y}, count, [](const auto* x, auto& results) {
    using namespace Eigen::internal;
    results[0] = pmul(pmul(x[0], sigmoid(x[0])), x[1]);
  });
}

/// Computes (dgate, dup), or (dgate, dup, y), from (gate, up, dy), with one exponential for all.
template <class T, std::size_t Results>
void swiglu_backward(const T* gate, const T* up, const T* dy, const std::array<T*, Results>& to, Index count) {
  by_packets<T, 3, Results>({gate, up, dy}, to, count, [](const auto* x, auto& results) {
    using namespace Eigen::internal;
    const auto s = sigmoid(x[0]), one = pset1<std::decay_t<decltype(s)>>(1), silu = pmul(x[0], s);
    const auto slope = pmul(s, padd(one, pmul(x[0], psub(one, s))));
    results[0] = pmul(pmul(x[2], x[1]), slope);
    results[1] = pmul(x[2], silu);
    if constexpr (Results == 3) results[2] = pmul(silu, x[1]);
  });
}

}  // namespace stlm::eigen
