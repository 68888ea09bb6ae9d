// The backend that a test's typed bodies compare with the reference: EigenBackend, or in the tests whose names end in
// `.emulated` the kernels of CudaBackend, run by the CPU.
#pragma once

#include <stlm/backend/eigen.hpp>

#if defined(STLM_TEST_EMULATED)
#include <stlm/backend/cuda_emulated.hpp>
#endif

namespace stlm::test {

#if defined(STLM_TEST_EMULATED)
using TestedBackend = EmulatedCudaBackend;
/// Of the threads of a block, beside forward: a result that they change is a race.
inline constexpr gpu::ThreadOrder other_orders[] = {gpu::ThreadOrder::kReverse, gpu::ThreadOrder::kShuffled};
#else
using TestedBackend = EigenBackend;
inline constexpr int other_orders[] = {0};
#endif

}  // namespace stlm::test
