# cmake -D FILES=<page>;... -D COMPILER=... -D INCLUDE_DIR=... -D EIGEN_DIR=... -D SCRATCH=<folder> -P check.cmake
# Compiles every sample of the pages that is a file of its own, one that begins with `#include`.
cmake_minimum_required(VERSION 3.24)

file(MAKE_DIRECTORY "${SCRATCH}")
set(count 0)
foreach(page IN LISTS FILES)
  file(READ "${page}" text)
  while(text MATCHES "```cpp\n(#include .*)")
    set(rest "${CMAKE_MATCH_1}")
    string(FIND "${rest}" "\n```" end)
    string(SUBSTRING "${rest}" 0 ${end} sample)
    string(SUBSTRING "${rest}" ${end} -1 text)
    math(EXPR count "${count} + 1")
    file(WRITE "${SCRATCH}/${count}.cpp" "${sample}\n")
    execute_process(
      COMMAND ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I${INCLUDE_DIR} -isystem ${EIGEN_DIR}
              "${SCRATCH}/${count}.cpp"
      RESULT_VARIABLE result ERROR_VARIABLE errors)
    if(NOT result EQUAL 0)
      message(FATAL_ERROR "${page}: sample ${count} does not compile:\n${sample}\n${errors}")
    endif()
  endwhile()
endforeach()
if(count LESS 3)
  message(FATAL_ERROR "expected at least 3 samples that begin with #include, found ${count} in ${FILES}")
endif()
