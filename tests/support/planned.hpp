// Caches that own the memory in which they are laid out.
#pragma once

#include <stlm/core/activation.hpp>

namespace stlm::test {

/// A cache that `plan(arena, cache)` lays out.
template <class Cache>
class PlannedCache {
 public:
  Cache cache{};

  template <class Plan>
  explicit PlannedCache(const Plan& plan) {
    memory_.allocate([&](Arena& arena) { plan(arena, cache); });
  }

 private:
  PlannedMemory<HostSpace> memory_;
};

/// The cache of a module for one pass, for modules that do not map rows to rows.
template <class M, class T = double>
struct Planned : PlannedCache<typename M::template Cache<T>> {
  explicit Planned(const Pass& pass)
      : PlannedCache<typename M::template Cache<T>>([&](Arena& a, auto& c) { M::plan(a, c, pass); }) {}
};

/// A KV cache of `capacity` tokens for `decode`.
template <class Model, class T = float>
struct DecodeState : PlannedCache<typename Model::template KvCache<T>> {
  DecodeState(Index batch, Index capacity)
      : PlannedCache<typename Model::template KvCache<T>>(
            [&](Arena& a, auto& c) { Model::plan_decode(a, c, batch, capacity); }) {}
};

}  // namespace stlm::test
