// Activations: every intermediate of a pass, laid out once in one arena; nothing is allocated later.
//
// A module lists the views of its `Cache<T>` in `plan`, as it lists its parameters in `visit`:
//
//   template <class A, class C>
//   static constexpr void plan(A& arena, C& cache, const Pass& pass) {
//     arena.keep(cache.normed, pass.rows());      // lives from forward to backward
//     arena.temp(cache.dnormed, pass.rows());     // lives for one call; other modules use the same bytes
//   }
//
// The same function counts bytes at compile time (`activation_bytes<Model>`) and binds the views at run time.
#pragma once

#include <limits>
#include <utility>

#include <stlm/core/arena.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/pass.hpp>

namespace stlm {

/// The number of tokens in a sequence for which M has positions; the largest Index if there is no limit.
template <class M>
constexpr Index max_tokens_of() {
  if constexpr (requires { M::max_tokens; })
    return M::max_tokens;
  else
    return std::numeric_limits<Index>::max();
}

namespace detail {
/// The largest pass that a batch of `shape` can need.
template <class Model>
constexpr Pass largest_pass(BatchShape shape) {
  if constexpr (requires { Model::largest_pass(shape); })
    return Model::largest_pass(shape);
  else
    return {shape.batch, shape.tokens};
}
/// Throws ShapeError if the model's table of positions has fewer than `tokens` rows.
template <class Model>
void expect_positions(const char* who, Index tokens) {
  expect(tokens <= max_tokens_of<Model>(), "stlm::", who, ": expected at most the ", max_tokens_of<Model>(),
         " tokens of the model's learned positions, found ", tokens, "; ask for fewer, or give the model more.");
}
template <class Model, class T>
constexpr Arena plan(const Pass& pass) {
  typename Model::template Cache<T> cache{};
  Arena arena;
  Model::plan(arena, cache, pass);
  return arena;
}
/// Compiles only if activations planned for weights of scalar S have the scalar that the weights P need.
template <class Backend, class S, class P>
constexpr void expect_scalar() {
  static_assert(std::is_same_v<activation_t<Backend, S>, activation_t<Backend, typename P::scalar>>,
                "stlm::Activations: on this backend weights of this scalar have other activations than were planned; "
                "name the scalar of the weights, as in stlm::Activations<Model, Backend, stlm::Bfloat16>, of a "
                "generator too.");
}
}  // namespace detail

/// Bytes of all activations of one pass and their gradients, stored as T (activation_t). A constant expression if `shape` is.
template <class Model, class T = float>
constexpr std::size_t activation_bytes(BatchShape shape) {
  return detail::plan<Model, T>(detail::largest_pass<Model>(shape)).bytes();
}

/// The intermediates of a model for batches of one shape. `forward` fills them, `backward` reads them. `S` is the scalar of the
/// weights used.
template <class Model, class Backend, class S = float>
class Activations {
 public:
  using Cache = typename Model::template Cache<activation_t<Backend, S>>;

  Activations(Context<Backend>&, BatchShape shape) : pass_(detail::largest_pass<Model>(shape)), largest_(pass_) {
    expect_tokens_in("Activations", shape);
    detail::expect_positions<Model>("Activations", shape.tokens);
    memory_.allocate([this](Arena& arena) { Model::plan(arena, cache_, pass_); });
  }

  /// Lays out the same memory for a batch with this many bytes to read and symbols to predict. Throws ShapeError if either
  /// exceeds the number planned for.
  void fit(Index bytes_read, Index bytes_predicted) {
    if (bytes_read == pass_.bytes_read && bytes_predicted == pass_.bytes_predicted) return;
    expect(bytes_read <= largest_.bytes_read && bytes_predicted <= largest_.bytes_predicted,
           "stlm::Activations: the batch has ", bytes_read, " bytes to read and ", bytes_predicted,
           " symbols to predict, room for ", largest_.bytes_read, " and ", largest_.bytes_predicted,
           " was planned; set BatchShape::bytes, or give fewer.");
    pass_.bytes_read = bytes_read;
    pass_.bytes_predicted = bytes_predicted;
    memory_.bind([this](Arena& arena) { Model::plan(arena, cache_, pass_); });
  }

  Cache& cache() { return cache_; }
  const Cache& cache() const { return cache_; }
  Pass& pass() { return pass_; }
  const Pass& pass() const { return pass_; }

  /// The number of targets that count in the last forward pass.
  Index targets() const { return targets_; }
  /// Marks the forward pass as complete, with `count` targets that count: a backward pass may follow.
  void set_targets(Index count) {
    targets_ = count;
    forward_done_ = true;
  }
  /// Whether a forward pass is complete and has had no backward pass. Clears that mark.
  bool take_forward() { return std::exchange(forward_done_, false); }

 private:
  PlannedMemory<typename Backend::memory_space> memory_;
  Cache cache_{};
  Pass pass_, largest_;
  Index targets_ = 0;
  bool forward_done_ = false;
};

}  // namespace stlm
