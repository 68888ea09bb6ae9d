// Sharing policies: which layer's tensors a layer uses. The same policies serve the feed-forward layer of a block, attention's
// output projection, and whole blocks. With L layers, counted from 0:
//
//   Owned                      every layer has its own
//   SharedAcrossLayers<>       all use those of layer 0 (MobiLLaMA; Thawakar et al. 2024)
//   SharedInterior<K>          layers 1 + K to L - K - 1 use those of layer 1 + K, the others have their own
//   Blockwise<R>               R consecutive layers use those of the first of them (MobileLLM; Liu et al. 2024)
//   Cyclic<M>                  layer i uses those of layer i mod M (Universal Transformer and ALBERT with M = 1)
//
// `owner(layer, layers)` of a policy is the layer whose tensors `layer` uses: itself or an earlier one. Layers with the same
// owner are a group. With a last argument Lora<Rank> or BiasedLora<Rank>, every layer of a group of two or more, the owner
// included, has low-rank terms of its own on each shared matrix.
//
// nn/detail/shared_module.hpp binds the shared tensors.
#pragma once

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

/// Whether the owners of `Policy` are valid for `Layers` layers. Runs its own `check`, if any, which has its own message.
template <class Policy, Index Layers>
constexpr bool sharing_fits() {
  if constexpr (requires { Policy::template check<Layers>(); }) Policy::template check<Layers>();
  for (Index i = 0; i < Layers; ++i) {
    const Index owner = Policy::owner(i, Layers);
    if (owner < 0 || owner > i || Policy::owner(owner, Layers) != owner) return false;
  }
  return true;
}

/// Whether another layer uses the same tensors as `layer`.
template <class Policy>
constexpr bool in_group(Index layer, Index layers) {
  for (Index i = 0; i < layers; ++i)
    if (i != layer && Policy::owner(i, layers) == Policy::owner(layer, layers)) return true;
  return false;
}

}  // namespace detail

}  // namespace stlm
