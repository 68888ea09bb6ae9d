// Whether a sanitizer watches the tests. If so, tests that differ only in scalar or number of threads run once.
#pragma once

#include <array>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define STLM_TEST_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STLM_TEST_SANITIZED
#endif

namespace stlm::test {
#ifdef STLM_TEST_SANITIZED
inline constexpr bool sanitized = true;
inline constexpr std::array many_threads{3};
#else
inline constexpr bool sanitized = false;
inline constexpr std::array many_threads{2, 3, 8};  ///< numbers of threads to compare with one
#endif
}  // namespace stlm::test
