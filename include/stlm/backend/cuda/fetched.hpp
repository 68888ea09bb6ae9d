// Fetched numbers of a GPU (core/fetched.hpp): copied to pinned memory, in stream order.
#pragma once

#include <stlm/backend/cuda/context.hpp>
#include <stlm/core/fetched.hpp>

namespace stlm {

template <class T>
class Fetched<CudaBackend, T> {
 public:
  explicit Fetched(Index size) : numbers_(size) {}
  void fetch(Context<CudaBackend>& ctx, const T* from, Index count) {
    expect(count <= numbers_.size(), "stlm::Fetched: room for ", numbers_.size(), " numbers, asked for ", count, ".");
    count_ = count;
    ctx.stream().copy(numbers_.data(), from, static_cast<std::size_t>(count) * sizeof(T));
    ctx.stream().record(arrived_);
  }
  std::span<const T> wait() {
    arrived_.synchronize();
    return {numbers_.data(), static_cast<std::size_t>(count_)};
  }

 private:
  Buffer<T, PinnedSpace> numbers_;
  gpu::Event arrived_{gpu::Event::Timing::kOff};
  Index count_ = 0;
};

}  // namespace stlm
