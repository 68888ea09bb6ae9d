// Which tensors of a model Muon orthogonalises, and which matrices each of them stacks.
#pragma once

#include <algorithm>
#include <iterator>
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

/// Visitor: whether the matrices stacked in each tensor cover all its rows.
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

/// Matrices of one shape that are orthogonalised together.
struct MuonBatch {
  Index rows, cols;
  std::vector<Index> at;  // where each begins in the buffer of parameters

  Index count() const { return std::ssize(at); }
  Index size() const { return rows * cols; }
  Index side() const { return std::min(rows, cols); }
  /// The distance in elements from one matrix to the next, and from one Gram matrix to the next.
  Index step() const { return aligned(size()); }
  Index gram_step() const { return aligned(side() * side()); }
};

/// All of Muon's matrices, in batches of at most `numbers` elements; a larger matrix is a batch of its own.
template <class P>
std::vector<MuonBatch> muon_batches(const P& params, Index numbers) {
  std::vector<MuonBatch> batches;
  params.for_each([&]<class T, class Shape>(const Path&, const TensorView<T, Shape>& view, const ParameterSpec& spec) {
    if (!is_muon_matrix<Shape>(spec)) return;
    const Index cols = view.extent(Shape::rank - 1);
    for_each_part(spec, view.extent(0), [&](Index row, Index rows) {
      auto batch = std::ranges::find_if(batches, [&](const MuonBatch& one) {
        return one.rows == rows && one.cols == cols && (one.count() + 1) * one.size() <= numbers;
      });
      if (batch == batches.end()) batch = batches.insert(batch, {rows, cols, {}});
      batch->at.push_back(view.data() - params.flat().data() + row * cols);
    });
  });
  return batches;
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
