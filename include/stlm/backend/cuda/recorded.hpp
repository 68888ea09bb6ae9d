// Recorded work as a CUDA graph (core/recorded.hpp).
#pragma once

#include <stlm/backend/cuda/context.hpp>
#include <stlm/core/recorded.hpp>

namespace stlm {

template <>
class Recorded<CudaBackend> {
 public:
  static constexpr bool replays = true;

  template <class Work>
  void run(Context<CudaBackend>& ctx, std::uint64_t shape, const Work& work) {
    if (runs_ == 0 || shape != shape_ || !ctx.uses_graphs()) {
      const std::int64_t copies = DeviceSpace::copies_to_host();
      shape_ = shape;
      runs_ = 1;
      exec_ = {};
      work();
      reads_back_ = DeviceSpace::copies_to_host() != copies;
      return;
    }
    if (reads_back_) return work();
    if (runs_++ == 1) exec_ = gpu::GraphExec(gpu::capture(ctx.stream(), work));
    exec_.launch(ctx.stream());
  }

 private:
  std::uint64_t shape_ = 0;
  std::int64_t runs_ = 0;
  bool reads_back_ = false;
  gpu::GraphExec exec_;
};

}  // namespace stlm
