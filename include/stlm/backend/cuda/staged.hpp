// Staged numbers for a GPU (core/staged.hpp): they go through a ring of pinned slots to a fixed block on the device, which
// kernels read instead of the host's.
#pragma once

#include <array>

#include <stlm/backend/cuda/context.hpp>
#include <stlm/core/staged.hpp>

namespace stlm {

template <class T>
class Staged<CudaBackend, T> {
 public:
  Staged(Context<CudaBackend>& ctx, Index size)
      : numbers_(size),
        device_(size),
        mirror_(ctx.mirror(numbers_.data(), device_.data(), static_cast<Index>(numbers_.bytes()))) {
    for (Slot& slot : ring_) slot.numbers = Buffer<T, PinnedSpace>(size);
  }
  T* data() const { return numbers_.data(); }
  Index size() const { return numbers_.size(); }

  /// Waits only if all slots still have a copy pending.
  void send(Context<CudaBackend>& ctx) {
    Slot& slot = ring_[next_++ % slots];
    slot.copied.synchronize();
    std::copy(data(), data() + size(), slot.numbers.data());
    ctx.stream().copy(device_.data(), slot.numbers.data(), slot.numbers.bytes());
    ctx.stream().record(slot.copied);
  }

 private:
  static constexpr std::size_t slots = 4;
  struct Slot {
    Buffer<T, PinnedSpace> numbers;
    gpu::Event copied{gpu::Event::Timing::kOff};
  };

  Buffer<T> numbers_;
  Buffer<T, DeviceSpace> device_;
  gpu::Mirror mirror_;
  std::array<Slot, slots> ring_;
  std::size_t next_ = 0;
};

}  // namespace stlm
