// Fetched: numbers being copied from a backend's memory to the host, which works on until it waits for them.
//
//   Fetched<Backend, Token> tokens(4);
//   tokens.fetch(ctx, drawn, 4);              // copies them after all work submitted before
//   ...                                       // more work
//   std::span<const Token> found = tokens.wait();
#pragma once

#include <span>

#include <stlm/core/buffer.hpp>

namespace stlm {

/// For backends whose work is done when the call returns.
template <class Backend, class T>
class Fetched {
 public:
  explicit Fetched(Index size) : numbers_(size) {}
  void fetch(Context<Backend>&, const T* from, Index count) {
    expect(count <= numbers_.size(), "stlm::Fetched: room for ", numbers_.size(), " numbers, asked for ", count, ".");
    count_ = count;
    Backend::memory_space::to_host(numbers_.data(), from, static_cast<std::size_t>(count) * sizeof(T));
  }
  std::span<const T> wait() { return {numbers_.data(), static_cast<std::size_t>(count_)}; }

 private:
  Buffer<T> numbers_;
  Index count_ = 0;
};

}  // namespace stlm
