// The tensors of all layers by name; a tensor that layers share is listed under the name of each of them.
#pragma once

#include <map>
#include <string>

#include <stlm/core/parameter.hpp>

namespace stlm::test {

template <class T>
struct EveryUse {
  static constexpr bool every_use = true;
  std::map<std::string, View<T, dynamic>> tensors;

  template <class Shape>
  void operator()(const Path& path, TensorView<T, Shape>& view, const ParameterSpec&) {
    if (view) tensors[path.str()] = View<T, dynamic>(view.data(), view.size());
  }
};

template <class Model, class B, class T>
std::map<std::string, View<T, dynamic>> every_use(const Parameters<Model, B, T>& params) {
  EveryUse<T> uses;
  auto tree = params.tree();
  Model::visit(uses, Path{}, tree);
  return uses.tensors;
}

/// The names under which tensors are stored, each once.
template <class Model, class B, class T>
std::vector<std::string> stored_names(const Parameters<Model, B, T>& params) {
  std::vector<std::string> names;
  params.for_each([&](const Path& path, const auto&, const ParameterSpec&) { names.push_back(path.str()); });
  return names;
}

}  // namespace stlm::test
