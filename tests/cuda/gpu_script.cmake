# cmake -D ROOT=<root> -D SCRATCH=<folder> -P gpu_script.cmake
# benchmarks/gpu/run.sh without a GPU: its options, what it would build and run, and the report of a run that found nothing.
cmake_minimum_required(VERSION 3.24)

find_program(bash bash REQUIRED)
find_program(python python3 REQUIRED)
set(script "${ROOT}/benchmarks/gpu/run.sh")
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")

# Runs a command, which has to end with `code` and to say every text that follows.
function(check code command)
  execute_process(COMMAND ${command} WORKING_DIRECTORY "${ROOT}" RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL code)
    message(FATAL_ERROR "'${command}' ended with ${result}, expected ${code}: ${text}")
  endif()
  foreach(wanted IN LISTS ARGN)
    string(FIND "${text}" "${wanted}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "'${command}' did not say '${wanted}', but: ${text}")
    endif()
  endforeach()
endfunction()

check(0 "${bash};-n;${script}")
check(0 "${bash};${script};--help" "--deps FOLDER" "--dry-run")
check(2 "${bash};${script};--no-such-option" "found --no-such-option")
check(2 "${bash};${script};--out" "expected a value after --out")

# Every test that nvcc compiles is run there.
file(GLOB_RECURSE tests RELATIVE "${ROOT}/tests" "${ROOT}/tests/*.test.cu")
list(TRANSFORM tests PREPEND "tests/")
check(0 "${bash};${script};--list;--work;${SCRATCH}/work" ${tests} "train_step_100m" "memcheck" "racecheck" "initcheck" "[bits]"
      "peer.py lines")

find_program(nvidia_smi nvidia-smi)
if(NOT nvidia_smi)
  check(77 "${bash};${script};--work;${SCRATCH}/work" "skipped: nvidia-smi finds no GPU")
endif()

file(WRITE "${SCRATCH}/lines.jsonl" "")
file(WRITE "${SCRATCH}/stages.tsv" "builds\tpassed\t3\tmake\nmemcheck\tfailed with 9\t4\tcheck\n")
check(0 "${python};-B;benchmarks/gpu/report.py;--work;${SCRATCH};--out;${SCRATCH}/gpu")
file(READ "${SCRATCH}/gpu.md" table)
foreach(wanted IN ITEMS "1 of 2 stages passed" "failed with 9" "| 100m | 65,536 | not measured |")
  string(FIND "${table}" "${wanted}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "The report lacks '${wanted}': ${table}")
  endif()
endforeach()
check(0 "${python};-B;-c;__import__('ast').parse(open('benchmarks/gpu/peer.py').read())")
file(REMOVE_RECURSE "${SCRATCH}")
