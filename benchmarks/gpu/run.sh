#!/usr/bin/env bash
# Runs everything that needs a GPU: tests, compute-sanitizer, a check that every run gives the same bits, and speed beside
# PyTorch. It needs CUDA 13 or newer, g++, python3, and torch for the peers, but no network and no CMake.
#
#   benchmarks/gpu/run.sh [--deps FOLDER] [--quick]
#
#   --deps FOLDER    headers that this machine lacks; fill the folder on a machine that has them (on Debian: libeigen3-dev,
#                    catch2 2.13, libcli11-dev, nlohmann-json3-dev) by
#                      mkdir FOLDER && cp -rL /usr/include/{eigen3,catch2,CLI,nlohmann} FOLDER
#   --out NAME       writes NAME.json and NAME.md; default: benchmarks/results/gpu
#   --quick          five minutes instead of ten: fewer models and batches
#   --limit SECONDS  for everything together; default: 590, with --quick 295. Stages that find no time are reported
#   --only STAGES    separated by commas; they run in this order; default: all
#                      build tests bits sanitizer train generate kernels peers example settings compile eager autotune
#   --add            adds to the results of this commit and GPU in NAME.json; what is measured again replaces the old result
#   --python PYTHON  an interpreter that has torch; default: python3
#   --arch ARCH      default: that of the GPU; without a GPU, sm_90
#   --march NAME     for the host's code, when one machine compiles the programs (--dry-run) and another runs them from a copy
#                    of the folder --work; default: native
#   --jobs N         compilers that run at once; default: one for each processor
#   --commit NAME    the commit that is measured, if git does not know it
#   --work FOLDER    programs, logs and caches; default: build/gpu
#   --dry-run        compiles everything, runs nothing on a GPU and says what would be run
#   --list           as --dry-run, but compiles nothing
#
# A stage that fails or runs out of its time is reported and does not stop the others. Exit code: 0 when nothing failed and
# no check of correctness skipped itself or lacked time, else 1; 77 without a GPU.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$PWD
cd "$root" || exit

deps='' out=benchmarks/results/gpu quick='' limit='' add='' python=python3 arch='' march=native jobs=''
stages=build,tests,bits,sanitizer,train,generate,kernels,peers,example,settings,compile,eager,autotune
only=$stages
commit='' work=build/gpu dry='' list='' command="benchmarks/gpu/run.sh $*"
while (($#)); do
  case $1 in
    --deps | --out | --limit | --only | --python | --arch | --march | --jobs | --commit | --work)
      (($# > 1)) || { echo "run.sh: expected a value after $1; see --help." >&2; exit 2; }
      value=$2
      [[ $1 =~ ^--(deps|out|work)$ || $1 == --python && $2 == */* ]] && [[ $2 != /* ]] && value=$here/$2
      declare "${1#--}=$value"
      shift
      ;;
    --quick) quick=1 ;;
    --add) add=--add ;;
    --dry-run) dry=1 ;;
    --list) dry=1 list=1 ;;
    --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "run.sh: expected an option, found $1; see --help." >&2; exit 2 ;;
  esac
  shift
done
for stage in ${only//,/ }; do
  [[ ,$stages, == *,$stage,* ]] || { echo "run.sh: expected stages of $stages after --only, found $stage." >&2; exit 2; }
done
limit=${limit:-$([[ $quick ]] && echo 295 || echo 590)} jobs=${jobs:-$(nproc)}
wanted() {  # whether any of these stages is
  local stage
  for stage; do [[ ,$only, == *,$stage,* ]] && return; done
  return 1
}

has_peer() { [[ $1 != *_lean ]]; }  # PyTorch has no lean models: they are compared with the model without that suffix
generates() { [[ $1 != 30m ]] && has_peer "$1"; }  # the models that have goals for generation

# --- the machine

export PATH=$PATH:/usr/local/cuda/bin
nvcc=$(command -v nvcc) || { echo "run.sh: expected nvcc in PATH or in /usr/local/cuda/bin, found none; install CUDA 13." >&2; exit 2; }
cuda=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
if [[ ! $dry ]]; then
  if [[ $(nvidia-smi -L 2> /dev/null) != *GPU* ]]; then
    echo "skipped: nvidia-smi finds no GPU; --dry-run compiles everything without one."
    exit 77
  fi
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
fi
arch=${arch:-sm_${capability:-90}}
[[ $arch == sm_90 ]] && arch=sm_90a  # with wgmma
commit=${commit:-$(git describe --always --dirty 2>/dev/null || echo unknown)}
if [[ $add && $commit == *-dirty ]]; then
  echo "run.sh: expected a commit to --add to, found $commit, which may be another one each time; commit first." >&2
  exit 2
fi
mkdir -p "$work"/{log,bin,record,o}
work=$(cd "$work" && pwd)
: > "$work/stages.tsv"
: > "$work/lines.jsonl"
export CUDA_CACHE_PATH=$work/cache TORCHINDUCTOR_CACHE_DIR=$work/inductor PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

eigen=/usr/include/eigen3 found_deps=()
if [[ $deps ]]; then
  deps=$(cd "$deps" && pwd) || exit 2
  found_deps=(-isystem "$deps")
  [[ -d $deps/eigen3 ]] && eigen=$deps/eigen3
fi
has() { [[ -e ${deps:-/none}/$1 || -e /usr/include/$1 || -e /usr/local/include/$1 ]]; }
[[ $list ]] || ! wanted build || has catch2/catch.hpp || { echo "run.sh: expected catch2/catch.hpp of Catch2 2.x, found none; give it with --deps." >&2; exit 2; }
[[ $list || ! ,$only, == *,build,* || -e $eigen/Eigen/Core ]] || { echo "run.sh: expected Eigen in $eigen, found none; give it with --deps." >&2; exit 2; }

# --- stages

left() { echo $((limit - SECONDS)); }

# stage NAME SECONDS COMMAND...: runs COMMAND for at most SECONDS; its output goes to log/NAME.log, its status to stages.tsv.
stage() {
  local name=$1 most=$2 began=$SECONDS code status
  shift 2
  if [[ $dry ]]; then
    echo "would run, for at most $most s: $name: ${*//$work/WORK}"
    return 0
  fi
  ((most > $(left))) && most=$(left)
  if ((most < 3)); then
    code=124
    echo "no time was left" > "$work/log/$name.log"
  else
    timeout -k 5 "$most" "$@" > "$work/log/$name.log" 2>&1
    code=$?
  fi
  case $code in
    0) status=passed ;;
    77) [[ $name =~ ^(test_|bits$|example_) ]] && status='failed: skipped, though there is a GPU' || status=skipped ;;
    124 | 137) status='out of time' ;;
    *) status="failed with $code" ;;
  esac
  printf '%s\t%s\t%d\t%s\n' "$name" "$status" $((SECONDS - began)) "${*//$work/WORK}" >> "$work/stages.tsv"
  printf '%4d s  %s: %s\n' "$SECONDS" "$name" "$status"
  if [[ $code != 0 && $code != 77 ]]; then tail -n 12 "$work/log/$name.log" | sed 's/^/          /'; fi
  return $code
}

# measure NAME SECONDS COMMAND...: a stage whose output has lines of JSON, which are kept.
measure() {
  local name=$1
  stage "$@"
  local code=$?
  [[ $dry ]] || grep '^{' "$work/log/$name.log" >> "$work/lines.jsonl"
  return $code
}

# --- build

includes="-I$root/include -I$root/tests ${found_deps[*]}"
compile="$nvcc -std=c++20 -O3 -arch=$arch $includes -Xcompiler=-Wall,-Wextra -Werror all-warnings"
host="g++ -std=c++20 -march=$march -mtune=generic -pthread $includes -isystem $eigen"
emulate="-isystem $cuda/include/cccl -DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP -DCCCL_DISABLE_FP16_SUPPORT -ffp-contract=off"
models=(10m:Bytes10M 10m_lean:Bytes10MLean 30m:Tokens30M 50m:Tokens50M 100m:Tokens100M)
declare -A batches=([10m]='8 64 256' [10m_lean]=256 [30m]='64' [50m]='4 64' [100m]='4 64')  # in sequences: 2k to 64k tokens a step
steps=20  # timed
if [[ $quick ]]; then
  models=(10m:Bytes10M 50m:Tokens50M 100m:Tokens100M)
  batches=([10m]='8 64' [50m]='64' [100m]='4 64')
fi
mapfile -t gpu_tests < <(cd tests && find . -name '*.test.cu' | sed 's|^\./||; s|\.test\.cu$||' | sort)
mapfile -t emulated_tests < <(grep -ho '"ops/[a-z_]*\.test\.cpp"' tests/ops/on_gpu/*.cu | tr -d '"' | sed 's|\.test\.cpp$||' | sort -u)
program() { echo "$work/bin/${1//\//_}"; }

# Prints a line for each program: its file and the command that builds it. Those that take longest come first.
list_builds() {
  local model name test object before
  if wanted example && has CLI/CLI.hpp && has nlohmann/json.hpp; then
    object=$work/o/stlm_tiny.o
    echo "$(program stlm_tiny) $host -O2 -DSTLM_EXAMPLE_ON_CUDA -c examples/02_train/stlm_tiny.cpp -o $object &&" \
      "${compile/ -Werror all-warnings/} '-DSTLM_EXAMPLE_MODEL=\"../02_train/stlm_tiny.hpp\"' examples/common/on_cuda.cu $object -lcublasLt"
  fi
  for model in "${models[@]}"; do
    for name in train_step generate; do
      if [[ $name == generate ]] && wanted generate && generates "${model%:*}" ||
        { [[ $name == train_step ]] && wanted train generate peers settings compile eager autotune; }; then
        echo "$(program "${name}_${model%:*}") $compile -DSTLM_GPU_MODEL=${model#*:} benchmarks/gpu/$name.cu -lcublasLt"
      fi
    done
  done
  if wanted tests bits sanitizer; then
    for test in "${gpu_tests[@]}"; do
      object='' before=''
      if [[ -e tests/$test.cpp ]]; then
        object=$work/o/${test//\//_}.o
        before="$host -O2 -c tests/$test.cpp -o $object && "
      fi
      echo "$(program "$test") $before$compile -DSTLM_TEST_CUDA tests/$test.test.cu $object $work/o/gpu_main.o -lcublasLt"
    done
  fi
  if wanted kernels; then
    echo "$(program kernels) $compile benchmarks/gpu/kernels.cu -lcublasLt"
  fi
  if wanted tests; then
    for test in "${emulated_tests[@]}"; do
      echo "$(program "$test") $host -O1 $emulate -DSTLM_TEST_EMULATED tests/$test.test.cpp $work/o/catch_main.o"
    done
  fi
}

# build_one LINE: builds the program of such a line, unless it is newer than everything that it is made from.
build_one() {
  local file=${1%% *} command=${1#* } name=${1%% *} began=$SECONDS
  name=${name##*/}
  if [[ -e $file && $(cat "$file.command" 2> /dev/null) == "$command" && -z $(find include tests benchmarks/gpu examples -newer "$file" -name '*.[chp]*' -print -quit) ]]; then return 0; fi
  rm -f "$file" "$file.command"
  if bash -c "$command -o $file" > "$work/log/build_$name.log" 2>&1; then
    printf %s "$command" > "$file.command"  # a change of the command, as of the architecture, builds again
    echo "$name: $((SECONDS - began)) s"
  else
    echo "$name: not built: $(grep -m1 -E 'error|fatal' "$work/log/build_$name.log")"
    return 1
  fi
}
export -f build_one
export work

# PyTorch caches what it compiles, so it compiles during the tests, before anything is measured. Large batches run one
# after another where memory does not suffice for all at once.
warm_peers() {
  [[ $dry ]] || ! wanted peers generate || ! "$python" -c 'import torch' 2> /dev/null && return
  local model batch large=() run=("$python" benchmarks/gpu/peer.py) memory
  memory=$(nvidia-smi --query-gpu=memory.total --format=csv,noheader,nounits | head -1)
  for model in "${models[@]}"; do
    model=${model%:*}
    wanted generate && generates "$model" && stage "warm_generate_$model" 150 "${run[@]}" generate --model "$model" --count 8 --runs 1 --batch 1 64 &
    wanted peers && has_peer "$model" && for batch in ${batches[$model]}; do
      if ((batch > 8 && memory < 120000)) && [[ $model != 10m ]]; then  # MiB; all at once take 100,000
        large+=("$model $batch")
      else
        stage "warm_${model}_$batch" 150 "${run[@]}" train --settings compile --steps 1 --model "$model" --batch "$batch" &
      fi
    done
  done
  for model in "${large[@]}"; do
    stage "warm_${model/ /_}" 100 "${run[@]}" train --settings compile --steps 1 --model "${model% *}" --batch "${model#* }"
  done
  wait
}

if wanted build; then
  printf '#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n' > "$work/o/catch_main.cpp"
  {
    echo "$work/o/catch_main.o $host -O1 -c $work/o/catch_main.cpp"
    echo "$work/o/gpu_main.o $compile -c tests/support/gpu_main.cu"
  } > "$work/mains"
  list_builds > "$work/builds"
  # shellcheck disable=SC2016
  each() { stage "$1" "$2" xargs -a "$work/$1" -d '\n' -P "$jobs" -n 1 bash -c 'build_one "$1"' build; }
  if [[ $list ]]; then
    cat "$work/mains" "$work/builds" | sed "s|$work|WORK|g"
  elif [[ $dry ]]; then
    for line in mains builds; do
      # shellcheck disable=SC2016
      xargs -a "$work/$line" -d '\n' -P "$jobs" -n 1 bash -c 'build_one "$1"' build || exit 1
    done
  else
    each mains 120
    each builds 240
    cat "$work/log/builds.log"
  fi
fi

# --- what is run

# for_models FUNCTION: calls FUNCTION with each model's name and its batches.
for_models() {
  local model
  for model in "${models[@]}"; do
    model=${model%:*}
    # shellcheck disable=SC2086  # several arguments
    "$1" "$model" ${batches[$model]}
  done
}

tests() {
  local test emulated=()
  for test in "${emulated_tests[@]}"; do  # records the kernels' results on the CPU, for comparison with the GPU's
    stage "emulated_${test//\//_}" 90 env STLM_TEST_RECORD="$work/record" "$(program "$test")" &
    emulated+=($!)
  done
  for test in "${gpu_tests[@]}"; do
    [[ $test == ops/* ]] && wait "${emulated[@]}"
    stage "test_${test//\//_}" 60 env STLM_TEST_RECORD="$work/record" "$(program "$test")"
  done
}

sanitizer() {
  local tool test program checks=()
  program=$(command -v compute-sanitizer || echo "$cuda/bin/compute-sanitizer")
  if [[ ! $dry && ! -x $program ]]; then
    printf 'sanitizer\tskipped\t0\tthere is no compute-sanitizer\n' >> "$work/stages.tsv"
    return
  fi
  local check=("$program" --error-exitcode 9 --report-api-errors no --print-limit 20)
  local training=("$(program backend/cuda/training_on_gpu)" '[train_step]~[bits]~[memory]')
  for tool in memcheck racecheck; do
    for test in attention rows tables; do
      stage "${tool}_$test" 90 "${check[@]}" --tool $tool "$(program ops/on_gpu/$test)" &
      checks+=($!)
    done
    stage "${tool}_training" 90 "${check[@]}" --tool $tool "${training[@]}" &
    checks+=($!)
  done
  # Only our own kernels, because cuBLASLt reads memory that it never uses; and only training, because initcheck does not
  # see the tensors of the ops' tests, which are in host memory.
  stage initcheck_training 60 "${check[@]}" --tool initcheck --kernel-name kns=run_kernel "${training[@]}"
  wait "${checks[@]}"
}

train_model() {
  local model=$1 batch
  shift
  for batch; do measure "train_${model}_$batch" 30 "$(program "train_step_$model")" --batch "$batch" --steps "$steps"; done
}
settings_of_model() {
  has_peer "$1" || return
  local run=("$(program "train_step_$1")")
  measure "train_$1_stream" 30 "${run[@]}" --batch "$2" --mode stream
  measure "train_$1_any_order" 30 "${run[@]}" --batch "${!#}" --deterministic 0
}
generate_model() {
  local batch
  generates "$1" || return
  for batch in 1 64; do measure "generate_$1_$batch" 20 "$(program "generate_$1")" --batch $batch; done
}

save_model() { ! has_peer "$1" || [[ -e $work/$1.safetensors ]] || stage "save_$1" 20 "$(program "train_step_$1")" --save "$work/$1.safetensors"; }

# peers NAME SECONDS FUNCTION: runs PyTorch on the lines that FUNCTION prints for each model, in one process, because it
# takes long to start.
peers() {
  for_models save_model
  for_models "$3" > "$work/$1.txt"
  # shellcheck disable=SC2016
  measure "$1" "$2" bash -c '"$1" benchmarks/gpu/peer.py lines < "$2"' peers "$python" "$work/$1.txt"
}
# peer_line train|generate MODEL SETTINGS BATCH...: prints the arguments of peer.py.
peer_line() { ! has_peer "$2" || echo "$1 --steps $steps --model $2 --weights $work/$2.safetensors --settings $3 --batch ${*:4}"; }
peer_graph() {
  if wanted peers; then peer_line train "$1" graph "${@:2}"; fi
  if wanted generate && generates "$1"; then peer_line generate "$1" graph 1 64; fi
}
peer_compile() { peer_line train "$1" compile "${@:2}"; }
peer_eager() { peer_line train "$1" eager "${@:2}"; }
peer_autotune() { peer_line train "$1" 'graph-autotune autotune' "${@:2}"; }

has_torch() {
  [[ $dry ]] || "$python" -c 'import torch' 2> /dev/null && return
  printf 'peers\tskipped\t0\t%s has no torch\n' "$python" >> "$work/stages.tsv"
  echo "no peers: $python has no torch"
  return 1
}

wanted peers generate compile eager autotune && { has_torch && torch=1 || torch=''; }
warm_peers &
wanted peers generate && [[ $torch ]] && for_models save_model &
wanted sanitizer && sanitizer &
wanted tests && tests
wanted bits && stage bits 30 "$(program backend/cuda/training_on_gpu)" '[bits]'
wait
wanted train && for_models train_model
wanted generate && for_models generate_model
wanted kernels && measure kernels 60 "$(program kernels)"
wanted peers generate && [[ $torch ]] && peers peers 300 peer_graph
if wanted example && { [[ $dry ]] || [[ -e $(program stlm_tiny) ]]; }; then
  stage example_train 40 "$(program stlm_tiny)" train --device cuda --steps 300 --out "$work/tiny"
  stage example_generate 20 "$(program stlm_tiny)" generate --device cuda --weights "$work/tiny/model.safetensors" --max-bytes 200
fi
wanted settings && for_models settings_of_model
for name in compile eager autotune; do wanted $name && [[ $torch ]] && peers "peers_$name" 200 "peer_$name"; done

# --- report

[[ $dry ]] && exit 0
mkdir -p "$(dirname "$out")"
"${python:-python3}" benchmarks/gpu/report.py --work "$work" --out "$out" --commit "$commit" --command "$command" --arch "$arch" $add
written=$?
! grep -qE $'\tfailed|^(mains|builds|emulated|test|bits|memcheck|racecheck|initcheck|example)[^\t]*\tout of time' "$work/stages.tsv" &&
  ((written == 0))
