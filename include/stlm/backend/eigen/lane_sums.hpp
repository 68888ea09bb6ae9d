// lane_sums: the sums of the lanes of several packets at once. Two packets at a time become one, until a single packet holds
// one sum per lane. For 16 packets of 16 lanes this takes 45 instructions, a third of those for one packet after another.
#pragma once

#include <utility>

#include <stlm/backend/eigen/eigen_core.hpp>

namespace stlm::eigen {

namespace detail {
/// The sums of the two halves of each block of 2 * Block lanes, for the blocks of a, then those of b.
template <int Block, class V, std::size_t... I>
EIGEN_ALWAYS_INLINE V add_halves(V a, V b, std::index_sequence<I...>) {
  constexpr auto lane = [](std::size_t i) { return static_cast<int>(i) / Block * 2 * Block + static_cast<int>(i) % Block; };
#if __has_builtin(__builtin_shufflevector)
  return __builtin_shufflevector(a, b, lane(I)...) + __builtin_shufflevector(a, b, (lane(I) + Block)...);
#else  // GCC 11
  constexpr int lanes = sizeof...(I);
  const auto pick = [&](int i) { return i < lanes ? a[i] : b[i - lanes]; };
  return V{pick(lane(I))...} + V{pick(lane(I) + Block)...};
#endif
}
}  // namespace detail

/// Lane i of the result is the sum of the lanes of v[i], for Count <= Lanes vectors, both powers of two. Halves are added until
/// four lanes are left, then neighbours, whatever the Count. `Left` lanes of each vector are still to be added.
template <int Lanes, int Left = Lanes, class V, std::size_t Count>
EIGEN_ALWAYS_INLINE V lane_sums(const V (&v)[Count]) {
  if constexpr (Left == 1) {
    return v[0];
  } else {
    constexpr std::make_index_sequence<std::size_t{Lanes}> all{};
    constexpr int block = Left > 4 ? Left / 2 : 1;
    V halves[(Count + 1) / 2];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Count; i += 2) halves[i / 2] = detail::add_halves<block>(v[i], v[i + (Count > 1)], all);
    return lane_sums<Lanes, Left / 2>(halves);
  }
}

}  // namespace stlm::eigen
