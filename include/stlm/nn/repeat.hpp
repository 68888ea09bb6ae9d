// Repeat<N, Block>: N layers of one kind in a run-time loop, so a block is compiled once whatever N.
//
// x (N, C) -> y (N, C). Cached: the input of every layer but the first, and what the blocks cache.
#pragma once

#include <array>

#include <stlm/core/module.hpp>

namespace stlm {

template <Index Count, class Block>
struct Repeat {
  static_assert(Count > 0, "stlm::Repeat: expected a Count > 0 of layers.");
  static constexpr Index dim = Block::dim, layers = Count;
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
    std::array<typename Block::template KvCache<T>, size> layers;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    for (std::size_t i = 0; i < size; ++i) {
      const Path layer = path / static_cast<Index>(i);
      if constexpr (requires { Block::visit(v, layer, p.layers[i], p.layers[0], Index{}); })
        Block::visit(v, layer, p.layers[i], p.layers[0], static_cast<Index>(i));
      else
        Block::visit(v, layer, p.layers[i]);
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
    for (auto& layer : state.layers) Block::plan_decode(arena, layer, batch, capacity);
  }
  static constexpr double flops_per_token(Index tokens) { return Count * Block::flops_per_token(tokens); }

  template <class B, class T>
  static void forward(Context<B>& ctx, const Params<T>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                      const Cache<T>& cache) {
    for (std::size_t i = 0; i < size; ++i)
      Block::forward(ctx, p.layers[i], pass.at(i), input(x, cache, i), output(y, cache, i), cache.layers[i]);
  }
  template <class B, class T>
  static void decode(Context<B>& ctx, const Params<T>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    for (std::size_t i = 0; i < size; ++i)
      Block::decode(ctx, p.layers[i], pass, input(x, cache, i), output(y, cache, i), cache.layers[i], state.layers[i]);
  }
  template <class B, class T>
  static void backward(Context<B>& ctx, const Params<T>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> d,
                       const Cache<T>& cache, const Params<T>& grads) {
    for (std::size_t i = size; i-- > 0;)
      Block::backward(ctx, p.layers[i], pass.at(i), input(x, cache, i), d, cache.layers[i], grads.layers[i]);
  }
  template <class T>
  static T auxiliary(const Cache<T>& cache) {
    T sum(0);
    for (const auto& layer : cache.layers) sum += auxiliary_loss_of<Block, T>(layer);
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
