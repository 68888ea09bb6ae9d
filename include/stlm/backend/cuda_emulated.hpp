// The CudaBackend's kernels on the CPU, for tests: include this in a .cpp file and build models for EmulatedCudaBackend.
//
// Every thread of every block runs in turn, with all accesses checked (backend/cuda/host_executor.hpp): thousands of times
// slower than a GPU, and the same arithmetic in the same order but for the products (loops instead of cuBLASLt). Needs the
// headers of Thrust (CCCL) and THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP; no CUDA library.
#pragma once

#include <stlm/backend/cuda/activation.hpp>
#include <stlm/backend/cuda/attention.hpp>
#include <stlm/backend/cuda/attention_pool.hpp>
#include <stlm/backend/cuda/cross_entropy.hpp>
#include <stlm/backend/cuda/elementwise.hpp>
#include <stlm/backend/cuda/embedding.hpp>
#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/gemm.hpp>
#include <stlm/backend/cuda/group_gate.hpp>
#include <stlm/backend/cuda/learned_activation.hpp>
#include <stlm/backend/cuda/norm.hpp>
#include <stlm/backend/cuda/optimizer.hpp>
#include <stlm/backend/cuda/patches.hpp>
#include <stlm/backend/cuda/quantized.hpp>
#include <stlm/backend/cuda/rope.hpp>
#include <stlm/backend/cuda/routing.hpp>
#include <stlm/backend/cuda/segments.hpp>
