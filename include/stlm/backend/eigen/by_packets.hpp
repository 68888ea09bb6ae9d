// A function of every number of some arrays, computed packet by packet: the bits of a result depend neither on its place nor on
// how the arrays are cut.
#pragma once

#include <algorithm>
#include <array>

#include <stlm/backend/eigen/stream.hpp>

namespace stlm::eigen {

/// Calls f(arguments, results) for one packet of each array at a time, which have `count` numbers each. All numbers go through
/// the same instructions: the last packet may overlap the one before, and fewer numbers than a packet has are padded with
/// zeros. Results may overwrite arguments. The first two arguments are prefetched across pages, where the processor's own
/// prefetching begins anew.
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

}  // namespace stlm::eigen
