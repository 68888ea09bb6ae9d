# Every header alone under clang++, syntax and warnings.
cmake_minimum_required(VERSION 3.24)

find_program(clang NAMES clang++ clang++-19 clang++-16 clang++-14)
if(NOT clang)
  message(STATUS "skipped: no clang++ found")
  return()
endif()

string(REPLACE "," ";" headers "${HEADERS}")
foreach(header IN LISTS headers)
  execute_process(
    COMMAND ${clang} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror
            -I${INCLUDE_DIR} -isystem ${EIGEN_DIR} ${SCRATCH}/${header}.cpp
    RESULT_VARIABLE result ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    list(APPEND failed ${header})
    message("${text}")
  endif()
endforeach()
if(failed)
  message(FATAL_ERROR "do not compile alone under ${clang}: ${failed}")
endif()
