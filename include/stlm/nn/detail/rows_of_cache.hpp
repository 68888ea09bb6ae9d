// RowsOfCache stands in for an Arena: it turns a cache planned for `total` rows into a view of `count` of them from `begin`
// on. For modules whose caches have so many numbers a row, as those of feed-forward layers.
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
