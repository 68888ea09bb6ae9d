// Which tensors of a model Muon orthogonalises, and as which matrices.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

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

/// Whether the matrices stacked in each tensor are the whole of it.
struct PartsFit {
  bool all = true;

  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>& view, const ParameterSpec& spec) {
    if (!is_muon_matrix<Shape>(spec)) return;
    Index rows = 0;
    for_each_part(spec, view.extent(0), [&](Index begin, Index part) { rows = begin + part; });
    all = all && rows == view.extent(0);
  }
};

/// A matrix that lies `at` in the buffer of parameters.
struct MuonMatrix {
  Index at, rows, cols;

  Index size() const { return rows * cols; }
  Index side() const { return std::min(rows, cols); }
  std::pair<Index, Index> shape() const { return {rows, cols}; }
};

/// All of them, those of one shape side by side.
template <class P>
std::vector<MuonMatrix> muon_matrices(const P& params) {
  std::vector<MuonMatrix> all;
  params.for_each([&]<class T, class Shape>(const Path&, const TensorView<T, Shape>& view, const ParameterSpec& spec) {
    if constexpr (Shape::rank == 2)
      if (is_muon_matrix<Shape>(spec))
        for_each_part(spec, view.extent(0), [&](Index row, Index rows) {
          all.push_back({view.data() - params.flat().data() + row * view.extent(1), rows, view.extent(1)});
        });
  });
  std::ranges::stable_sort(all, {}, &MuonMatrix::shape);
  return all;
}

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
