// Sequential<First, Rest...>: modules of the residual stream one after another: blocks, Repeats, a user's own.
//
// x (N, C) -> y (N, C), all widths equal. Cached: the input of every module but the first, and what they cache. A module
// that has no `decode` says that it needs none: `static constexpr bool per_token = true`, its rows know nothing of each other.
#pragma once

#include <array>
#include <tuple>
#include <utility>

#include <stlm/core/module.hpp>

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
  template <class M, class T>
  struct KvCacheOf {
    using type = Empty;
  };
  template <class M, class T>
    requires requires { typename M::template KvCache<T>; }
  struct KvCacheOf<M, T> {
    using type = typename M::template KvCache<T>;
  };
  template <class T>
  struct KvCache {
    std::tuple<typename KvCacheOf<First, T>::type, typename KvCacheOf<Rest, T>::type...> modules;
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
    for_indices<size>([&]<std::size_t I>() {
      if constexpr (!std::is_same_v<std::tuple_element_t<I, decltype(state.modules)>, Empty>)
        Module<I>::plan_decode(arena, std::get<I>(state.modules), batch, capacity);
    });
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
  /// Of modules without a `decode` of their own, whose rows know nothing of each other, `forward` serves.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    for_indices<size>([&]<std::size_t I>() {
      const auto in = input<I>(x, cache);
      const auto out = output<I>(y, cache);
      if constexpr (requires { typename Module<I>::template KvCache<T>; })
        Module<I>::decode(ctx, std::get<I>(p.modules), pass, in, out, std::get<I>(cache.modules),
                          std::get<I>(state.modules));
      else
        forward_rows<Module<I>>(ctx, std::get<I>(p.modules), pass, in, out, std::get<I>(cache.modules));
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
  template <class M, class B, class P, class X, class Y, class C>
  static void forward_rows(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const Y& y, const C& cache) {
    static_assert(requires { requires M::per_token; },
                  "stlm::Sequential: a module has neither KvCache and `decode` nor `static constexpr bool per_token = true`; "
                  "where it reads other tokens give it the former, where it does not say so by the latter.");
    M::forward(ctx, p, pass, x, y, cache);
  }
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
