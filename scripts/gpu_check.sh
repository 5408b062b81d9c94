#!/usr/bin/env bash
# Runs a bundle (scripts/bundle.sh) on a machine with an NVIDIA GPU, which needs the driver, bash and coreutils.
#
#   scripts/gpu_check.sh [check|bench] [--only TEXT] [--seconds N] [--out DIR] [BUNDLE]
#
#   check          every program against its expected results; then, where compute-sanitizer is found, some of them under its checkers
#   bench          a table: kernels as fractions of the rate of a copy, products as fractions of the best one, whole steps, these beside
#                  PyTorch and JAX where python3 finds them
#   --only TEXT    only what has this in its name
#   --seconds N    for all of it; 480 unless given
#   --out DIR      where reports go: gpu_report unless given
#   BUNDLE         the folder; the one that the script is in unless given, or build/gpu_bundle
#
# WEFT_CUDA_DRIVER in the environment: another driver's library than libcuda.so.1. Fails when a check failed or when none ran.
set -uo pipefail

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; }
die() { printf 'gpu_check: %s\n' "$*" >&2; exit 2; }

mode=check only= seconds=480 out=gpu_report bundle=
if [[ ${1:-} == check || ${1:-} == bench ]]; then mode=$1; shift; fi
while (($#)); do
  case "$1" in
    -h | --help) usage; exit ;;
    --only) only=${2:?--only needs a text}; shift ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    -*) usage >&2; exit 2 ;;
    *) [[ ! $bundle ]] || { usage >&2; exit 2; }; bundle=$1 ;;
  esac
  shift
done
[[ $seconds =~ ^[0-9]+$ ]] || die "--seconds must be a number, not $seconds"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ! $bundle ]]; then bundle=$here; [[ -f $bundle/manifest.json ]] || bundle=$here/../build/gpu_bundle; fi
[[ -f $bundle/manifest.json ]] || die "there is no bundle in $bundle: scripts/bundle.sh makes one"
program=$bundle/weft_gpu_check
[[ -x $program ]] || die "the bundle has no program weft_gpu_check"
mkdir -p "$out" || die "$out cannot be made"
begun=$SECONDS
left() { echo $((seconds - (SECONDS - begun) > 0 ? seconds - (SECONDS - begun) : 0)); }

# GPU, driver and clocks, as the driver's tool says them.
describe_machine() {
  if command -v nvidia-smi > /dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit,persistence_mode \
      --format=csv || true
  else
    echo 'nvidia-smi is not here: clocks are unknown'
  fi
}

# A few checks under one of compute-sanitizer's tools, which slow a kernel a hundredfold.
sanitize() { # sanitize TOOL
  local tool=$1 log=$out/$1.log pattern status failed=0
  for pattern in ${only:+"$only"} ${only:-'program/classifier, Adam' ' = sum(' ' = matmul(' 'graph/1' 'net/fashion, Adam' 'net/gpt'}; do
    local budget
    budget=$(left)
    if ((budget < 10)); then echo "$tool: no time left for $pattern"; return $failed; fi
    timeout "$budget" compute-sanitizer --tool "$tool" --error-exitcode 9 "$program" check "$bundle" --only "$pattern" \
      --seconds "$((budget / 2))" > "$log.part" 2>&1
    status=$?
    cat "$log.part" >> "$log"
    case $status in
      0) echo "$tool: $pattern is clean" ;;
      124) echo "$tool: $pattern took too long" ;;
      *) echo "$tool: $pattern FAILED with status $status; see $log"; tail -n 5 "$log.part"; failed=1 ;;
    esac
  done
  rm -f "$log.part"
  return $failed
}

# The program measures its own time; what hangs in a kernel does not come back.
within() { # within SECONDS ARGUMENT...
  local status=0
  timeout "$1" "$program" "${@:2}" || status=$?
  ((status != 124)) || echo "FAILED: weft_gpu_check $2 did not end within $1 s"
  return $status
}

describe_machine | tee "$out/machine.txt"
status=0
if [[ $mode == check ]]; then
  within "$((seconds * 5 / 6 + 1))" check "$bundle" --only "$only" --seconds "$((seconds * 2 / 3))" --out "$out" || status=$?
  if ((status == 2)); then exit 2; fi
  if command -v compute-sanitizer > /dev/null; then
    for tool in memcheck racecheck; do
      : > "$out/$tool.log"
      sanitize "$tool" || status=1
    done
  else
    echo 'compute-sanitizer is not here: neither memory nor races were checked'
  fi
  exit $status
fi

within "$((seconds * 2 / 3 + 1))" bench "$bundle" --only "$only" --seconds "$((seconds / 2))" --out "$out" || status=$?
if ((status == 2)); then exit 2; fi
if command -v python3 > /dev/null; then
  python3 "$bundle/peers/compare.py" "$bundle" --only "$only" --seconds "$(left)" --out "$out" || status=1
else
  echo 'python3 is not here: no other framework was measured'
fi
exit $status
