// Sharing policies: whose tensors a layer uses. One vocabulary for the feed-forward layer of a block, for attention's
// output projection, and for whole blocks. Of L layers, counted from 0:
//
//   Owned                      every layer has its own
//   SharedAcrossLayers<>       all use layer 0's (MobiLLaMA; Thawakar et al. 2024)
//   SharedInterior<K>          layers 1 + K to L - K - 1 use those of layer 1 + K, the others have their own
//   Blockwise<R>               each layer's are used R times in a row (MobileLLM; Liu et al. 2024)
//   Cyclic<M>                  layer i uses those of layer i mod M (Universal Transformer and ALBERT with M = 1)
//
// A policy is one function, `owner(layer, layers)`: the layer whose tensors `layer` uses, itself or one before it. All
// layers of an owner are a group; with a last argument Lora<Rank> or BiasedLora<Rank>, every layer of a group of two or
// more has low-rank terms of its own on each of the shared matrices, the owner too.
//
// Sharing happens where views are bound, not in the module: a layer that shares holds its owner's views, so forward and
// backward know nothing of it, and gradients of all layers add up in the one tensor.
#pragma once

#include <span>

#include <stlm/nn/lora.hpp>

namespace stlm {

struct Owned {
  using lora = NoLora;
  static constexpr Index owner(Index layer, Index) { return layer; }
};

template <class LowRank = NoLora>
struct SharedAcrossLayers {
  using lora = LowRank;
  static constexpr Index owner(Index, Index) { return 0; }
};

template <Index K, class LowRank = NoLora>
struct SharedInterior {
  using lora = LowRank;
  template <Index Layers>
  static constexpr void check() {
    static_assert(K >= 0 && Layers - 1 - 2 * K >= 2,
                  "stlm::SharedInterior: K is too large for the number of layers: of L, L - 1 - 2 K share, which must be "
                  "two or more; lower K or add layers.");
  }
  static constexpr Index owner(Index layer, Index layers) {
    return layer > 1 + K && layer < layers - K ? 1 + K : layer;
  }
};

template <Index Times, class LowRank = NoLora>
struct Blockwise {
  using lora = LowRank;
  template <Index Layers>
  static constexpr void check() {
    static_assert(Times > 0 && Layers % Times == 0,
                  "stlm::Blockwise: the number of layers is not a multiple of Times, so a layer's tensors would be used "
                  "fewer times than the others'; change one of them.");
  }
  static constexpr Index owner(Index layer, Index) { return layer / Times * Times; }
};

template <Index Period, class LowRank = NoLora>
struct Cyclic {
  using lora = LowRank;
  template <Index Layers>
  static constexpr void check() {
    static_assert(Period > 0 && Period < Layers,
                  "stlm::Cyclic: the Period is not less than the number of layers, so that no layer would share; lower it, "
                  "or use stlm::Owned.");
  }
  static constexpr Index owner(Index layer, Index) { return layer % Period; }
};

namespace detail {

template <class Policy>
inline constexpr bool has_lora = !std::is_same_v<typename Policy::lora, NoLora>;

/// Whether `Policy` serves `Layers` layers: by its own check, which has a sentence of its own, and by what it answers.
template <class Policy, Index Layers>
constexpr bool sharing_fits() {
  if constexpr (requires { Policy::template check<Layers>(); }) Policy::template check<Layers>();
  for (Index i = 0; i < Layers; ++i) {
    const Index owner = Policy::owner(i, Layers);
    if (owner < 0 || owner > i || Policy::owner(owner, Layers) != owner) return false;
  }
  return true;
}

/// Whether another layer uses the same tensors.
template <class Policy>
constexpr bool in_group(Index layer, Index layers) {
  for (Index i = 0; i < layers; ++i)
    if (i != layer && Policy::owner(i, layers) == Policy::owner(layer, layers)) return true;
  return false;
}

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

/// A visitor that passes on only the tensors shared by a group, or only those of each layer's own, or both.
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

/// A visitor that wants the tensors of all layers, shared or not, has a member `every_use`.
template <class V>
concept WantsEveryUse = requires { V::every_use; };

}  // namespace detail

/// The module `M` as a policy has it: with low-rank terms if it says so.
template <class M, class Policy>
using SharedModule = typename detail::Shared<M, Policy>::type;

/// Visits the module M of layer `index`, which is `part(layers[index])`: binds what another layer owns, lists the rest.
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
