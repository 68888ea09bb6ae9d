// RowsOfCache: used in place of an Arena, it narrows a cache planned for `total` rows to the rows from `begin` on that a module
// plans. Every view of the cache must have a fixed number of elements for each row, as in feed-forward layers.
#pragma once

#include <stlm/core/tensor_view.hpp>

namespace stlm::detail {

struct RowsOfCache {
  Index total, begin;
  template <class T, class Shape, class... Dims>
  void keep(TensorView<T, Shape>& view, Dims... dims) const {
    expect(view.size() % total == 0, "stlm::MixtureOfExperts: the expert caches ", view.size(), " numbers for ", total,
           " rows, which cannot be divided among experts; use an expert that caches by the row.");
    view = TensorView<T, Shape>(view.data() + view.size() / total * begin, Shape(static_cast<Index>(dims)...));
  }
  template <class V, class... Dims>
  void temp(V& view, Dims... dims) const {
    keep(view, dims...);
  }
  template <class... Parts>
  void overlay(Parts&&... parts) const {
    (parts(), ...);
  }
};

}  // namespace stlm::detail
