// EmulatedSpace: the device memory of the EmulatedCudaBackend. It can be protected from the host.
//
// Code for a GPU may touch device memory only through kernels and copies. After `EmulatedSpace::protect()` any other access
// ends the program with a fault at that very line, as on the device.
#pragma once

#include <sys/mman.h>

#include <map>
#include <mutex>
#include <new>

#include <stlm/core/backend.hpp>

namespace stlm {

class EmulatedSpace {
 public:
  static constexpr std::size_t alignment = 4096;

  static void* allocate(std::size_t bytes) {
    void* const block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) throw std::bad_alloc();
    const std::lock_guard lock(state().mutex);
    state().blocks[block] = bytes;
    if (state().protects && state().users == 0) mprotect(block, bytes, PROT_NONE);
    return block;
  }
  static void deallocate(void* block) noexcept {
    const std::lock_guard lock(state().mutex);
    const auto found = state().blocks.find(block);
    munmap(block, found->second);
    state().blocks.erase(found);
  }
  static void clear(void* block, std::size_t bytes) {
    const Access access;
    // Pages given back to the system read as zeros, and cost nothing until they are touched.
    std::size_t given_back = 0;
    if (reinterpret_cast<std::uintptr_t>(block) % alignment == 0 && bytes >= std::size_t{1} << 20) {
      given_back = bytes / alignment * alignment;
      if (madvise(block, given_back, MADV_DONTNEED) != 0) given_back = 0;
    }
    std::memset(static_cast<std::byte*>(block) + given_back, 0, bytes - given_back);
  }
  static void to_host(void* to, const void* from, std::size_t bytes) {
    ++copies_to_host();
    from_host(to, from, bytes);
  }
  static void from_host(void* to, const void* from, std::size_t bytes) {
    const Access access;
    std::memcpy(to, from, bytes);
  }
  /// How often this thread has called `to_host`. Work that calls it depends on what it reads, and is never recorded.
  static std::int64_t& copies_to_host() {
    thread_local std::int64_t count = 0;
    return count;
  }

  /// Turns protection on or off. While it is on, the memory can be touched only while an Access exists.
  static void protect(bool on = true) {
    const std::lock_guard lock(state().mutex);
    state().protects = on;
    set(on && state().users == 0 ? PROT_NONE : PROT_READ | PROT_WRITE);
  }

  /// Makes the memory accessible while it lives: for kernels, copies, and tests that inspect memory.
  class Access {
   public:
    Access() {
      const std::lock_guard lock(state().mutex);
      if (state().users++ == 0 && state().protects) set(PROT_READ | PROT_WRITE);
    }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
    ~Access() {
      const std::lock_guard lock(state().mutex);
      if (--state().users == 0 && state().protects) set(PROT_NONE);
    }
  };

 private:
  struct State {
    std::mutex mutex;
    std::map<void*, std::size_t> blocks;
    int users = 0;
    bool protects = false;
  };
  static State& state() {
    static State state;
    return state;
  }
  static void set(int protection) {
    for (const auto& [block, bytes] : state().blocks) mprotect(block, bytes, protection);
  }
};

}  // namespace stlm
