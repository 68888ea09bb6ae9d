// Sequential<First, Rest...>: modules of the residual stream one after another: blocks, Repeats, modules of your own.
//
// x (N, C) -> y (N, C), all widths equal. Cached: the input of every module but the first, and what the modules cache.
#pragma once

#include <array>
#include <tuple>
#include <utility>

#include <stlm/nn/detail/decode.hpp>

namespace stlm {

template <class First, class... Rest>
struct Sequential {
  static constexpr Index dim = First::dim;
  static_assert(((Rest::dim == dim) && ...),
                "stlm::Sequential: the modules have different widths; give all the same dim, a stream has one width.");
  static constexpr std::size_t size = 1 + sizeof...(Rest);
  static constexpr bool causal = LooksBack<First> && (LooksBack<Rest> && ...);
  template <std::size_t I>
  using Module = std::tuple_element_t<I, std::tuple<First, Rest...>>;

  template <class T>
  struct Params {
    std::tuple<typename First::template Params<T>, typename Rest::template Params<T>...> modules;
  };
  template <class T>
  struct Cache {
    std::array<View<T, dynamic, dim>, size> inputs;  // [0] stays empty: it is x
    std::tuple<typename First::template Cache<T>, typename Rest::template Cache<T>...> modules;
  };
  template <class T>
  struct KvCache {
    std::tuple<detail::KvCacheOf<First, T>, detail::KvCacheOf<Rest, T>...> modules;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    for_indices<size>([&]<std::size_t I>() { Module<I>::visit(v, path / static_cast<Index>(I), std::get<I>(p.modules)); });
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    for_indices<size>([&]<std::size_t I>() {
      if (I > 0) arena.keep(cache.inputs[I], pass.rows());
      arena.overlay([&] { Module<I>::plan(arena, std::get<I>(cache.modules), pass); });
    });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    for_indices<size>(
        [&]<std::size_t I>() { detail::plan_decode<Module<I>>(arena, std::get<I>(state.modules), batch, capacity); });
  }
  static constexpr double flops_per_token(Index tokens) {
    return (First::flops_per_token(tokens) + ... + Rest::flops_per_token(tokens));
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                      const Cache<T>& cache) {
    for_indices<size>([&]<std::size_t I>() {
      Module<I>::forward(ctx, std::get<I>(p.modules), pass.at(I), input<I>(x, cache), output<I>(y, cache),
                         std::get<I>(cache.modules));
    });
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    for_indices<size>([&]<std::size_t I>() {
      detail::decode<Module<I>>(ctx, std::get<I>(p.modules), pass, input<I>(x, cache), output<I>(y, cache),
                                std::get<I>(cache.modules), std::get<I>(state.modules));
    });
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> d,
                       const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    for_indices<size>([&]<std::size_t Reverse>() {
      constexpr std::size_t I = size - 1 - Reverse;
      Module<I>::backward(ctx, std::get<I>(p.modules), pass.at(I), input<I>(x, cache), d, std::get<I>(cache.modules),
                          std::get<I>(grads.modules));
    });
  }
  template <class B, class T>
    requires(HasLoss<First> || (HasLoss<Rest> || ...))
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    compute_t<T> sum(0);
    for_indices<size>([&]<std::size_t I>() { sum += auxiliary_loss_of<B, Module<I>, T>(std::get<I>(cache.modules)); });
    return sum;
  }

 private:
  template <std::size_t I, class T>
  static View<const T, dynamic, dim> input(View<const T, dynamic, dim> x, const Cache<T>& cache) {
    if constexpr (I == 0)
      return x;
    else
      return cache.inputs[I];
  }
  template <std::size_t I, class T>
  static View<T, dynamic, dim> output(View<T, dynamic, dim> y, const Cache<T>& cache) {
    if constexpr (I + 1 == size)
      return y;
    else
      return cache.inputs[I + 1];
  }
};

}  // namespace stlm
