// The two memories of the CUDA backend: DeviceSpace, the GPU's own, and PinnedSpace, host memory that both sides access.
#pragma once

#include <stlm/backend/cuda/error.hpp>
#include <stlm/core/backend.hpp>

namespace stlm {

/// Memory of the current GPU. `clear` is ordered with all work submitted to streams before and after it (they are blocking
/// streams, see gpu::Stream), so it cannot be used under capture; gpu::Stream::clear can.
struct DeviceSpace {
  static constexpr std::size_t alignment = 256;
  static void* allocate(std::size_t bytes) {
    void* block = nullptr;
    const cudaError_t code = cudaMalloc(&block, bytes);
    if (code != cudaSuccess) gpu::check(code, "cudaMalloc of " + std::to_string(bytes) + " bytes");
    return block;
  }
  static void deallocate(void* block) noexcept { (void)cudaFree(block); }  // errors come up in the next check
  static void clear(void* block, std::size_t bytes) { gpu::check(cudaMemset(block, 0, bytes), "cudaMemset"); }
  /// The copies run after all work submitted before and are done on return: cudaMemcpy waits for blocking streams, and they
  /// wait for it.
  static void to_host(void* to, const void* from, std::size_t bytes) {
    ++copies_to_host();
    copy(to, from, bytes);
  }
  static void from_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  /// How often this thread has called `to_host`. Work that calls it depends on what it reads, and is never recorded.
  static std::int64_t& copies_to_host() {
    thread_local std::int64_t count = 0;
    return count;
  }

 private:
  static void copy(void* to, const void* from, std::size_t bytes) {
    gpu::check(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "cudaMemcpy");
  }
};

/// Host memory that the GPU reads and writes under the same pointer; copies from and to it are asynchronous.
struct PinnedSpace {
  static constexpr std::size_t alignment = 256;
  static void* allocate(std::size_t bytes) {
    void* block = nullptr;
    const cudaError_t code = cudaHostAlloc(&block, bytes, cudaHostAllocMapped | cudaHostAllocPortable);
    if (code != cudaSuccess) gpu::check(code, "cudaHostAlloc of " + std::to_string(bytes) + " bytes");
    return block;
  }
  static void deallocate(void* block) noexcept { (void)cudaFreeHost(block); }
  static void clear(void* block, std::size_t bytes) { std::memset(block, 0, bytes); }
};

}  // namespace stlm
