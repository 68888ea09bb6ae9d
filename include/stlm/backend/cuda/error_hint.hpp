// What to do about an error of CUDA or cuBLASLt, one sentence for each that has a known cause.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace stlm::gpu::detail {

inline const char* hint(cudaError_t code) {
  switch (code) {
    case cudaErrorMemoryAllocation:
      return "plan for a smaller batch or fewer tokens, or end other programs on this GPU";
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
      return "install an NVIDIA driver as new as the CUDA this program was built with, or run it on another backend";
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
      return "run on a machine with an NVIDIA GPU, and see that CUDA_VISIBLE_DEVICES does not hide it";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorInvalidKernelImage:
      return "build for this GPU: -D CMAKE_CUDA_ARCHITECTURES=native, or nvcc -arch=native";
    case cudaErrorInvalidConfiguration:
    case cudaErrorLaunchOutOfResources:
      return "launch fewer threads, or a kernel with less shared memory and fewer registers";
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorAssert:
      return "a kernel launched before failed: run again with STLM_SYNC_CHECK=1 to learn which, or under "
             "compute-sanitizer";
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureImplicit:
    case cudaErrorStreamCaptureWrongThread:
      return "while a stream is captured nothing may allocate, wait or use the default stream: run the step once "
             "before";
    default:
      return "see this code in the manual of the CUDA runtime";
  }
}

inline const char* hint(cublasStatus_t code) {
  switch (code) {
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "cuBLASLt needs a driver, a device and some of its memory: stlm::gpu::probe() says which is missing";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "plan for a smaller batch or fewer tokens, or end other programs on this GPU";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "cuBLASLt has no algorithm for these shapes, strides and scalars: make widths multiples of 8 elements";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "check that every stride is at least the number of columns, and that pointers are aligned to their scalar";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "use a GPU of compute capability 8.0 or newer";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "a kernel failed on the GPU: run again with STLM_SYNC_CHECK=1 to learn which, or under compute-sanitizer";
    default:
      return "see this code in the manual of cuBLAS";
  }
}

}  // namespace stlm::gpu::detail
