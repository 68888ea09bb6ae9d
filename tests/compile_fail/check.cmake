# cmake -D CASE=<case>.cpp -D COMPILER=... -D INCLUDE_DIR=... -D EIGEN_DIR=... [-D EIGEN=<header>] -P check.cmake
# EIGEN: a header that includes Eigen, precompiled beside it.
cmake_minimum_required(VERSION 3.24)

file(STRINGS "${CASE}" first LIMIT_COUNT 1)
if(NOT first MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${CASE}: the first line must be '// expect: <part of the sentence>', found '${first}'")
endif()
set(sentence "${CMAKE_MATCH_1}")

set(compile ${COMPILER} -std=c++20 -fsyntax-only -fmessage-length=0 -I${INCLUDE_DIR} -isystem ${EIGEN_DIR})
if(EIGEN)
  list(APPEND compile -include ${EIGEN})
endif()
execute_process(COMMAND ${compile} ${CASE} RESULT_VARIABLE result ERROR_VARIABLE text)
if(result EQUAL 0)
  message(FATAL_ERROR "${CASE} compiles, but must not.")
endif()
# The sentence must stand in a line of the compiler's own, not only in the source line that it quotes.
if(NOT text MATCHES "error: ")
  message(FATAL_ERROR "${COMPILER} reports no error but failed:\n${text}")
endif()
string(REPLACE ";" "," errors "${text}")  # a semicolon would part the list of matches
string(REPLACE ";" "," sentence "${sentence}")
string(REGEX MATCHALL "error: [^\n]*" errors "${errors}")
string(FIND "${errors}" "${sentence}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "expected an error with\n  ${sentence}\nfound\n${text}")
endif()

execute_process(COMMAND ${compile} -DSTLM_FIXED ${CASE} RESULT_VARIABLE result ERROR_VARIABLE text)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${CASE} must compile with -DSTLM_FIXED, found\n${text}")
endif()
