# cmake -D SOURCE_DIR=<root> -D LISTED=a/b,c/d -P every_test_is_listed.cmake
# Every tests/**/*.test.cpp and .test.cu must be in tests/CMakeLists.txt, and every header must have a test of its name.
cmake_minimum_required(VERSION 3.24)

# Headers without a test of their name, because the tests of others cannot pass without them.
set(exempt
  core/config         # version numbers and two aliases
  io/file_descriptor  # nothing but what mapped_file and atomic_file use
  io/safetensors      # includes the reader and the writer
)

string(REPLACE "," ";" listed "${LISTED}")
set(errors "")

file(GLOB_RECURSE files RELATIVE "${SOURCE_DIR}/tests" "${SOURCE_DIR}/tests/*.test.cpp" "${SOURCE_DIR}/tests/*.test.cu")
foreach(file IN LISTS files)
  string(REGEX REPLACE "\\.test\\.(cpp|cu)$" "" name "${file}")
  if(NOT name IN_LIST listed)
    string(APPEND errors "  tests/${file} is not listed: add stlm_add_test(${name}), or stlm_add_cuda_test, to "
                         "tests/CMakeLists.txt.\n")
  endif()
endforeach()

file(GLOB_RECURSE headers RELATIVE "${SOURCE_DIR}/include/stlm" "${SOURCE_DIR}/include/stlm/*/*.hpp")
list(FILTER headers EXCLUDE REGEX "^backend/|(^|/)detail/")
list(TRANSFORM headers REPLACE "\\.hpp$" "")
foreach(header IN LISTS headers)
  if(NOT header IN_LIST exempt AND NOT EXISTS "${SOURCE_DIR}/tests/${header}.test.cpp")
    string(APPEND errors "  include/stlm/${header}.hpp has no test: write tests/${header}.test.cpp, "
                         "or exempt it in tests/support/every_test_is_listed.cmake and say why.\n")
  endif()
endforeach()

if(errors)
  message(FATAL_ERROR "\n${errors}")
endif()
