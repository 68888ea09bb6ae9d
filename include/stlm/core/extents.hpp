// Extents: the shape of a view, each dimension fixed at compile time or `dynamic`.
//
//   Extents<dynamic, 256> rows(n);     // n x 256; only n takes storage
//
// The vocabulary follows std::mdspan (P0009). Row-major throughout: the last dimension is contiguous.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm {

inline constexpr Index dynamic = -1;  ///< an extent known at run time

template <Index... Sizes>
class Extents {
  static_assert(((Sizes >= 0 || Sizes == dynamic) && ...),
                "stlm::Extents: a size is negative; give sizes >= 0, or stlm::dynamic for one known at run time.");

 public:
  static constexpr int rank = sizeof...(Sizes);
  static constexpr int num_dynamic = ((Sizes == dynamic) + ... + 0);

  constexpr Extents() = default;

  /// One argument for each dynamic dimension, in order.
  template <class... Dims>
    requires(sizeof...(Dims) == num_dynamic && num_dynamic > 0)
  STLM_HOST_DEVICE explicit constexpr Extents(Dims... dims) : dynamic_{static_cast<Index>(dims)...} {}

  static constexpr Index static_extent(int dim) {
    const Index sizes[] = {Sizes..., 1};
    return sizes[dim];
  }

  STLM_HOST_DEVICE constexpr Index extent(int dim) const {
    const Index sizes[] = {Sizes..., 1};
    if (sizes[dim] != dynamic) return sizes[dim];
    int slot = 0;
    for (int i = 0; i < dim; ++i) slot += sizes[i] == dynamic;
    return dynamic_[slot];
  }

  STLM_HOST_DEVICE constexpr Index size() const {
    Index product = 1;
    for (int dim = 0; dim < rank; ++dim) product *= extent(dim);
    return product;
  }

  friend constexpr bool operator==(const Extents& a, const Extents& b) {
    for (int dim = 0; dim < rank; ++dim)
      if (a.extent(dim) != b.extent(dim)) return false;
    return true;
  }

 private:
  Index dynamic_[num_dynamic == 0 ? 1U : static_cast<std::size_t>(num_dynamic)] = {};
};

/// True when a view of extents `From` may be read as one of `To`: equal ranks, and no two fixed sizes differ.
template <class To, class From>
inline constexpr bool extents_compatible = false;

template <Index... To, Index... From>
  requires(sizeof...(To) == sizeof...(From))
inline constexpr bool extents_compatible<Extents<To...>, Extents<From...>> =
    ((To == dynamic || From == dynamic || To == From) && ...);

}  // namespace stlm
