// What is launched on a device: a kernel's blocks, by a DeviceExecutor each.
#pragma once

#include <array>
#include <atomic>

#include <stlm/backend/cuda/device_executor.hpp>
#include <stlm/backend/cuda/error.hpp>

namespace stlm::gpu {

inline constexpr std::size_t static_shared_bytes = 48 << 10;  ///< above, shared memory is asked for at the launch

/// One block of `kernel`. From Hopper on its blocks may be there before the kernel before it has ended,
/// for which they wait here; and they let those of the next one come as soon as all of them are.
template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, blocks_of_sm<Kernel>())
    run_kernel(const __grid_constant__ Kernel kernel) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
  asm volatile("griddepcontrol.launch_dependents;");
#endif
  using Shared = shared_of<Kernel>;
  DeviceExecutor<Kernel::threads> executor;
  if constexpr (sizeof(Shared) > static_shared_bytes) {
    extern __shared__ int4 asked_for[];
    kernel(executor, *reinterpret_cast<Shared*>(asked_for));
  } else {
    __shared__ alignas(16) unsigned char memory[sizeof(Shared)];
    kernel(executor, *reinterpret_cast<Shared*>(memory));
  }
}

inline constexpr int max_devices = 64;

/// Before a kernel's first launch on a device: allows it its shared memory. Whether it may come early: whether it knows to
/// wait.
template <class Kernel>
bool prepared(int device, void (*run)(Kernel), std::size_t shared_bytes) {
  enum class Early : char { kUnknown, kNo, kYes };
  static std::array<std::atomic<Early>, max_devices> devices{};
  std::atomic<Early>& early = devices[static_cast<std::size_t>(device)];
  if (early.load(std::memory_order_relaxed) == Early::kUnknown) {
    if (shared_bytes > 0)
      check(cudaFuncSetAttribute(run, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
            "cudaFuncSetAttribute");
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, run), "cudaFuncGetAttributes");
    early = attributes.ptxVersion >= 90 ? Early::kYes : Early::kNo;
  }
  return early.load(std::memory_order_relaxed) == Early::kYes;
}

}  // namespace stlm::gpu
