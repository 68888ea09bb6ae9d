// How far two tensors are apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <stlm/core/config.hpp>

namespace stlm::detail {

/// The largest difference, relative to the largest expected magnitude or to 0.01 if that is larger, so that rounding does
/// not count as an error of gradients that are zero. Infinite if the sizes differ or a number is not finite.
template <class Expected, class Found>
double deviation(const Expected& expected, const Found& found) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (static_cast<Index>(expected.size()) != static_cast<Index>(found.size())) return infinity;
  double largest = 0.01, difference = 0;
  for (Index i = 0; i < static_cast<Index>(expected.size()); ++i) {
    const double wanted = static_cast<double>(expected.data()[i]), got = static_cast<double>(found.data()[i]);
    if (!std::isfinite(wanted) || !std::isfinite(got)) return infinity;
    largest = std::max(largest, std::abs(wanted));
    difference = std::max(difference, std::abs(wanted - got));
  }
  return difference / largest;
}

}  // namespace stlm::detail
