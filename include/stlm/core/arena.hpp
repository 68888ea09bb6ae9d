// Arena: lays out views in one block of memory. PlannedMemory: the block, which can be laid out again.
#pragma once

#include <stlm/core/buffer.hpp>

namespace stlm {

/// Lays out views one after another. Without memory it only counts bytes; with memory it binds the views.
class Arena {
 public:
  constexpr Arena() = default;
  Arena(std::byte* memory, std::size_t kept_bytes) : memory_(memory), temp_base_(kept_bytes) {}

  /// Places a view that lives from forward to backward.
  template <class T, class Shape, class... Dims>
  constexpr void keep(TensorView<T, Shape>& view, Dims... dims) {
    bind(view, Shape(static_cast<Index>(dims)...), kept_, 0);
  }
  /// Places a view that lives only for the call that uses it.
  template <class T, class Shape, class... Dims>
  constexpr void temp(TensorView<T, Shape>& view, Dims... dims) {
    bind(view, Shape(static_cast<Index>(dims)...), temp_, temp_base_);
    if (temp_ > temp_peak_) temp_peak_ = temp_;
  }
  /// Plans parts that are never active at the same time: their temporaries share memory, also with temporaries planned
  /// afterwards.
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

/// A block of memory laid out by a function `lay_out(arena)`, which is called first to count bytes, then to bind views.
template <class Space>
class PlannedMemory {
 public:
  /// Allocates the memory that `lay_out` needs, and binds its views.
  template <class LayOut>
  void allocate(const LayOut& lay_out) {
    Arena count;
    lay_out(count);
    memory_ = Buffer<std::byte, Space>(static_cast<Index>(count.bytes()));
    bind(lay_out);
  }
  /// Lays out the same block again. Throws ShapeError if the new layout needs more memory.
  template <class LayOut>
  void bind(const LayOut& lay_out) {
    Arena count;
    lay_out(count);
    expect(static_cast<Index>(count.bytes()) <= memory_.size(), "stlm::PlannedMemory: ", count.bytes(),
           " bytes do not fit the ", memory_.size(), " planned; plan for the largest case.");
    Arena arena(memory_.data(), count.kept_bytes());
    lay_out(arena);
  }

 private:
  Buffer<std::byte, Space> memory_;
};

}  // namespace stlm
