// Decoding with a module of the residual stream: by its KvCache and `decode`, or, if it is `per_token`, by `forward`
// (core/module.hpp).
#pragma once

#include <stlm/core/module.hpp>

namespace stlm::detail {

template <class M, class T>
struct KvCache {
  using type = Empty;
};
template <class M, class T>
  requires requires { typename M::template KvCache<T>; }
struct KvCache<M, T> {
  using type = typename M::template KvCache<T>;
};
/// M's KvCache, or Empty.
template <class M, class T>
using KvCacheOf = typename KvCache<M, T>::type;

template <class M, class A, class S>
constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
  if constexpr (requires { typename M::template KvCache<float>; }) M::plan_decode(arena, state, batch, capacity);
}

template <class M, class B, class P, class X, class Y, class C, class S>
void decode(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const Y& y, const C& cache, const S& state) {
  if constexpr (requires { typename M::template KvCache<float>; }) {
    M::decode(ctx, p, pass, x, y, cache, state);
  } else {
    static_assert(requires { requires M::per_token; },
                  "stlm::Repeat, stlm::Sequential: a module has neither KvCache and `decode` nor `static constexpr bool "
                  "per_token = true`; where it reads other tokens give it the former, where it does not say so by the latter.");
    M::forward(ctx, p, pass, x, y, cache);
  }
}

}  // namespace stlm::detail
