# What a .cu file of a user includes (all but the CPU backends) in one device translation unit, all warnings as errors.
cmake_minimum_required(VERSION 3.24)

find_program(nvcc NAMES nvcc HINTS /usr/local/cuda/bin)
if(NOT nvcc)
  message(STATUS "skipped: no nvcc found")
  return()
endif()

string(REPLACE "," ";" headers "${HEADERS}")
list(FILTER headers EXCLUDE REGEX "^stlm/backend/")
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
string(CONCAT text ${headers})
file(WRITE "${SCRATCH}/nvcc.cu" "${text}")
execute_process(
  COMMAND ${nvcc} -std=c++20 -x cu -c -Werror all-warnings -Xcompiler -Wall,-Wextra -I${INCLUDE_DIR}
          ${SCRATCH}/nvcc.cu -o ${SCRATCH}/nvcc.o
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the headers do not compile under ${nvcc}")
endif()
