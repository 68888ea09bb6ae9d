// PatchDecoder: the logits of each symbol of a patch that is being written, by the head of a model over patches.
//
// A parallel head computes the logits of all slots from the core's state alone. Any other head reads symbol by symbol, and
// caches the keys and values of those it has read.
#pragma once

#include <span>

#include <stlm/core/host_copy.hpp>
#include <stlm/nn/detail/decode.hpp>

namespace stlm::detail {

/// `S`: the scalar type of the weights. The constructor allocates all memory. A `patch` has `size()` and operator[], and
/// `newest`, (1, D), is the core's state after the patch before it.
template <class Model, class Backend, class S>
class PatchDecoder {
  using T = activation_t<Backend, S>;
  using Head = typename Model::Head;
  using State = View<const T, dynamic, Model::dim>;

 public:
  PatchDecoder() {
    Pass one{1, 1};
    one.bytes_predicted = 1;
    memory_.allocate([&](Arena& arena) {
      Head::plan(arena, cache_, one);
      if constexpr (!Head::parallel) Head::plan_decode(arena, state_, 1);
    });
  }

  /// Computes the logits of the symbol that follows those of `patch`.
  template <class P, class Patch>
  void predict(Context<Backend>& ctx, const P& params, State newest, const Patch& patch) {
    if constexpr (Head::parallel)
      Head::logits(ctx, params.tree().head, {1, 1}, newest, cache_);
    else
      for (Index i = 0; i <= patch.size(); ++i) decode(ctx, params, newest, patch, i);
  }
  /// The same, when the head is not parallel and has read all symbols but the last.
  template <class P, class Patch>
  void step(Context<Backend>& ctx, const P& params, State newest, const Patch& patch) {
    decode(ctx, params, newest, patch, patch.size());
  }

  /// The logits of the symbol that follows the first `size` of the patch, on the host.
  std::span<const compute_t<S>> logits(Index size) const {
    return row_(cache_.logits.data() + (Head::parallel ? size : 0) * Model::vocabulary);
  }

 private:
  /// Reads symbol i - 1, or what stands before the first. Computes the logits of symbol i.
  template <class P, class Patch>
  void decode(Context<Backend>& ctx, const P& params, State newest, const Patch& patch, Index i) {
    Head::decode(ctx, params.tree().head, i, newest, i == 0 ? Model::pad : patch[i - 1], cache_, state_);
  }

  PlannedMemory<typename Backend::memory_space> memory_;
  typename Head::template Cache<T> cache_{};
  KvCacheOf<Head, T> state_{};
  HostRow<Backend, T, Model::vocabulary> row_;
};

}  // namespace stlm::detail
