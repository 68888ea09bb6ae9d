// Thrust in an op: sorts and scans in the context's stream.
//
//   run_thrust(ctx, scratch, [&](const auto& policy) { thrust::stable_sort_by_key(policy, keys, keys + n, values); });
//
// Temporary memory is the op's scratch memory, and nothing waits for the device, so a step may be captured. For the same reason
// do not use algorithms that return a computed value. Where the CPU stands in for the device, THRUST_DEVICE_SYSTEM (CPP or OMP)
// names the system that runs them.
#pragma once

#include <thrust/execution_policy.h>
#if defined(__CUDACC__)
#include <thrust/system/cuda/execution_policy.h>
#endif

#include <stlm/backend/cuda/gpu_backend.hpp>
#include <stlm/backend/cuda/scratch.hpp>

namespace stlm::gpu {

/// Allocates Thrust's temporary memory. What Thrust deallocates stays taken until the end of the op.
template <class Backend>
class ScratchAllocator {
 public:
  using value_type = char;
  explicit ScratchAllocator(Scratch<Backend>& scratch) : scratch_(&scratch) {}
  char* allocate(std::ptrdiff_t bytes) { return scratch_->template take<char>(bytes); }
  void deallocate(char*, std::size_t) {}

 private:
  Scratch<Backend>* scratch_;
};

/// Calls f with the execution policy.
template <GpuBackend Backend, class F>
void run_thrust([[maybe_unused]] Context<Backend>& ctx, Scratch<Backend>& scratch, const F& f) {
  ScratchAllocator<Backend> allocator(scratch);
#if defined(__CUDACC__)
  ctx.run_thrust([&] { f(thrust::cuda::par_nosync(allocator).on(ctx.stream().get())); });
#else
  const typename Backend::memory_space::Access access;
  f(thrust::device(allocator));
#endif
}

}  // namespace stlm::gpu
