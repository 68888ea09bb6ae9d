# nvcc for our own programs. Of a project of our own alone we also choose the GPUs: Ampere and Hopper, and for newer ones
# PTX, which their driver compiles.

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90a-real 90-virtual CACHE STRING "GPUs that our own programs are built for")
  # Tests that need a GPU are many kernels, and other tests compile these for all: for one there is no other reason than time.
  set(STLM_GPU_TEST_ARCHITECTURES 90 CACHE STRING "GPUs that the tests for GPUs are built for; empty: all of them")
endif()
enable_language(CUDA)
set(CMAKE_CUDA_EXTENSIONS OFF)

# Builds all of what nvcc compiles, and the tests of it that run on a CPU.
add_custom_target(stlm_cuda_programs)
