# cmake -D WAY=[cuda_]find_package|[cuda_]add_subdirectory|fetch_content|examples_alone|cuda_without_toolkit ... -P run.cmake
# A user's project, from nothing to a run.

cmake_minimum_required(VERSION 3.24)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} -D Eigen3_DIR=${Eigen3_DIR})

if(WAY MATCHES "find_package|examples_alone|without_toolkit")
  run(${configure} -S ${STLM_SOURCE_DIR} -B ${SCRATCH}/stlm
      -D STLM_BUILD_TESTS=OFF -D STLM_BUILD_EXAMPLES=OFF -D STLM_BUILD_BENCHMARKS=OFF)
  run(${CMAKE_COMMAND} --install ${SCRATCH}/stlm --prefix ${SCRATCH}/prefix)
  file(GLOB_RECURSE installed "${SCRATCH}/prefix/*.cmake")
  foreach(file IN LISTS installed)  # an installed package may be moved to another machine
    file(READ "${file}" text)
    foreach(folder IN ITEMS "${STLM_SOURCE_DIR}" "${SCRATCH}")
      string(FIND "${text}" "\"${folder}" first)  # not ${CMAKE_CURRENT_LIST_DIR}/stlmTargets.cmake, in a clone at /stlm
      string(FIND "${text}" ";${folder}" later)
      if(NOT first EQUAL -1 OR NOT later EQUAL -1)
        message(FATAL_ERROR "${file} names ${folder}")
      endif()
    endforeach()
  endforeach()
endif()

if(WAY STREQUAL "examples_alone")
  run(${configure} -S ${STLM_SOURCE_DIR}/examples -B ${SCRATCH}/build -D CMAKE_PREFIX_PATH=${SCRATCH}/prefix)
  run(${CMAKE_COMMAND} --build ${SCRATCH}/build --target stlm_hello)
  return()
endif()

if(WAY STREQUAL "cuda_without_toolkit")
  execute_process(
    COMMAND ${configure} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${SCRATCH}/build -D WAY=find_package -D COMPONENTS=cuda
            -D CMAKE_PREFIX_PATH=${SCRATCH}/prefix -D CMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=ON
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE text)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  if(result EQUAL 0 OR NOT text MATCHES "stlm::cuda: expected the CUDA toolkit, 13.0 or newer, with cuBLASLt, found none.")
    message(FATAL_ERROR "the component cuda without a toolkit was not refused with a sentence, but: ${text}")
  endif()
  return()
endif()

set(consumer consumer)
if(WAY MATCHES "^cuda_(.+)$")
  set(WAY ${CMAKE_MATCH_1})
  set(consumer consumer_cuda)
endif()
run(${configure} -S ${CMAKE_CURRENT_LIST_DIR}/${consumer} -B ${SCRATCH}/build -D WAY=${WAY} -D STLM_SOURCE_DIR=${STLM_SOURCE_DIR}
    -D CMAKE_PREFIX_PATH=${SCRATCH}/prefix -D CMAKE_EXPORT_COMPILE_COMMANDS=ON)
run(${CMAKE_COMMAND} --build ${SCRATCH}/build)
run(${SCRATCH}/build/consumer)

file(READ "${SCRATCH}/build/compile_commands.json" commands)
string(REPLACE " -forward-unknown-to-host-compiler" "" commands "${commands}")  # CMake's own, for nvcc
if(commands MATCHES " (-march|-mtune|-m[a-z0-9]+|-W[a-z]+|-O[0-9a-z]*|-f[a-z-]+)[ =]")
  message(FATAL_ERROR "stlm gives its user the flag ${CMAKE_MATCH_1}:\n${commands}")
endif()
if(consumer STREQUAL "consumer")
  file(STRINGS "${SCRATCH}/build/CMakeCache.txt" looked_for REGEX "CUDA(Toolkit)?_|nvcc")
  if(looked_for)
    message(FATAL_ERROR "a user without a GPU makes CMake look for CUDA: ${looked_for}")
  endif()
endif()
