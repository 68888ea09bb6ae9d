// The gated product of SwiGLU and its gradients, in one pass over packets.
#pragma once

#include <algorithm>
#include <array>

#include <stlm/backend/eigen/stream.hpp>

namespace stlm::eigen {

/// Calls f(arguments, results) for one packet of each array at a time, which have `count` numbers each. All numbers go through
/// the same instructions: the last packet may overlap the one before, and fewer numbers than a packet has are padded with
/// zeros. Results may overwrite arguments. The first two arguments, gate and up, come from memory and are prefetched across
/// pages, where the processor's own prefetching begins anew.
template <class T, std::size_t Arguments, std::size_t Results, class F>
void by_packets(const std::array<const T*, Arguments>& x, const std::array<T*, Results>& y, Index count, const F& f) {
  using P = typename Eigen::internal::packet_traits<T>::type;
  constexpr Index size = Eigen::internal::packet_traits<T>::size;
  P arguments[Arguments], last[Arguments], results[Results];
  const auto load = [&](Index i, P* to) {
    for (std::size_t k = 0; k < Arguments; ++k)
      to[k] = Eigen::internal::ploadu<P>(k < 2 ? streamed(x[k] + i) : x[k] + i);
  };
  const auto compute = [&](const P* from, Index i) {
    f(from, results);
    for (std::size_t k = 0; k < Results; ++k) Eigen::internal::pstoreu(y[k] + i, results[k]);
  };
  if (count < size) {
    T filled[std::size_t(size)] = {};
    for (std::size_t k = 0; k < Arguments; ++k) {
      std::copy_n(x[k], count, filled);
      arguments[k] = Eigen::internal::ploadu<P>(filled);
    }
    f(arguments, results);
    for (std::size_t k = 0; k < Results; ++k) {
      Eigen::internal::pstoreu(filled, results[k]);
      std::copy_n(filled, count, y[k]);
    }
    return;
  }
  load(count - size, last);  // before a result overwrites it
  for (Index i = 0; i + size <= count; i += size) {
    load(i, arguments);
    compute(arguments, i);
  }
  if (count % size != 0) compute(last, count - size);
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
