// CudaBackend: NVIDIA GPUs of compute capability 8.0 and newer, by cuBLASLt, Thrust and own kernels. Scalars: float and
// Bfloat16, of weights of ops int8 too. For .cu files, which nvcc compiles; link stlm::cuda, or -lcublasLt.
//
//   const stlm::gpu::Probe found = stlm::gpu::probe();             // the first thing a program does
//   if (!found) { std::puts(found.str().c_str()); return 0; }
#pragma once

#ifndef __CUDACC__
#error "stlm: <stlm/backend/cuda.hpp> is for nvcc: include it in .cu files alone, and link stlm::cuda or -lcublasLt."
#else

#include <stlm/backend/cuda/context.hpp>
#include <stlm/backend/cuda/fetched.hpp>
#include <stlm/backend/cuda/ops.hpp>
#include <stlm/backend/cuda/recorded.hpp>
#include <stlm/backend/cuda/staged.hpp>

#endif
