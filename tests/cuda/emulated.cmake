# Tests of the GPU backend's kernels on the CPU, compiled by the project's own compiler. They link stlm_cuda_emulated, which
# selects the sequential system of Thrust (headers only); nothing of CUDA is linked.

if(STLM_WITH_CUDA)
  find_path(STLM_CCCL_INCLUDE_DIR thrust/version.h HINTS "${CUDAToolkit_TARGET_DIR}/include/cccl" REQUIRED
    DOC "Folder of the headers of Thrust, with which the GPU backend is tested on the CPU")
  add_library(stlm_cuda_emulated INTERFACE)
  target_include_directories(stlm_cuda_emulated SYSTEM INTERFACE "${STLM_CCCL_INCLUDE_DIR}")
  # Sums and products are rounded one by one: what cancels exactly does so on every machine.
  target_compile_options(stlm_cuda_emulated INTERFACE -ffp-contract=off)
  target_compile_definitions(stlm_cuda_emulated INTERFACE STLM_TEST_EMULATED
    THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP CCCL_DISABLE_FP16_SUPPORT)

  # Compiled as the preset says; tests that run for long with -O2.
  add_library(stlm_emulated_test_pch STATIC EXCLUDE_FROM_ALL support/precompiled.cpp)
  add_library(stlm_long_emulated_test_pch STATIC EXCLUDE_FROM_ALL support/precompiled.cpp)
  target_compile_options(stlm_long_emulated_test_pch PUBLIC -O2)
  foreach(pch IN ITEMS stlm_emulated_test_pch stlm_long_emulated_test_pch)
    target_link_libraries(${pch} PUBLIC stlm_test_products stlm_cuda_emulated)
    target_precompile_headers(${pch} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/support/precompiled.hpp"
      "${CMAKE_CURRENT_SOURCE_DIR}/support/tested_backend.hpp")
  endforeach()
endif()

# Labelled cuda beside the labels given, and left out without STLM_WITH_CUDA.
function(stlm_add_emulated_test name source long)
  if(NOT STLM_WITH_CUDA)
    return()
  endif()
  string(REGEX REPLACE "[/.]" "_" target "test_${name}")
  add_executable(${target} ${source})
  set(pch stlm_emulated_test_pch)
  if(long)
    set(pch stlm_long_emulated_test_pch)
  endif()
  target_link_libraries(${target} PRIVATE ${pch})
  target_precompile_headers(${target} REUSE_FROM ${pch})
  add_dependencies(stlm_cuda_programs ${target})
  add_test(NAME ${name} COMMAND ${target})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "${ARGN};cuda")
endfunction()

# backend/cuda/thrust again, by Thrust's OpenMP system, where the compiler knows OpenMP.
if(STLM_WITH_CUDA AND NOT STLM_SANITIZE STREQUAL "thread")
  find_package(OpenMP COMPONENTS CXX QUIET)
  if(OpenMP_CXX_FOUND)
    add_executable(test_backend_cuda_thrust_omp backend/cuda/thrust.test.cpp)
    target_include_directories(test_backend_cuda_thrust_omp SYSTEM PRIVATE "${STLM_CCCL_INCLUDE_DIR}")
    target_compile_definitions(test_backend_cuda_thrust_omp PRIVATE THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_OMP
      CCCL_DISABLE_FP16_SUPPORT)
    target_link_libraries(test_backend_cuda_thrust_omp PRIVATE stlm_test_support OpenMP::OpenMP_CXX)
    add_dependencies(stlm_cuda_programs test_backend_cuda_thrust_omp)
    add_test(NAME backend/cuda/thrust.omp COMMAND test_backend_cuda_thrust_omp)
    set_tests_properties(backend/cuda/thrust.omp PROPERTIES TIMEOUT 600 LABELS "backend;cuda")
  endif()
endif()
