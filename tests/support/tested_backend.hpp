// The backend that a test's typed bodies compare with the reference: EigenBackend; in the tests whose names end in
// `.emulated` the kernels of CudaBackend, run by the CPU; in those that nvcc compiles CudaBackend itself, on a GPU.
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
/// For what is asked of one backend of the host alone: Eigen is not there where nvcc compiles.
using CpuBackend = ReferenceBackend;
inline constexpr bool tests_double = false;  // products on a GPU are of float and Bfloat16

/// Memory that a test reads and writes as well as the backend.
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

/// Of the threads of a block, beside forward: a result that they change is a race.
#if defined(STLM_TEST_EMULATED)
inline constexpr gpu::ThreadOrder other_orders[] = {gpu::ThreadOrder::kReverse, gpu::ThreadOrder::kShuffled};
#endif

}  // namespace stlm::test
