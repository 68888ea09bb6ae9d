// The CudaBackend's kernels on the CPU, for tests: include this in a .cpp file and build models for EmulatedCudaBackend.
//
// Every thread of every block runs in turn, with all accesses checked (backend/cuda/host_executor.hpp): thousands of times
// slower than a GPU, and the same arithmetic in the same order but for the products (loops instead of cuBLASLt). Needs the
// headers of Thrust (CCCL) and THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP; no CUDA library.
#pragma once

#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/emulated_recorded.hpp>
#include <stlm/backend/cuda/ops.hpp>
