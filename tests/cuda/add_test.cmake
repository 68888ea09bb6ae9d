# `stlm_add_cuda_test(backend/cuda/error [GPU])`: tests/backend/cuda/error.test.cu becomes a test, labelled backend and
# cuda, and is left out without STLM_WITH_CUDA.
# GPU: it computes on a device. Labelled gpu too; where there is no device it is skipped, and its output says why.

if(STLM_WITH_CUDA)
  add_library(stlm_cuda_test_support INTERFACE)
  target_link_libraries(stlm_cuda_test_support INTERFACE stlm::cuda stlm_dev_flags)
  target_include_directories(stlm_cuda_test_support INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}")

  add_library(stlm_gpu_test_main STATIC EXCLUDE_FROM_ALL support/gpu_main.cu)
  target_link_libraries(stlm_gpu_test_main PUBLIC stlm_cuda_test_support Catch2::Catch2)
endif()

function(stlm_add_cuda_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "GPU" "" "")
  set_property(GLOBAL APPEND PROPERTY stlm_tests ${name})
  if(NOT STLM_WITH_CUDA)
    return()
  endif()
  string(REPLACE "/" "_" target "test_${name}")
  string(REGEX MATCH "^[^/]+" labels "${name}")
  list(APPEND labels cuda)
  add_executable(${target} ${name}.test.cu)
  add_dependencies(stlm_cuda_programs ${target})
  if(arg_GPU)
    list(APPEND labels gpu)
    target_link_libraries(${target} PRIVATE stlm_gpu_test_main)
  else()
    target_link_libraries(${target} PRIVATE stlm_cuda_test_support Catch2::Catch2WithMain)
  endif()
  add_test(NAME ${name} COMMAND ${target})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "${labels}" SKIP_RETURN_CODE 77)
endfunction()
