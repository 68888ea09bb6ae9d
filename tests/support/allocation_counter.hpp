// Counts every heap allocation of a program: this header defines malloc and its family by those of glibc, so allocations by
// operator new, Eigen and the library count alike, on all threads. Include it in one source file of a program only.
// Sanitizers have their own malloc; with them, and without glibc, nothing is counted and `counting` is false.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "support/sanitized.hpp"

namespace stlm::test {
#if defined(__GLIBC__) && !defined(STLM_TEST_SANITIZED)
#define STLM_TEST_COUNTS_ALLOCATIONS
inline constexpr bool counting = true;
#else
inline constexpr bool counting = false;
#endif

inline std::atomic<long> allocations{0};

/// The number of allocations while `f` runs.
template <class F>
long count_allocations(F&& f) {
  const long before = allocations;
  f();
  return allocations - before;
}

}  // namespace stlm::test

#ifdef STLM_TEST_COUNTS_ALLOCATIONS
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  ++stlm::test::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++stlm::test::allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) noexcept {
  ++stlm::test::allocations;
  return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  ++stlm::test::allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  *block = memalign(alignment, size);
  return *block || size == 0 ? 0 : ENOMEM;
}
}
#endif
