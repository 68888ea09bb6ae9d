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

# With a GPU a test that skips itself has failed.
set(program "${SCRATCH}/skips/bin/backend_cuda_training_on_gpu")
file(WRITE "${SCRATCH}/path/nvidia-smi" "#!${bash}\necho 'GPU 0: 9.0'\n")
function(check_bits code program_code)
  file(WRITE "${program}" "#!${bash}\nexit ${program_code}\n")
  file(CHMOD "${program}" "${SCRATCH}/path/nvidia-smi" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  set(run "${CMAKE_COMMAND};-E;env;PATH=${SCRATCH}/path:$ENV{PATH};${bash};${script};--only;bits;--commit;a-dirty")
  check(${code} "${run};--work;${SCRATCH}/skips;--out;${SCRATCH}/skips/gpu" ${ARGN})
  check(2 "${run};--add;--work;${SCRATCH}/skips;--out;${SCRATCH}/skips/gpu" "expected a commit to --add to, found a-dirty")
endfunction()
check_bits(0 0 "bits: passed")
check_bits(1 77 "bits: failed: skipped, though there is a GPU")

# The report of `lines`, with further options after it, has to hold every text that follows.
function(check_report lines options)
  file(WRITE "${SCRATCH}/lines.jsonl" "${lines}")
  check(0 "${python};-B;benchmarks/gpu/report.py;--work;${SCRATCH};--out;${SCRATCH}/gpu;${options}")
  file(READ "${SCRATCH}/gpu.md" table)
  foreach(wanted IN LISTS ARGN)
    string(FIND "${table}" "${wanted}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "The report lacks '${wanted}': ${table}")
    endif()
  endforeach()
endfunction()
function(training_line out system setting deterministic rate bytes)
  set(${out} "{\"program\": \"train_step\", \"system\": \"${system}\", \"model\": \"10m\", \"setting\": \"${setting}\", \
\"deterministic\": ${deterministic}, \"batch\": 256, \"tokens_per_step\": 65536, \"tokens_per_second\": ${rate}, \
\"flops_per_token\": 1, \"peak_bytes\": ${bytes}, \"loss\": [3]}\n" PARENT_SCOPE)
endfunction()
function(generation_line out system setting rate)
  set(${out} "{\"program\": \"generate\", \"system\": \"${system}\", \"model\": \"10m\", \"setting\": \"${setting}\", \
\"batch\": 1, \"count\": 11, \"tokens_per_second\": ${rate}, \"first_token_ms\": 0, \"tokens\": [1, 2, 3, 4]}\n" PARENT_SCOPE)
endfunction()

file(WRITE "${SCRATCH}/stages.tsv" "builds\tpassed\t3\tmake\nmemcheck\tfailed with 9\t4\tcheck\n")
check_report("" "" "1 of 2 stages passed" "failed with 9" "| 100m | 65,536 | not measured |")

# Memory and the ratio are those of sums of a fixed order; the goal of generation is Generator's.
training_line(ordered stlm graph 1 1500 1.0e9)
training_line(free stlm graph 0 2000 0.5e9)
training_line(theirs pytorch graph null 1000 2.0e9)
generation_line(generator stlm generator 190)
generation_line(whole stlm device 400)
generation_line(peer pytorch graph 100)
check_report("${ordered}${free}${theirs}${generator}${whole}${peer}" "--commit;one"
             "| 10m | 65,536 | 1,500 | 0 | 1,000 (graph) | 1.50 |" "| 10m | 1.00 GB | 2.00 GB | 0.50 | at most 0.6 | met |"
             "| 10m | 1 | 190 | 0 | 100 | 1.90 | 2.0 / 3.0 | **missed** | 400 | 4.00 |")

# What is measured again replaces what was there, and nothing else.
training_line(ordered stlm graph 1 1250 1.5e9)
check_report("${ordered}" "--add;--commit;one" "| 10m | 65,536 | 1,250 | 0 | 1,000 (graph) | 1.25 |"
             "| 10m | 1.50 GB | 2.00 GB | 0.75 | at most 0.6 | **missed** |" "| 190 |")
check(2 "${python};-B;benchmarks/gpu/report.py;--work;${SCRATCH};--out;${SCRATCH}/gpu;--add;--commit;one-dirty"
      "expected a commit to --add to, found one-dirty")
check(0 "${python};-B;-c;__import__('ast').parse(open('benchmarks/gpu/peer.py').read())")
file(REMOVE_RECURSE "${SCRATCH}")
