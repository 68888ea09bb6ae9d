// PatchMemory: what a model over patches has read of a text: the slots of its patches, and their keys and values in the core.
//
// When a text of `capacity` patches goes on, the memory forgets its earlier half and reads the later half again as a new text.
#pragma once

#include <vector>

#include <stlm/models/program.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm::detail {

/// `S`: the scalar type of the weights. The constructor allocates all memory.
template <class Model, class Backend, class S>
class PatchMemory {
  using T = activation_t<Backend, S>;
  static constexpr Index window = Model::window;

 public:
  explicit PatchMemory(Index capacity) : capacity_(checked(capacity)) {
    Pass all{1, capacity};
    all.bytes_read = capacity * window;
    state_memory_.allocate([&](Arena& arena) { Model::plan_decode(arena, state_, 1, capacity); });
    pass_memory_.allocate([&](Arena& arena) { Model::plan_states(arena, states_, all); });
    seen_.reserve(static_cast<std::size_t>(capacity * window));
    kept_.reserve(seen_.capacity());
  }

  void reset() { seen_.clear(); }

  /// Reads patches, `window` slots each.
  template <class P>
  void read(Context<Backend>& ctx, const P& params, std::span<const Token> slots) {
    while (!slots.empty()) {
      if (patches() == capacity_) forget(ctx, params);
      const auto count = std::min(slots.size(), static_cast<std::size_t>((capacity_ - patches()) * window));
      read_together(ctx, params, slots.first(count));
      slots = slots.subspan(count);
    }
  }
  /// The core's state after the newest patch, (1, D).
  View<const T, dynamic, Model::dim> newest() const {
    expect<Error>(patches() > 0, "stlm::PatchGenerator: no patch was read; call reset first.");
    return {&states_.last(states_.last.extent(0) - 1, 0), 1};
  }

 private:
  static Index checked(Index capacity) {
    expect<Error>(capacity >= 2, "stlm::PatchGenerator: expected a capacity of at least 2 patches, found ", capacity, ".");
    expect_tokens_in("PatchGenerator", {1, capacity});
    expect_positions<Model>("PatchGenerator", capacity);
    return capacity;
  }
  Index patches() const { return std::ssize(seen_) / window; }

  template <class P>
  void read_together(Context<Backend>& ctx, const P& params, std::span<const Token> slots) {
    expect_scalar<Backend, S, P>();
    Pass pass{1, std::ssize(slots) / window, patches()};
    const View<const Token, dynamic, dynamic> view(slots.data(), 1, std::ssize(slots));
    pass.bytes_read = ops::PatchSlots{{slots.data(), pass.tokens, window}, Model::pad}.total_bytes();
    pass_memory_.bind([&](Arena& arena) { Model::plan_states(arena, states_, pass); });
    Model::decode(ctx, params.tree(), pass, view, states_, state_);
    seen_.insert(seen_.end(), slots.begin(), slots.end());
  }
  template <class P>
  void forget(Context<Backend>& ctx, const P& params) {
    kept_.assign(seen_.end() - capacity_ / 2 * window, seen_.end());
    seen_.clear();
    read_together(ctx, params, kept_);
  }

  Index capacity_;
  PlannedMemory<typename Backend::memory_space> pass_memory_, state_memory_;
  typename Model::template StateCache<T> states_{};
  typename Model::template KvCache<T> state_{};
  std::vector<Token> seen_, kept_;
};

}  // namespace stlm::detail
