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

#include <stlm/core/batch.hpp>
#include <stlm/core/buffer.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

/// What a module is told of one pass beside its tensors.
struct Pass {
  Index batch = 1, tokens = 1;  ///< B sequences of T tokens: N = B*T rows
  Index position = 0;           ///< of the first token; > 0 when decoding with a cache
  double dropout = 0;           ///< probability of dropping an element; 0 when not training
  RandomKey key = {};           ///< of the dropout masks
  double weight = 1;  ///< of this batch's mean loss in the step: auxiliary losses scale their gradients by it

  constexpr Index rows() const { return batch * tokens; }
  /// The same pass for the i-th part of a module: its random numbers are independent of the other parts'.
  constexpr Pass at(std::uint64_t part) const {
    Pass pass = *this;
    if (dropout > 0) pass.key = key.fold(part);
    return pass;
  }
};

/// Lays out views one after another; counts when built without memory, binds when built with it.
class Arena {
 public:
  constexpr Arena() = default;
  Arena(std::byte* memory, std::size_t kept_bytes) : memory_(memory), temp_base_(kept_bytes) {}

  /// Memory that lives from forward to backward.
  template <class T, class Shape, class... Dims>
  constexpr void keep(TensorView<T, Shape>& view, Dims... dims) {
    bind(view, Shape(static_cast<Index>(dims)...), kept_, 0);
  }
  /// Memory that dies with the call it is used in.
  template <class T, class Shape, class... Dims>
  constexpr void temp(TensorView<T, Shape>& view, Dims... dims) {
    bind(view, Shape(static_cast<Index>(dims)...), temp_, temp_base_);
    if (temp_ > temp_peak_) temp_peak_ = temp_;
  }
  /// Plans parts that are never active at the same time: their temporaries share memory, and what is planned after
  /// them shares it too.
  template <class... Parts>
  constexpr void overlay(Parts&&... parts) {
    const std::size_t start = temp_;
    ((parts(), temp_ = start), ...);
  }

  constexpr std::size_t kept_bytes() const { return kept_; }
  constexpr std::size_t bytes() const { return kept_ + temp_peak_; }

 private:
  template <class T, class Shape>
  constexpr void bind(TensorView<T, Shape>& view, Shape shape, std::size_t& cursor, std::size_t base) {
    view = TensorView<T, Shape>(memory_ ? reinterpret_cast<T*>(memory_ + base + cursor) : nullptr, shape);
    cursor += (static_cast<std::size_t>(shape.size()) * sizeof(T) + 63) / 64 * 64;
  }

  std::byte* memory_ = nullptr;
  std::size_t temp_base_ = 0, kept_ = 0, temp_ = 0, temp_peak_ = 0;
};

namespace detail {
template <class Model, class T>
constexpr Arena plan(const Pass& pass) {
  typename Model::template Cache<T> cache{};
  Arena arena;
  Model::plan(arena, cache, pass);
  return arena;
}
}  // namespace detail

/// Bytes of all activations and gradients of activations of one pass. A constant when `shape` is.
template <class Model, class T = float>
constexpr std::size_t activation_bytes(BatchShape shape) {
  return detail::plan<Model, T>({shape.batch, shape.tokens}).bytes();
}

/// The intermediates of a model for batches of one shape. Filled by `forward`, read by `backward`.
template <class Model, class Backend, class T = float>
class Activations {
 public:
  using Cache = typename Model::template Cache<T>;

  Activations(Context<Backend>&, BatchShape shape) : pass_{shape.batch, shape.tokens} {
    expect(shape.batch > 0 && shape.tokens > 0, "stlm::Activations: expected batch >= 1 and tokens >= 1, found ", shape.batch,
           " and ", shape.tokens, ".");
    const Arena count = detail::plan<Model, T>(pass_);
    memory_ = Memory(static_cast<Index>(count.bytes()));
    Arena arena(memory_.data(), count.kept_bytes());
    Model::plan(arena, cache_, pass_);
  }

  Cache& cache() { return cache_; }
  const Cache& cache() const { return cache_; }
  Pass& pass() { return pass_; }
  const Pass& pass() const { return pass_; }

 private:
  using Memory = Buffer<std::byte, typename Backend::memory_space>;
  Memory memory_;
  Cache cache_{};
  Pass pass_;
};

}  // namespace stlm
