// The gated product of SwiGLU and its gradients, in one pass over packets.
#pragma once

#include <algorithm>
#include <array>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/config.hpp>

namespace stlm::eigen {

/// One packet of each result from one of each argument, `count` numbers of each. A rest is filled up, so that all numbers go
/// by the same instructions; results may take the place of arguments.
template <class T, std::size_t Arguments, std::size_t Results, class F>
void by_packets(const std::array<const T*, Arguments>& x, const std::array<T*, Results>& y, Index count, const F& f) {
  using P = typename Eigen::internal::packet_traits<T>::type;
  constexpr Index size = Eigen::internal::packet_traits<T>::size;
  const auto one = [&](const std::array<const T*, Arguments>& from, const std::array<T*, Results>& to, Index i) {
    P arguments[Arguments], results[Results];
    for (std::size_t k = 0; k < Arguments; ++k) arguments[k] = Eigen::internal::ploadu<P>(from[k] + i);
    f(arguments, results);
    for (std::size_t k = 0; k < Results; ++k) Eigen::internal::pstoreu(to[k] + i, results[k]);
  };
  const Index rest = count % size, whole = count - rest;
  for (Index i = 0; i < whole; i += size) one(x, y, i);
  if (rest == 0) return;
  T filled[Arguments][std::size_t(size)] = {}, made[Results][std::size_t(size)];
  std::array<const T*, Arguments> from;
  std::array<T*, Results> to;
  for (std::size_t k = 0; k < Arguments; ++k) from[k] = std::copy_n(x[k] + whole, rest, filled[k]) - rest;
  for (std::size_t k = 0; k < Results; ++k) to[k] = made[k];
  one(from, to, 0);
  for (std::size_t k = 0; k < Results; ++k) std::copy_n(made[k], rest, y[k] + whole);
}

template <class P>
P sigmoid(const P& x) {
  using namespace Eigen::internal;
  const P one = pset1<P>(1);
  return pdiv(one, padd(one, pexp(pnegate(x))));
}

/// y = silu(gate) up.
template <class T>
void swiglu_forward(const T* gate, const T* up, T* y, Index count) {
  by_packets<T, 2, 1>({gate, up}, {y}, count, [](const auto& x, auto& results) {
    using namespace Eigen::internal;
    results[0] = pmul(pmul(x[0], sigmoid(x[0])), x[1]);
  });
}

/// (dgate, dup), or (dgate, dup, y), of (gate, up, dy): one exponential for all.
template <class T, std::size_t Results>
void swiglu_backward(const T* gate, const T* up, const T* dy, const std::array<T*, Results>& to, Index count) {
  by_packets<T, 3, Results>({gate, up, dy}, to, count, [](const auto& x, auto& results) {
    using namespace Eigen::internal;
    const auto s = sigmoid(x[0]), one = pset1<std::decay_t<decltype(s)>>(1), silu = pmul(x[0], s);
    const auto slope = pmul(s, padd(one, pmul(x[0], psub(one, s))));
    results[0] = pmul(pmul(x[2], x[1]), slope);
    results[1] = pmul(x[2], silu);
    if constexpr (Results == 3) results[2] = pmul(silu, x[1]);
  });
}

}  // namespace stlm::eigen
