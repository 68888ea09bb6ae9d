# stlm::cuda: what a target with .cu files links to use CudaBackend. Included by our own build and by find_package(stlm
# COMPONENTS cuda). The CUDA runtime is not among its libraries: CMake links the one that CUDA_RUNTIME_LIBRARY names.

if(NOT TARGET stlm::cuda)
  find_package(CUDAToolkit 13.0 QUIET)
  if(TARGET CUDA::cublasLt)
    add_library(stlm::cuda INTERFACE IMPORTED GLOBAL)
    target_link_libraries(stlm::cuda INTERFACE stlm::headers CUDA::cublasLt)
    if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.26)
      target_compile_features(stlm::cuda INTERFACE cuda_std_20)
    else()  # does not know that nvcc has C++20
      target_compile_options(stlm::cuda INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>")
    endif()
  elseif(CUDAToolkit_VERSION)
    set(stlm_cuda_missing "found CUDA ${CUDAToolkit_VERSION} in ${CUDAToolkit_BIN_DIR}")
  else()
    set(stlm_cuda_missing "found none")
  endif()
endif()

if(NOT TARGET stlm::cuda)
  set(stlm_cuda_missing "stlm::cuda: expected the CUDA toolkit, 13.0 or newer, with cuBLASLt, ${stlm_cuda_missing}. \
Install it, or say where it is with -D CUDAToolkit_ROOT=<folder>, or leave the GPU backend out.")
endif()
