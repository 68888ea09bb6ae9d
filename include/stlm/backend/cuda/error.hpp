// Errors of CUDA and cuBLASLt: every call is checked, and a failure throws a CudaError that says where.
//
//   gpu::check(cudaMalloc(&block, bytes), "cudaMalloc");
//   gpu::check_launch(cudaLaunchKernelEx(&config, run, kernel), Kernel::name, stream);
//   run<<<blocks, threads, 0, stream>>>(kernel);
//   gpu::check_launch(cudaGetLastError(), "run", stream);
//
// If a kernel fails while it runs, whichever call comes next reports it. With the environment variable STLM_SYNC_CHECK=1 the
// host waits for every launch, product, copy and Thrust algorithm, so that the error names it; otherwise only the time changes.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <source_location>

#include <stlm/backend/cuda/error_hint.hpp>
#include <stlm/core/error.hpp>

namespace stlm {

/// How a call of CUDA or cuBLASLt failed.
struct CudaFailure {
  const char* library = "";    ///< "CUDA" or "cuBLASLt"
  int code = 0;                ///< a cudaError_t or a cublasStatus_t
  const char* code_name = "";  ///< "cudaErrorMemoryAllocation"
  const char* message = "";    ///< the library's own words
  std::string expression;      ///< what was called
  std::string kernel;          ///< the kernel launched, if it was one
  cudaStream_t stream = nullptr;
  std::string file;
  unsigned line = 0;
};

/// Thrown when a call of CUDA or cuBLASLt fails.
struct CudaError : Error {
  explicit CudaError(CudaFailure failure_, const char* hint)
      : Error(text(failure_, hint)), failure(std::move(failure_)) {}
  CudaFailure failure;

 private:
  static std::string text(const CudaFailure& f, const char* hint) {
    std::ostringstream out;
    out << "stlm::CudaError: expected " << f.expression;
    if (!f.kernel.empty()) out << " of kernel " << f.kernel;
    if (f.stream) out << " in stream " << static_cast<const void*>(f.stream);
    out << " to succeed, found " << f.code_name << " (" << f.code << ") of " << f.library << ", \"" << f.message
        << "\", at " << f.file << ":" << f.line << "; " << hint << ".";
    return out.str();
  }
};

namespace gpu {

/// Throws CudaError unless `code` is success. `expression` says what was called.
inline void check(cudaError_t code, std::string_view expression,
                  std::source_location place = std::source_location::current());
inline void check(cublasStatus_t code, std::string_view expression,
                  std::source_location place = std::source_location::current());

/// `code` is the result of a launch. Throws CudaError, which names the kernel, if it could not be launched.
inline void check_launch(cudaError_t code, const char* kernel, cudaStream_t stream,
                         std::source_location place = std::source_location::current());

namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void raise(cudaError_t code, std::string_view expression,
                                                         std::source_location place, const char* kernel = "",
                                                         cudaStream_t stream = nullptr) {
  (void)cudaGetLastError();  // clears the error, so that it is reported once
  throw CudaError({"CUDA", code, cudaGetErrorName(code), cudaGetErrorString(code), std::string(expression), kernel,
                   stream, place.file_name(), place.line()},
                  hint(code));
}

/// Whether STLM_SYNC_CHECK asks to wait for launches.
inline bool waits_for_launches() {
  static const bool asked = [] {
    const char* const value = std::getenv("STLM_SYNC_CHECK");
    return value && std::string_view(value) == "1";
  }();
  return asked;
}

/// Waits for the work of a stream if STLM_SYNC_CHECK asks for it, except under capture, where none runs.
inline cudaError_t wait_if_asked(cudaStream_t stream) {
  if (!waits_for_launches()) return cudaSuccess;
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  const cudaError_t code = cudaStreamIsCapturing(stream, &capture);
  return code == cudaSuccess && capture == cudaStreamCaptureStatusNone ? cudaStreamSynchronize(stream) : code;
}

}  // namespace detail

inline void check(cudaError_t code, std::string_view expression, std::source_location place) {
  if (code != cudaSuccess) [[unlikely]]
    detail::raise(code, expression, place);
}

inline void check(cublasStatus_t code, std::string_view expression, std::source_location place) {
  if (code != CUBLAS_STATUS_SUCCESS) [[unlikely]]
    throw CudaError({"cuBLASLt", code, cublasLtGetStatusName(code), cublasLtGetStatusString(code),
                     std::string(expression), "", nullptr, place.file_name(), place.line()},
                    detail::hint(code));
}

inline void check_launch(cudaError_t code, const char* kernel, cudaStream_t stream, std::source_location place) {
  if (code == cudaSuccess) code = detail::wait_if_asked(stream);
  if (code != cudaSuccess) [[unlikely]]
    detail::raise(code, "the launch", place, kernel, stream);
}

}  // namespace gpu
}  // namespace stlm
