// Scratch: temporary memory of an op, from blocks that the context keeps. If no block has room, one at least twice as large as
// the last is added; the smaller ones stay. So a step that repeats an earlier one allocates nothing.
#pragma once

#include <algorithm>
#include <vector>

#include <stlm/core/buffer.hpp>

namespace stlm::gpu {

/// The blocks, used like a stack.
template <class Space>
class ScratchMemory {
 public:
  struct Mark {
    std::size_t block = 0;
    Index used = 0;
  };
  Mark mark() const { return top_; }
  void release(Mark mark) { top_ = mark; }

  /// Aligned to 256 bytes; contents undefined.
  std::byte* take(Index bytes) {
    bytes = (bytes + 255) / 256 * 256;
    while (top_.block < blocks_.size() && top_.used + bytes > blocks_[top_.block].size()) top_ = {top_.block + 1, 0};
    if (top_.block == blocks_.size()) {
      const Index least = blocks_.empty() ? first_ : 2 * blocks_.back().size();
      blocks_.emplace_back(std::max(bytes, least));
    }
    std::byte* const memory = blocks_[top_.block].data() + top_.used;
    top_.used += bytes;
    return memory;
  }

 private:
  static constexpr Index first_ = Index{16} << 20;
  std::vector<Buffer<std::byte, Space>> blocks_;
  Mark top_;
};

/// The memory that an op takes, until the end of its scope. Work runs in stream order, so the next op may use the same bytes.
template <class Backend>
class Scratch {
 public:
  explicit Scratch(Context<Backend>& ctx) : ctx_(ctx), mark_(ctx.scratch_memory().mark()) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { ctx_.scratch_memory().release(mark_); }

  template <class T>
  T* take(Index count) {
    auto* const memory = ctx_.scratch_memory().take(count * static_cast<Index>(sizeof(T)));
    if constexpr (requires { ctx_.poison(memory, count); }) ctx_.poison(memory, count * static_cast<Index>(sizeof(T)));
    return reinterpret_cast<T*>(memory);
  }

 private:
  Context<Backend>& ctx_;
  typename ScratchMemory<typename Backend::memory_space>::Mark mark_;
};

}  // namespace stlm::gpu
