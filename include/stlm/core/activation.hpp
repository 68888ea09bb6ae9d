// Activations: every intermediate of a pass, planned once into one arena; nothing is allocated later.
//
// A module lists the views of its `Cache<T>` in `plan`, as it lists its parameters in `visit`:
//
//   template <class A, class C>
//   static constexpr void plan(A& arena, C& cache, const Pass& pass) {
//     arena.keep(cache.normed, pass.rows());      // lives from forward to backward
//     arena.temp(cache.dnormed, pass.rows());     // dies with the call; other modules use the same bytes
//   }
//
// The same function counts at compile time (`activation_bytes<Model>`) and binds at run time.
#pragma once

#include <limits>
#include <utility>

#include <stlm/core/arena.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/pass.hpp>

namespace stlm {

/// How many tokens of a text M has positions for.
template <class M>
constexpr Index max_tokens_of() {
  if constexpr (requires { M::max_tokens; })
    return M::max_tokens;
  else
    return std::numeric_limits<Index>::max();
}

namespace detail {
/// The largest pass that batches of a shape can ask for.
template <class Model>
constexpr Pass largest_pass(BatchShape shape) {
  if constexpr (requires { Model::largest_pass(shape); })
    return Model::largest_pass(shape);
  else
    return {shape.batch, shape.tokens};
}
/// Throws ShapeError where the model's positions are a table of fewer rows than `tokens`.
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
/// Refuses weights P where activations were planned for weights of S and would be of another scalar for these.
template <class Backend, class S, class P>
constexpr void expect_scalar() {
  static_assert(std::is_same_v<activation_t<Backend, S>, activation_t<Backend, typename P::scalar>>,
                "stlm::Activations: on this backend weights of this scalar have other activations than were planned; "
                "name the scalar of the weights, as in stlm::Activations<Model, Backend, stlm::Bfloat16>, of a "
                "generator too.");
}
}  // namespace detail

/// Bytes of all activations and their gradients of one pass, in scalar T (activation_t). A constant when `shape` is.
template <class Model, class T = float>
constexpr std::size_t activation_bytes(BatchShape shape) {
  return detail::plan<Model, T>(detail::largest_pass<Model>(shape)).bytes();
}

/// The intermediates of a model for batches of one shape. Filled by `forward`, read by `backward`. `S`: the scalar of
/// the weights they are computed with.
template <class Model, class Backend, class S = float>
class Activations {
 public:
  using Cache = typename Model::template Cache<activation_t<Backend, S>>;

  Activations(Context<Backend>&, BatchShape shape) : pass_(detail::largest_pass<Model>(shape)), largest_(pass_) {
    expect_tokens_in("Activations", shape);
    detail::expect_positions<Model>("Activations", shape.tokens);
    memory_.allocate([this](Arena& arena) { Model::plan(arena, cache_, pass_); });
  }

  /// Lays out the same memory for a batch whose patches hold these many bytes and symbols to predict. Throws ShapeError
  /// when it is too small.
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

  /// How many targets counted in the last forward pass.
  Index targets() const { return targets_; }
  /// Of a forward pass that is complete: a backward pass may follow.
  void set_targets(Index count) {
    targets_ = count;
    forward_done_ = true;
  }
  /// Whether there is a forward pass for a backward pass, which takes it.
  bool take_forward() { return std::exchange(forward_done_, false); }

 private:
  PlannedMemory<typename Backend::memory_space> memory_;
  Cache cache_{};
  Pass pass_, largest_;
  Index targets_ = 0;
  bool forward_done_ = false;
};

}  // namespace stlm
