# cmake -D NVCC=nvcc -D CHECK=ptxas_report.cmake -D SOURCE=planted/kernels.cu -D INCLUDE_DIR=... -D SCRATCH=... -P self_test.cmake
# Plants faults, in kernels and in budgets, and sees the check name each.
cmake_minimum_required(VERSION 3.24)

function(check plant budget)
  file(REMOVE_RECURSE "${SCRATCH}")
  file(WRITE "${SCRATCH}/kernels.cu" "#define ${plant}\n#include \"${SOURCE}\"\n")
  file(WRITE "${SCRATCH}/budget" "# name registers bytes\n${budget}\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -D NVCC=${NVCC} -D SOURCE=${SCRATCH}/kernels.cu -D BUDGET=${SCRATCH}/budget -D ARCHITECTURES=80,90a
            -D INCLUDE_DIR=${INCLUDE_DIR} -D SCRATCH=${SCRATCH} -P ${CHECK}
    RESULT_VARIABLE result ERROR_VARIABLE text OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  string(FIND "${text}" "${ARGN}" at)
  if(NOT ARGN AND NOT result EQUAL 0)
    message(FATAL_ERROR "${plant} with the budget '${budget}' was refused: ${text}")
  elseif(ARGN AND (result EQUAL 0 OR at EQUAL -1))
    message(FATAL_ERROR "${plant} with the budget '${budget}' was not refused with '${ARGN}', but: ${text}")
  endif()
endfunction()

set(sums "planted::sums<128> 32 512")
check(NOTHING "${sums}")
check(NOTHING "${sums} ld.global st.shared bar.sync")
check(NOTHING "planted::sums ignore")
check(NOTHING "planted::sums<128> 1 512" "planted::sums<128>(float const*, float*), sm_80: uses")
check(NOTHING "planted::sums<128> 32 508" "sm_90a: uses 512 bytes of shared memory, its budget is 508.")
check(NOTHING "${sums} 90a:bar.sync 80:ld.global")
check(NOTHING "${sums} mma.sync" "its PTX holds no mma.sync.")
check(NOTHING "${sums} 90a:wgmma" "its PTX holds no wgmma.")
check(NOTHING "${sums}\nplanted::gone 32 0" "'planted::gone 32 0' matches no kernel")
check(NOTHING "" "planted::sums<128>(float const*, float*), sm_80: has no budget")
check(PLANT_SPILLS "${sums}\nmany_numbers 255 0" "planted::many_numbers(float const*, float*), sm_80: spills registers,")
check(PLANT_STACK_FRAME "${sums}\nrun_time_index 255 0" "run_time_index(int const*, int*), sm_80: has a stack frame of")
file(REMOVE_RECURSE "${SCRATCH}")
