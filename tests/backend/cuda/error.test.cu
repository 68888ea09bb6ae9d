#include <stlm/backend/cuda/error.hpp>

#include <stlm/backend/cuda/thrust_error.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

__global__ void planted_kernel() {}

template <class F>
CudaFailure failure_of(const F& f) {
  try {
    f();
  } catch (const CudaError& error) {
    return error.failure;
  }
  FAIL("threw nothing");
  return {};
}

}  // namespace

static_assert(std::is_base_of_v<Error, CudaError>);

TEST_CASE("check: success is silent", "[backend][cuda]") {
  CHECK_NOTHROW(gpu::check(cudaSuccess, "x"));
  CHECK_NOTHROW(gpu::check(CUBLAS_STATUS_SUCCESS, "x"));
}

TEST_CASE("check: an error of CUDA says what was called, what came back, where, and what to do", "[backend][cuda]") {
  const unsigned line = __LINE__ + 1;
  const auto call = [] { gpu::check(cudaErrorMemoryAllocation, "cudaMalloc of 40 bytes"); };
  CHECK_THROWS_WITH(call(),
                    "stlm::CudaError: expected cudaMalloc of 40 bytes to succeed, found cudaErrorMemoryAllocation (2) "
                    "of CUDA, \"out of memory\", at " __FILE__ ":" +
                        std::to_string(line) +
                        "; plan for a smaller batch or fewer tokens, or end other programs on this GPU.");
  const CudaFailure failure = failure_of(call);
  CHECK(failure.library == std::string("CUDA"));
  CHECK(failure.code == cudaErrorMemoryAllocation);
  CHECK(failure.code_name == std::string("cudaErrorMemoryAllocation"));
  CHECK(failure.expression == "cudaMalloc of 40 bytes");
  CHECK(failure.kernel.empty());
  CHECK(failure.file == __FILE__);
  CHECK(failure.line == line);
}

TEST_CASE("check: an error of cuBLASLt does too", "[backend][cuda]") {
  const unsigned line = __LINE__ + 1;
  const auto call = [] { gpu::check(CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmul"); };
  CHECK_THROWS_WITH(call(),
                    "stlm::CudaError: expected cublasLtMatmul to succeed, found CUBLAS_STATUS_NOT_SUPPORTED (15) of "
                    "cuBLASLt, \"" +
                        std::string(cublasLtGetStatusString(CUBLAS_STATUS_NOT_SUPPORTED)) + "\", at " __FILE__ ":" +
                        std::to_string(line) +
                        "; cuBLASLt has no algorithm for these shapes, strides and scalars: "
                        "make widths multiples of 8 elements.");
  CHECK(failure_of(call).library == std::string("cuBLASLt"));
}

TEST_CASE("check_launch: names the kernel and the stream", "[backend][cuda]") {
  const auto launch = [] {
    planted_kernel<<<1, 100'000>>>();  // more threads than a block may have; without a driver another error comes first
    gpu::check_launch(cudaGetLastError(), "planted_kernel", cudaStreamPerThread);
  };
  const CudaFailure failure = failure_of(launch);
  CHECK(failure.kernel == "planted_kernel");
  CHECK(failure.stream == cudaStreamPerThread);
  CHECK_THROWS_WITH(launch(), ContainsSubstring("expected the launch of kernel planted_kernel in stream 0x2 to succeed"));
  CHECK(cudaGetLastError() != cudaErrorInvalidConfiguration);  // an error that does not persist is reported once
}

TEST_CASE("check_launch: an error that was handled before is not the kernel's", "[backend][cuda]") {
  CHECK(cudaSetDevice(-1) != cudaSuccess);
  CHECK_NOTHROW(gpu::check_launch(cudaSuccess, "planted_kernel", nullptr));
  CHECK(cudaGetLastError() != cudaSuccess);
}

TEST_CASE("check_thrust: an error of Thrust is a CudaError", "[backend][cuda]") {
  const auto found = failure_of([] {
    gpu::check_thrust(cudaStreamPerThread, [] {
      throw thrust::system_error(cudaErrorInvalidValue, thrust::cuda_category(), "planted");
    });
  });
  CHECK(found.code == cudaErrorInvalidValue);
  CHECK(found.expression == "an algorithm of Thrust");
  CHECK(found.stream == cudaStreamPerThread);
  const auto of_another = [] { throw thrust::system_error(1, thrust::generic_category(), "planted"); };
  CHECK_THROWS_AS(gpu::check_thrust(nullptr, of_another), thrust::system_error);
}

TEST_CASE("hint: codes with a known cause say what to do, all others where to read", "[backend][cuda]") {
  using gpu::detail::hint;
  using std::string;
  CHECK(string(hint(cudaErrorInsufficientDriver)).find("install an NVIDIA driver") == 0);
  CHECK(string(hint(cudaErrorNoKernelImageForDevice)).find("CMAKE_CUDA_ARCHITECTURES") != string::npos);
  CHECK(string(hint(cudaErrorIllegalAddress)).find("STLM_SYNC_CHECK=1") != string::npos);
  CHECK(string(hint(cudaErrorUnknown)).find("manual") != string::npos);
  CHECK(string(hint(CUBLAS_STATUS_NOT_INITIALIZED)).find("probe()") != string::npos);
  CHECK(string(hint(CUBLAS_STATUS_INTERNAL_ERROR)).find("manual") != string::npos);
}
