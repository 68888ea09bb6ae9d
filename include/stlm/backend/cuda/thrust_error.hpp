// Errors of Thrust algorithms in a stream, as CudaError.
#pragma once

#include <thrust/system/cuda/error.h>
#include <thrust/system_error.h>

#include <stlm/backend/cuda/error.hpp>

namespace stlm::gpu {

/// Calls work(), which submits Thrust algorithms to `stream`. With STLM_SYNC_CHECK=1 it waits for them.
template <class Work>
void check_thrust(cudaStream_t stream, const Work& work) {
  constexpr const char* algorithm = "an algorithm of Thrust";
  try {
    work();
  } catch (const thrust::system_error& error) {
    if (error.code().category() != thrust::cuda_category()) throw;
    detail::raise(static_cast<cudaError_t>(error.code().value()), algorithm, std::source_location::current(), "", stream);
  }
  check(detail::wait_if_asked(stream), algorithm);
}

}  // namespace stlm::gpu
