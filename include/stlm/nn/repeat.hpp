// Repeat<Count, Block, Sharing>: Count layers of one type in a run-time loop, so the block is compiled once.
//
// x (N, C) -> y (N, C). Cached: the input of every layer but the first, and what the blocks cache. `Sharing` is a policy of
// nn/sharing.hpp for whole blocks: a layer that shares has all tensors of its owner, and a Cache and KvCache of its own.
#pragma once

#include <array>

#include <stlm/nn/detail/decode.hpp>
#include <stlm/nn/detail/shared_module.hpp>
#include <stlm/nn/sharing.hpp>

namespace stlm {

namespace detail {
/// Whether the sharing policies inside a block, if it has any, fit `Layers` layers.
template <class Block, Index Layers>
constexpr bool block_fits() {
  if constexpr (requires { Block::template fits<Layers>(); })
    return Block::template fits<Layers>();
  else
    return true;
}
}  // namespace detail

template <Index Count, class Block, class Sharing = Owned>
struct Repeat {
  static_assert(Count > 0, "stlm::Repeat: expected at least one layer; raise Count, a configuration's `layers`.");
  static_assert(!detail::has_lora<Sharing>,
                "stlm::Repeat: whole blocks are shared without low-rank terms; give these to the sharing policy of the "
                "block's feed-forward layer.");
  static_assert(detail::sharing_fits<Sharing, Count>() && detail::block_fits<Block, Count>(),
                "stlm::Repeat: a sharing policy's owner(layer, layers) must be `layer` or a layer before it that owns its "
                "tensors; correct it.");
  static constexpr Index dim = Block::dim, layers = Count;
  static constexpr bool causal = LooksBack<Block>;
  static constexpr std::size_t size = static_cast<std::size_t>(Count);

  template <class T>
  struct Params {
    std::array<typename Block::template Params<T>, size> layers;
  };
  template <class T>
  struct Cache {
    std::array<View<T, dynamic, dim>, size> inputs;  // [0] stays empty: it is x
    std::array<typename Block::template Cache<T>, size> layers;
  };
  template <class T>
  struct KvCache {
    std::array<detail::KvCacheOf<Block, T>, size> layers;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    const std::span<typename decltype(p.layers)::value_type> all(p.layers);
    for (Index i = 0; i < Count; ++i) {
      const Path layer = path / i;
      auto& own = p.layers[static_cast<std::size_t>(i)];
      if (const Index owner = Sharing::owner(i, Count); owner != i && !detail::WantsEveryUse<V>)
        share(v, own, p.layers[static_cast<std::size_t>(owner)]);
      else if constexpr (requires { Block::visit(v, layer, all, i); })
        Block::visit(v, layer, all, i);
      else
        Block::visit(v, layer, own);
    }
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) arena.keep(cache.inputs[i], pass.rows());
      arena.overlay([&] { Block::plan(arena, cache.layers[i], pass); });
    }
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    for (auto& layer : state.layers) detail::plan_decode<Block>(arena, layer, batch, capacity);
  }
  static constexpr double flops_per_token(Index tokens) {
    if constexpr (requires { Block::flops_per_token(tokens, Index{}, Count); }) {
      double sum = 0;
      for (Index i = 0; i < Count; ++i) sum += Block::flops_per_token(tokens, Sharing::owner(i, Count), Count);
      return sum;
    } else {
      return Count * Block::flops_per_token(tokens);
    }
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                      const Cache<T>& cache) {
    for (std::size_t i = 0; i < size; ++i)
      Block::forward(ctx, p.layers[i], pass.at(i), input(x, cache, i), output(y, cache, i), cache.layers[i]);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    for (std::size_t i = 0; i < size; ++i)
      detail::decode<Block>(ctx, p.layers[i], pass, input(x, cache, i), output(y, cache, i), cache.layers[i],
                            state.layers[i]);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> d,
                       const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    for (std::size_t i = size; i-- > 0;)
      Block::backward(ctx, p.layers[i], pass.at(i), input(x, cache, i), d, cache.layers[i], grads.layers[i]);
  }
  template <class B, class T>
    requires HasLoss<Block>
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    compute_t<T> sum(0);
    for (const auto& layer : cache.layers) sum += auxiliary_loss_of<B, Block, T>(layer);
    return sum;
  }

 private:
  template <class T>
  static View<const T, dynamic, dim> input(View<const T, dynamic, dim> x, const Cache<T>& cache, std::size_t i) {
    return i == 0 ? x : View<const T, dynamic, dim>(cache.inputs[i]);
  }
  template <class T>
  static View<T, dynamic, dim> output(View<T, dynamic, dim> y, const Cache<T>& cache, std::size_t i) {
    return i + 1 == size ? y : cache.inputs[i + 1];
  }
};

}  // namespace stlm
