# Enables nvcc for our own programs. If stlm is the top-level project, also chooses the GPUs: Ampere and Hopper, and for
# newer ones PTX, which their driver compiles.

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90a-real 90-virtual CACHE STRING "GPUs that our own programs are built for")
  # Another test checks that our kernels compile for all of them; so what only runs on a GPU is built for one, to save time.
  set(STLM_ONE_GPU_ARCHITECTURE 90 CACHE STRING "The GPU that our tests and benchmarks on a GPU are built for; empty: all")
endif()
enable_language(CUDA)
set(CMAKE_CUDA_EXTENSIONS OFF)

# Builds everything that nvcc compiles, and its tests that run on a CPU.
add_custom_target(stlm_cuda_programs)
