// The CudaBackend's kernels on the CPU, for tests: include this in a .cpp file and build models for EmulatedCudaBackend.
//
// The threads of every block run in turn and all their accesses are checked (backend/cuda/host_executor.hpp). This is
// thousands of times slower than a GPU, but does the same arithmetic in the same order, except for matrix products, which are
// loops instead of cuBLASLt. It needs the headers of Thrust (CCCL) and THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP, but no
// CUDA library.
#pragma once

#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/emulated_recorded.hpp>
#include <stlm/backend/cuda/ops.hpp>
