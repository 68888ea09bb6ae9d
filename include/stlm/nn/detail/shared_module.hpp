// SharedModule: a module whose tensors layers share by a sharing policy (nn/sharing.hpp).
//
// Sharing happens when views are bound, not in the module: a layer that shares holds its owner's views. So forward and backward
// are the same for shared tensors, and the gradients of all layers add up in the one tensor.
#pragma once

#include <span>

#include <stlm/nn/sharing.hpp>

namespace stlm {

namespace detail {

template <class M, class Policy>
struct Shared {
  using type = M;
};
template <class M, class Policy>
  requires has_lora<Policy>
struct Shared<M, Policy> {
  static_assert(requires { typename M::template WithLinears<typename M::linears>; },
                "stlm::SharedModule: low-rank terms need a module that says what linear layers it is made of; add `linears` "
                "and `WithLinears<Other>` as in stlm::SwiGlu, or give the sharing policy no Lora.");
  using type = typename M::template WithLinears<WithLora<typename Policy::lora, typename M::linears>>;
};

/// A visitor that passes on the tensors that a group shares if `shared`, and those that each layer owns if `per_layer`.
template <class V>
struct Selected {
  V& visitor;
  bool shared, per_layer;

  template <class Tensor>
  constexpr void operator()(const Path& path, Tensor& view, const ParameterSpec& spec) {
    if (spec.per_layer ? per_layer : shared) visitor(path, view, spec);
  }
  template <class P>
  constexpr void share(P& p, const P& owner) {
    stlm::share(visitor, p, owner);
  }
};

/// A visitor with a member `every_use` is given the tensors of all layers, shared or not.
template <class V>
concept WantsEveryUse = requires { V::every_use; };

}  // namespace detail

/// The module `M` under a sharing policy: with low-rank terms if the policy has them.
template <class M, class Policy>
using SharedModule = typename detail::Shared<M, Policy>::type;

/// Visits the module M of layer `index`, with parameters `part(layers[index])`: binds tensors of another layer, lists the rest.
template <class Policy, class M, class V, class P, class Part>
constexpr void visit_shared(V& v, const Path& path, std::span<P> layers, Index index, Part part) {
  const Index count = std::ssize(layers), owner = Policy::owner(index, count);
  auto& p = part(layers[static_cast<std::size_t>(index)]);
  if constexpr (requires { M::visit(v, path, p, p, index); } && std::is_same_v<Policy, Owned>) {
    M::visit(v, path, p, part(layers[0]), index);  // a module that shares a part of itself across layers
  } else if constexpr (std::is_same_v<Policy, Owned> || detail::WantsEveryUse<V>) {
    M::visit(v, path, p);
  } else {
    if (owner != index) share(v, p, part(layers[static_cast<std::size_t>(owner)]));
    detail::Selected<V> selected{v, owner == index, !detail::has_lora<Policy> || detail::in_group<Policy>(index, count)};
    if constexpr (requires { M::visit(selected, path, p, p, index); })
      M::visit(selected, path, p, part(layers[0]), index);
    else
      M::visit(selected, path, p);
  }
}

}  // namespace stlm
