// Which tensors of a model Muon orthogonalises, as which matrices, and the memory that takes.
#pragma once

#include <algorithm>

#include <stlm/core/parameter.hpp>

namespace stlm::detail {

template <class Shape>
constexpr bool is_muon_matrix(const ParameterSpec& spec) {
  return Shape::rank == 2 && spec.role == Role::kMatrix;
}

/// Calls f(first_row, rows) for each matrix stacked in a tensor of `rows` rows.
template <class F>
constexpr void for_each_part(const ParameterSpec& spec, Index rows, F&& f) {
  if (spec.row_parts[0] == 0) return f(Index{0}, rows);
  Index begin = 0;
  for (const Index part : spec.row_parts) {
    if (part > 0) f(begin, part);
    begin += part;
  }
}

/// The elements of the largest matrix and of the largest Gram matrix.
struct MuonCounter {
  Index matrix = 0, gram = 0;
  bool parts_fit = true;

  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>& view, const ParameterSpec& spec) {
    if (!is_muon_matrix<Shape>(spec)) return;
    Index rows = 0;
    for_each_part(spec, view.extent(0), [&](Index begin, Index part) {
      const Index side = std::min(part, view.extent(1));
      matrix = std::max(matrix, aligned(part * view.extent(1)));
      gram = std::max(gram, aligned(side * side));
      rows = begin + part;
    });
    parts_fit = parts_fit && rows == view.extent(0);
  }
};

/// A model's tensors without Muon's matrices.
template <class Model>
struct WithoutMatrices {
  template <class T>
  using Params = typename Model::template Params<T>;

  template <class V>
  struct Filter {
    V& visitor;
    template <class T, class Shape>
    constexpr void operator()(const Path& path, TensorView<T, Shape>& view, const ParameterSpec& spec) {
      if (!is_muon_matrix<Shape>(spec)) visitor(path, view, spec);
    }
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Filter<V> filter{v};
    Model::visit(filter, path, p);
  }
};

}  // namespace stlm::detail
