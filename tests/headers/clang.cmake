# Every header alone under clang++, syntax and warnings. The whole standard library and Eigen are precompiled, since reading
# them again for each header takes minutes; the project's compiler finds missing includes of them.
cmake_minimum_required(VERSION 3.24)

find_program(clang NAMES clang++ clang++-19 clang++-16 clang++-14)
if(NOT clang)
  message(STATUS "skipped: no clang++ found")
  return()
endif()

set(compile ${clang} -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror -I${INCLUDE_DIR}
    -isystem ${EIGEN_DIR})
string(REPLACE "," ";" headers "${HEADERS}")

set(library "")
foreach(header IN LISTS headers)
  file(STRINGS "${INCLUDE_DIR}/${header}" lines REGEX "^#include <[a-z_]+>")
  list(APPEND library ${lines})
endforeach()
list(REMOVE_DUPLICATES library)
list(JOIN library "\n" library)
file(WRITE "${SCRATCH}/library.hpp" "#pragma once\n${library}\n#include <Eigen/Core>\n")
execute_process(COMMAND ${compile} -x c++-header "${SCRATCH}/library.hpp" -o "${SCRATCH}/library.hpp.pch"
                COMMAND_ERROR_IS_FATAL ANY)

foreach(header IN LISTS headers)
  execute_process(
    COMMAND ${compile} -include-pch "${SCRATCH}/library.hpp.pch" -fsyntax-only "${SCRATCH}/${header}.cpp"
    RESULT_VARIABLE result ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    list(APPEND failed ${header})
    message("${text}")
  endif()
endforeach()
if(failed)
  message(FATAL_ERROR "do not compile alone under ${clang}: ${failed}")
endif()
