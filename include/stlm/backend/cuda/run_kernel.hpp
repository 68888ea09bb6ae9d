// What is launched on a device: a kernel's blocks, by a DeviceExecutor each.
#pragma once

#include <array>
#include <atomic>

#include <stlm/backend/cuda/device_executor.hpp>
#include <stlm/backend/cuda/error.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

inline constexpr std::size_t static_shared_bytes = 48 << 10;  ///< above, shared memory is asked for at the launch
/// How much: with what it takes to begin at a multiple of its alignment, where that is more than that of a packet.
template <class Kernel>
inline constexpr std::size_t dynamic_shared_bytes =
    sizeof(shared_of<Kernel>) <= static_shared_bytes
        ? 0
        : sizeof(shared_of<Kernel>) + (alignof(shared_of<Kernel>) > 16 ? alignof(shared_of<Kernel>) : 0);

/// One block of `kernel`. From Hopper on its blocks may be there before the kernel before it has ended, for which they wait
/// here; `ahead` is what they do until then, to nothing that is written. They let those of the next one come as soon as all of
/// them are here.
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
