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
#include <stlm/core/random.hpp>

namespace stlm {

/// What a module is told of one pass beside its tensors.
struct Pass {
  Index batch = 1, tokens = 1;  ///< B sequences of T tokens: N = B*T rows
  Index position = 0;           ///< of the first token, where there are no `places`; > 0 when decoding with a cache
  double dropout = 0;           ///< probability of dropping an element; 0 when not training
  MaskKey key = {};             ///< of the dropout masks
  double weight = 1;            ///< of this batch's mean loss in the step: auxiliary losses scale their gradients by it
  Index packed = -1;            ///< >= 0: sequences of at most T rows lie one after another, this many rows in all
  Offsets offsets = {};         ///< then sequence b has rows [offsets(b), offsets(b + 1))
  const Place* places = nullptr;  ///< of B sequences that decode at positions of their own
  bool last = false;            ///< only what follows the last token of each sequence is asked for
  Index bytes_read = 0, bytes_predicted = 0;  ///< of a model over patches: rows of its byte blocks

  constexpr Index rows() const { return packed >= 0 ? packed : batch * tokens; }
  constexpr Places all_places() const { return {places, position}; }
  /// Where sequence b stands: what `decode` is to go by.
  constexpr Place place(Index b) const { return all_places()(b); }
  /// Sequences of up to `most` rows, packed.
  constexpr Pass pack(Index sequences, Index most, Index rows, View<const Index, dynamic> first_rows) const {
    Pass pass = *this;
    pass.batch = sequences;
    pass.tokens = most;
    pass.packed = rows;
    pass.offsets = {first_rows, rows};
    return pass;
  }
  /// The same pass for the i-th part of a module: its random numbers are independent of the other parts'.
  constexpr Pass at(std::uint64_t part) const {
    Pass pass = *this;
    if (dropout > 0) pass.key = key.fold(part);
    return pass;
  }
};

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
}  // namespace detail

namespace detail {
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
