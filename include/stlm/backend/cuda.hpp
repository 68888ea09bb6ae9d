// CudaBackend: NVIDIA GPUs of compute capability 8.0 and newer, by cuBLASLt, Thrust and own kernels. Scalars are float and
// Bfloat16; weights may also be int8. For .cu files, which nvcc compiles; link stlm::cuda, or -lcublasLt.
//
//   const stlm::gpu::Probe found = stlm::gpu::probe();             // the first thing a program does
//   if (!found) { std::puts(found.str().c_str()); return 0; }
#pragma once

#ifndef __CUDACC__
#error "stlm: <stlm/backend/cuda.hpp> is for nvcc: include it in .cu files alone, and link stlm::cuda or -lcublasLt."
#elif defined(CUDA_API_PER_THREAD_DEFAULT_STREAM)
#error "stlm: <stlm/backend/cuda.hpp> copies in order of the legacy default stream: leave out --default-stream per-thread."
#else

#include <stlm/backend/cuda/context.hpp>
#include <stlm/backend/cuda/fetched.hpp>
#include <stlm/backend/cuda/ops.hpp>
#include <stlm/backend/cuda/recorded.hpp>
#include <stlm/backend/cuda/staged.hpp>

#endif
