# stlm_dev_flags: how our own tests, examples and benchmarks are compiled. Never linked by stlm, never installed.

add_library(stlm_dev_flags INTERFACE)
# Adds flags for C++ files; nvcc's files have their own flags, below.
function(stlm_cxx_flags)
  target_compile_options(stlm_dev_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${ARGN}>")
endfunction()

stlm_cxx_flags(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion)
if(NOT (CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19))
  stlm_cxx_flags(-Wshadow)  # Clang 19 also warns of `n = n` in a lambda, where n is a structured binding
endif()
if(STLM_WARNINGS_AS_ERRORS)
  stlm_cxx_flags(-Werror)
endif()

if(STLM_NATIVE_ARCH AND NOT CMAKE_CROSSCOMPILING)
  stlm_cxx_flags(-march=native)
  # g++-12 takes a Zen 4 for a Zen 3 with AVX-512, and tuning for that costs Eigen a fifth of its GEMM rate; on a Zen 3
  # itself it costs our products a twentieth.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -Q --help=target
                    OUTPUT_VARIABLE target_help ERROR_QUIET)
    if(target_help MATCHES "-mtune=[ \t]+znver[123][ \t\n]")
      stlm_cxx_flags(-mtune=generic)
    endif()
  endif()
endif()

if(STLM_SANITIZE)
  stlm_cxx_flags(-fsanitize=${STLM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(stlm_dev_flags INTERFACE -fsanitize=${STLM_SANITIZE})
endif()

if(STLM_WITH_CUDA)
  # -Wpedantic would warn of every line that nvcc hands to the host's compiler.
  set(host_warnings -Xcompiler=-Wall,-Wextra,-Wshadow,-Wconversion,-Wsign-conversion)
  target_compile_options(stlm_dev_flags INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:${host_warnings}>")
  if(STLM_WARNINGS_AS_ERRORS)
    target_compile_options(stlm_dev_flags INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings>")
  endif()
endif()
