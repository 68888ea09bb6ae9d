// What is launched on a device: run_kernel runs each block of a kernel with a DeviceExecutor.
#pragma once

#include <array>
#include <atomic>

#include <stlm/backend/cuda/device_executor.hpp>
#include <stlm/backend/cuda/error.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

inline constexpr std::size_t static_shared_bytes = 48 << 10;  ///< more must be requested at the launch
/// The bytes of shared memory that a launch requests, with room to align `Shared` where its alignment exceeds a packet's.
template <class Kernel>
inline constexpr std::size_t dynamic_shared_bytes =
    sizeof(shared_of<Kernel>) <= static_shared_bytes
        ? 0
        : sizeof(shared_of<Kernel>) + (alignof(shared_of<Kernel>) > 16 ? alignof(shared_of<Kernel>) : 0);

/// Runs one block of `kernel`. From Hopper on a block may start before the previous kernel has ended, and waits for that here.
/// Before it waits it runs `ahead`, which must not depend on what kernels write. The blocks of the next kernel may start as
/// soon as all blocks of this one are here.
template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, blocks_of_sm<Kernel>())
    run_kernel(const __grid_constant__ Kernel kernel) {
  using Shared = shared_of<Kernel>;
  static_assert(dynamic_shared_bytes<Kernel> <= most_shared_bytes,
                "stlm: a kernel has more shared memory than a block of 8.6, 8.9 or 12.0.");
  DeviceExecutor<Kernel::threads> executor;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  if constexpr (requires { kernel.ahead(executor); }) kernel.ahead(executor);
  asm volatile("griddepcontrol.wait;" ::: "memory");
  asm volatile("griddepcontrol.launch_dependents;");
#endif
  if constexpr (sizeof(Shared) > static_shared_bytes) {
    extern __shared__ int4 asked_for[];
    constexpr unsigned aligned = alignof(Shared) > 16 ? alignof(Shared) : 1;
    const unsigned before = (aligned - static_cast<unsigned>(__cvta_generic_to_shared(asked_for)) % aligned) % aligned;
    kernel(executor, *reinterpret_cast<Shared*>(reinterpret_cast<unsigned char*>(asked_for) + before));
  } else {
    __shared__ alignas(alignof(Shared) > 16 ? alignof(Shared) : 16) unsigned char memory[sizeof(Shared)];
    kernel(executor, *reinterpret_cast<Shared*>(memory));
  }
}

inline constexpr int max_devices = 64;

/// Before a kernel's first launch on a device, allows it its shared memory. Returns whether its blocks may start before the
/// previous kernel has ended: whether its code was compiled to wait for it.
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
