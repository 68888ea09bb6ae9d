// Batches on their way to a GPU (core/batch_stage.hpp): a ring of pinned slots, and one place on the device that kernels
// read. What the host reads of a staged batch is a copy of its own.
#pragma once

#include <array>

#include <stlm/backend/cuda/context.hpp>
#include <stlm/core/batch_stage.hpp>

namespace stlm {

template <>
class BatchStage<CudaBackend> {
 public:
  BatchStage(Context<CudaBackend>& ctx, Index ids) : ids_(ids), host_(2 * ids), device_(2 * ids) {
    ctx.mirror(host_.data(), device_.data(), static_cast<Index>(host_.bytes()));
    for (Slot& slot : ring_) slot.ids = Buffer<Token, PinnedSpace>(2 * ids);
  }

  /// Waits only when all slots are still to be copied. Throws ShapeError for a batch of another size.
  Batch put(Context<CudaBackend>& ctx, const Batch& batch) {
    expect(batch.tokens.size() == ids_ && batch.targets.size() == ids_, "stlm::BatchStage: expected a batch of ", ids_,
           " tokens and as many targets, found ", batch.tokens.size(), " and ", batch.targets.size(), ".");
    Slot& slot = ring_[next_++ % slots];
    slot.copied.synchronize();
    for (Token* const to : {host_.data(), slot.ids.data()}) {
      std::copy(batch.tokens.begin(), batch.tokens.end(), to);
      std::copy(batch.targets.begin(), batch.targets.end(), to + ids_);
    }
    ctx.stream().copy(device_.data(), slot.ids.data(), slot.ids.bytes());
    ctx.stream().record(slot.copied);
    return {{host_.data(), batch.tokens.extents()}, {host_.data() + ids_, batch.targets.extents()}};
  }

 private:
  static constexpr std::size_t slots = 4;
  struct Slot {
    Buffer<Token, PinnedSpace> ids;
    gpu::Event copied{gpu::Event::Timing::kOff};
  };

  Index ids_;
  Buffer<Token> host_;
  Buffer<Token, DeviceSpace> device_;
  std::array<Slot, slots> ring_;
  std::size_t next_ = 0;
};

}  // namespace stlm
