// PatchStates: from slots to the states of a PatchModel's core, in one pass or with a KV cache of earlier patches.
#pragma once

#include <stlm/nn/detail/decode.hpp>

namespace stlm::detail {

template <class Pool, class Core>
struct PatchStates {
  template <class T>
  struct StateCache {
    View<T, dynamic, Core::dim> pooled, last;
    typename Pool::template Cache<T> pool;
    typename Core::template Cache<T> core;
  };
  template <class T>
  using KvCache = detail::KvCacheOf<Core, T>;

  template <class A, class C>
  static constexpr void plan_states(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.pooled, pass.rows());
    arena.keep(cache.last, pass.rows());
    arena.overlay([&] { Pool::plan(arena, cache.pool, pass); }, [&] { Core::plan(arena, cache.core, pass); });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    detail::plan_decode<Core>(arena, state, batch, capacity);
  }

  /// Fills `cache.last` (B*S, dim), the core's states.
  template <class B, class P, class T>
  static void states(Context<B>& ctx, const P& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                     const StateCache<T>& cache) {
    Pool::forward(ctx, p.pool, pass.at(0), slots, cache.pooled, cache.pool);
    Core::forward(ctx, p.core, pass.at(1), cache.pooled, cache.last, cache.core);
  }
  /// The same for `pass.tokens` new patches at `pass.position`, which attend to those in `state`.
  template <class B, class P, class T>
  static void decode(Context<B>& ctx, const P& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                     const StateCache<T>& cache, const KvCache<T>& state) {
    Pool::forward(ctx, p.pool, pass, slots, cache.pooled, cache.pool);
    detail::decode<Core>(ctx, p.core, pass, cache.pooled, cache.last, cache.core, state);
  }
};

}  // namespace stlm::detail
