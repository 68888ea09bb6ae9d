# cmake -D CHECK=check.cmake -D INCLUDE_DIR=... -D SCRATCH=... -P self_test.cmake
# Plants wrong includes in a copy of the library, one at a time, and sees the check name each.
cmake_minimum_required(VERSION 3.24)

function(plant header include)
  file(REMOVE_RECURSE "${SCRATCH}")
  file(COPY "${INCLUDE_DIR}/stlm" DESTINATION "${SCRATCH}")
  file(APPEND "${SCRATCH}/stlm/${header}" "\n#include ${include}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -D INCLUDE_DIR=${SCRATCH} -P ${CHECK}
                  RESULT_VARIABLE result ERROR_VARIABLE text OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  string(FIND "${text}" "${ARGN}" at)
  if(result EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "${header} including ${include} was not refused with '${ARGN}', but: ${text}")
  endif()
endfunction()

plant(nn/planted.hpp "<stlm/backend/eigen.hpp>" "nn/planted.hpp must not include <stlm/backend/eigen.hpp>")
plant(ops/planted.hpp "<Eigen/Dense>" "ops/planted.hpp must not include <Eigen/Dense>")
plant(backend/reference/planted.hpp "<Eigen/Dense>" "must not include <Eigen/Dense>")
plant(models/planted.hpp "<cublasLt.h>" "must not include <cublasLt.h>")
plant(core/planted.hpp "<stlm/ops/gemm.hpp>" "must not include <stlm/ops/gemm.hpp>")
plant(io/planted.hpp "<stlm/models/language_model.hpp>" "must not include <stlm/models/language_model.hpp>")
plant(stlm.hpp "<stlm/backend/reference.hpp>" "stlm.hpp must not include <stlm/backend/reference.hpp>")
plant(train/planted.hpp "<nlohmann/json.hpp>" "must not include <nlohmann/json.hpp>")
plant(nn/planted.hpp "\"linear.hpp\"" "write the include with angle brackets")
plant(attic/planted.hpp "<vector>" "'attic' is no known layer")
file(REMOVE_RECURSE "${SCRATCH}")
