// TestedBackend: the backend that a test's typed bodies compare with the reference. It is EigenBackend; in tests whose names
// end in `.emulated`, the kernels of CudaBackend run by the CPU; in tests compiled by nvcc, CudaBackend on a GPU.
#pragma once

#include <stlm/core/bfloat16.hpp>
#include <stlm/core/buffer.hpp>

#if defined(STLM_TEST_CUDA)
#include <stlm/backend/cuda.hpp>
#include <stlm/backend/reference.hpp>
#else
#include <stlm/backend/eigen.hpp>
#endif
#if defined(STLM_TEST_EMULATED)
#include <stlm/backend/cuda_emulated.hpp>
#endif

namespace stlm::test {

#if defined(STLM_TEST_CUDA)
using TestedBackend = CudaBackend;
/// For tests of one host backend: nvcc compiles without Eigen.
using CpuBackend = ReferenceBackend;
inline constexpr bool tests_double = false;  // a GPU multiplies float and Bfloat16 only

/// Memory that both the test and the backend read and write.
template <class B>
using TestSpace = std::conditional_t<std::is_same_v<B, CudaBackend>, PinnedSpace, HostSpace>;
#else
using CpuBackend = EigenBackend;
inline constexpr bool tests_double = true;
template <class B>
using TestSpace = HostSpace;
#if defined(STLM_TEST_EMULATED)
using TestedBackend = EmulatedCudaBackend;
#else
using TestedBackend = EigenBackend;
#endif
#endif

/// Whether activations may be Bfloat16.
inline constexpr bool tests_bfloat16 = std::is_same_v<activation_t<TestedBackend, Bfloat16>, Bfloat16>;

template <class B, class T>
using TestBuffer = Buffer<T, TestSpace<B>>;

/// Orders of the threads of a block, other than forward: a result that changes with the order shows a race.
#if defined(STLM_TEST_EMULATED)
inline constexpr gpu::ThreadOrder other_orders[] = {gpu::ThreadOrder::kReverse, gpu::ThreadOrder::kShuffled};
#endif

}  // namespace stlm::test
