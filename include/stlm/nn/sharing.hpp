// Sharing policies: whose memory a layer's module reads and writes.
//
//   Owned                        every layer has its own tensors
//   SharedAcrossLayers<>         all layers use layer 0's (MobiLLaMA; Thawakar et al. 2024)
//   SharedAcrossLayers<Rank>     the same, plus low-rank terms of each layer's own on every matrix
//
// Sharing happens where views are bound, not in the module: a layer that shares holds layer 0's views, so forward and
// backward know nothing of it, and gradients of all layers add up in the one tensor. `layer` is the block's index,
// `first` the same module of layer 0.
#pragma once

#include <stlm/nn/linear.hpp>

namespace stlm {

struct Owned {
  template <class M>
  using Apply = M;

  template <class M, class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p, const P& first, Index layer) {
    if constexpr (requires { M::visit(v, path, p, first, layer); })
      M::visit(v, path, p, first, layer);  // a module that shares a part of itself across layers
    else
      M::visit(v, path, p);
  }
};

template <Index LoraRank = 0>
struct SharedAcrossLayers {
  template <class M, Index Rank>
  struct Rebind {
    using type = typename M::template WithLinears<WithLora<Rank>>;
  };
  template <class M>
  struct Rebind<M, 0> {
    using type = M;
  };
  template <class M>
  using Apply = typename Rebind<M, LoraRank>::type;

  template <class M, class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p, const P& first, Index layer) {
    if (layer == 0) return M::visit(v, path, p);
    share(v, p, first);
    PerLayerOnly<V> own{v};
    M::visit(own, path, p);
  }

 private:
  template <class V>
  struct PerLayerOnly {
    V& visitor;
    template <class T, class Shape>
    constexpr void operator()(const Path& path, TensorView<T, Shape>& view, const ParameterSpec& spec) {
      if (spec.per_layer) visitor(path, view, spec);
    }
  };
};

}  // namespace stlm
