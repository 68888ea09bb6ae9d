# All headers in one file under clang++, syntax and warnings. That each compiles alone is seen with the project's compiler,
# and does not depend on it: the standard library is the same.
cmake_minimum_required(VERSION 3.24)

find_program(clang NAMES clang++ clang++-19 clang++-16 clang++-14)
if(NOT clang)
  message(STATUS "skipped: no clang++ found")
  return()
endif()

string(REPLACE "," ";" headers "${HEADERS}")
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
string(CONCAT text ${headers})
file(WRITE "${SCRATCH}/clang.cpp" "${text}${text}")
execute_process(
  COMMAND ${clang} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror
          -I${INCLUDE_DIR} -isystem ${EIGEN_DIR} ${SCRATCH}/clang.cpp
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the headers do not compile under ${clang}")
endif()
