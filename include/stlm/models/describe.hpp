// describe<Model>(): a model's tensors and totals as text, for people.
#pragma once

#include <string>

#include <stlm/models/language_model.hpp>

namespace stlm {

namespace detail {
struct Describer {
  std::string text;
  template <class T, class Shape>
  void operator()(const Path& path, TensorView<T, Shape>& view, const ParameterSpec&) {
    std::string name = path.str(), shape;
    for (int dim = 0; dim < Shape::rank; ++dim) shape += (dim ? " x " : "") + std::to_string(view.extent(dim));
    name.resize(std::max<std::size_t>(name.size(), 40), ' ');
    shape.resize(std::max<std::size_t>(shape.size(), 14), ' ');
    text += name + " " + shape + " " + std::to_string(view.size()) + "\n";
  }
};
}  // namespace detail

/// One line for each tensor: name, shape, number of parameters; then the total. A shared tensor is listed once, by its owner.
template <class Model>
std::string describe() {
  return detail::visited<Model>(detail::Describer{}).text + "total " + std::to_string(num_params<Model>) + " parameters\n";
}

}  // namespace stlm
