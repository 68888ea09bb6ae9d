// LatentEncoder: a text as one vector, by blocks over its tokens, pools that leave fewer and wider tokens, and their mean.
//
//   x_0 = Core(Embedding(tokens)),   x_i = Pool_i(x_(i-1)),   z = mean over the tokens of x_n
//
// tokens (B, T) -> z (B, Latent); Latent is the width of the last pool. All B texts have T tokens, so there is no padding and
// no mask. Cached: the input of every part, and what the parts cache.
#pragma once

#include <tuple>

#include <stlm/nn/attention_pool.hpp>
#include <stlm/nn/embedding.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm {

template <class EmbeddingLayer, class CoreModule, class... Pools>
struct LatentEncoder {
  using Embedding = EmbeddingLayer;
  using Core = CoreModule;
  static constexpr std::size_t size = sizeof...(Pools);
  static_assert(size > 0, "stlm::LatentEncoder: expected at least one pool; add a stlm::AttentionPool.");
  template <std::size_t I>
  using Pool = std::tuple_element_t<I, std::tuple<Pools...>>;
  static constexpr Index dim = Embedding::dim, latent = Pool<size - 1>::out;

  template <class T>
  struct Params {
    typename Embedding::template Params<T> embedding;
    typename Core::template Params<T> core;
    std::tuple<typename Pools::template Params<T>...> pools;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, dim> embedded;
    std::tuple<View<T, dynamic, Pools::in>..., View<T, dynamic, latent>> rows, drows;  // x_0 to x_n and their gradients
    typename Embedding::template Cache<T> embedding;
    typename Core::template Cache<T> core;
    std::tuple<typename Pools::template Cache<T>...> pools;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Embedding::visit(v, path / "embedding", p.embedding);
    Core::visit(v, path / "core", p.core);
    for_indices<size>([&]<std::size_t I>() {
      Pool<I>::visit(v, path / "pool" / static_cast<Index>(I), std::get<I>(p.pools));
    });
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.embedded, pass.rows());
    for_indices<size + 1>([&]<std::size_t I>() {
      arena.keep(std::get<I>(cache.rows), reach<I>(pass).rows());
      arena.temp(std::get<I>(cache.drows), reach<I>(pass).rows());
    });
    arena.overlay([&] { Embedding::plan(arena, cache.embedding, pass); }, [&] { Core::plan(arena, cache.core, pass); });
    for_indices<size>([&]<std::size_t I>() {
      arena.overlay([&] { Pool<I>::plan(arena, std::get<I>(cache.pools), reach<I>(pass)); });
    });
  }

  /// The pass over x_I: that of the text, with the number of tokens that the pools before it keep.
  template <std::size_t I>
  static constexpr Pass reach(const Pass& pass) {
    if constexpr (I == 0)
      return pass;
    else
      return Pool<I - 1>::after(reach<I - 1>(pass));
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> tokens,
                      Rows<T, latent> z, const Cache<T>& cache) {
    Embedding::forward(ctx, p.embedding, pass.at(0), tokens, cache.embedded, cache.embedding);
    Core::forward(ctx, p.core, pass.at(1), cache.embedded, std::get<0>(cache.rows), cache.core);
    for_indices<size>([&]<std::size_t I>() {
      Pool<I>::forward(ctx, std::get<I>(p.pools), reach<I>(pass.at(2 + I)), std::get<I>(cache.rows),
                       std::get<I + 1>(cache.rows), std::get<I>(cache.pools));
    });
    ops::segment_sum(ctx, std::get<size>(cache.rows), z, left(pass));
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> tokens,
                       Rows<const T, latent> dz, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    ops::segment_spread(ctx, dz, std::get<size>(cache.drows), left(pass), false);
    for_indices<size>([&]<std::size_t Reversed>() {
      constexpr std::size_t I = size - 1 - Reversed;
      Pool<I>::backward(ctx, std::get<I>(p.pools), reach<I>(pass.at(2 + I)), std::get<I>(cache.rows),
                        std::get<I + 1>(cache.drows), std::get<I>(cache.drows), std::get<I>(cache.pools),
                        std::get<I>(grads.pools));
    });
    Core::backward(ctx, p.core, pass.at(1), cache.embedded, std::get<0>(cache.drows), cache.core, grads.core);
    Embedding::backward(ctx, p.embedding, pass.at(0), tokens, std::get<0>(cache.drows), cache.embedding,
                        grads.embedding);
  }

 private:
  static ops::Segments left(const Pass& pass) { return {pass.batch, reach<size>(pass).tokens, {}, true}; }
};

}  // namespace stlm
