// CudaBackend: NVIDIA GPUs of compute capability 8.0 and newer, by cuBLASLt, Thrust and own kernels. Scalars: float and
// Bfloat16. For .cu files, which nvcc compiles; link stlm::cuda, or -lcublasLt.
//
//   const stlm::gpu::Probe found = stlm::gpu::probe();             // the first thing a program does
//   if (!found) { std::puts(found.str().c_str()); return 0; }
#pragma once

#ifndef __CUDACC__
#error "stlm: <stlm/backend/cuda.hpp> is for nvcc. Include it in a .cu file alone (in CMake: project(... LANGUAGES CXX CUDA), link stlm::cuda), and call what that file defines from your .cpp files."
#endif

#include <stlm/backend/cuda/context.hpp>
#include <stlm/backend/cuda/gemm.hpp>
#include <stlm/backend/cuda/norm.hpp>
#include <stlm/backend/cuda/recorded.hpp>
