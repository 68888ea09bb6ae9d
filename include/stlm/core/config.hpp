// The version, the index type and the one macro of the public API.
#pragma once

#if __cplusplus < 202002L
#error "stlm: expected C++20 or newer; compile with -std=c++20."
#endif
#if defined(__FAST_MATH__)
#warning "stlm: -ffast-math takes away the checks for numbers that are not finite, and the order of sums; compile without."
#endif

#include <cstddef>
#include <cstdint>

#define STLM_VERSION_MAJOR 0
#define STLM_VERSION_MINOR 1
#define STLM_VERSION_PATCH 0

// Marks a function that device code may call. Empty unless nvcc compiles.
#if defined(__CUDACC__)
#define STLM_HOST_DEVICE __host__ __device__
#else
#define STLM_HOST_DEVICE
#endif

namespace stlm {

using Index = std::ptrdiff_t;  ///< sizes, strides and positions; signed, so differences are safe
using Token = std::int32_t;    ///< one id of a vocabulary

}  // namespace stlm
