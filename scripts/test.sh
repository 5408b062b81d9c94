#!/usr/bin/env bash
# Builds weft and runs its tests, from any directory.
#
#   scripts/test.sh [--preset release|debug|asan|tsan] [--max-isa ISA] [CTEST_ARGUMENT...]     e.g. -R fuse
#   scripts/test.sh [--preset ...] --build-only [TARGET...]
#
# --max-isa sse4|avx2|avx512 limits the instruction sets that generated kernels and oneDNN use. CXX in the environment
# chooses the compiler, e.g. CXX=clang++-19. asan runs 100 random graphs in place of 1,000; tsan runs the tests of what
# has threads.
#
# Says little of what goes well; the logs are in the build directory (build, or build-PRESET). The last line is
# "N passed, N failed", with ", N skipped" where there are any. Fails when a test fails or when none ran.
set -euo pipefail

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; }
preset=release build_only=false targets=() ctest_arguments=()
while (($#)); do
  case "$1" in
    -h | --help) usage; exit ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    --max-isa) export WEFT_MAX_ISA=${2:?--max-isa needs a name}; shift ;;
    --max-isa=*) export WEFT_MAX_ISA=${1#*=} ;;
    --build-only) build_only=true; shift; targets=("$@"); break ;;
    *) ctest_arguments+=("$1") ;;
  esac
  shift
done
case "$preset" in
  release) build=build ;;
  debug | asan | tsan) build=build-$preset ;;
  *) usage >&2; exit 2 ;;
esac

export LC_ALL=C.UTF-8 # the compiler's and ctest's words are looked for below
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "$build"

# Compiling against LLVM's headers takes up to 1.5 GB a job, so memory may allow fewer jobs than there are cores.
jobs() {
  local count limit kilobytes
  count=$(nproc)
  kilobytes=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2> /dev/null || true)
  limit=$(cat /sys/fs/cgroup/memory.max 2> /dev/null || true)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1024 < ${kilobytes:-limit})); then kilobytes=$((limit / 1024)); fi
  if [[ $kilobytes ]] && ((kilobytes / 1572864 < count)); then count=$((kilobytes / 1572864)); fi
  echo $((count > 1 ? count : 1))
}

# The first errors of a log, without ninja's progress and command lines, and with long lines cut.
first_errors() {
  awk '
    /^FAILED: / { after_failed = 1; print; found = 1; shown++; next }
    after_failed { after_failed = 0; next }
    /^\[[0-9]+\/[0-9]+\] / { next }
    /error:|Error|undefined reference|ninja: error/ { found = 1 }
    found { print substr($0, 1, 300); if (++shown == 60) exit }' "$1"
}

# Until it is killed: how far ninja has come by its log. A terminal's line is rewritten, elsewhere one is added now and then.
show_progress() { # show_progress NAME LOG
  local start=$SECONDS shown=$SECONDS reached
  while sleep 1 && kill -0 $$ 2> /dev/null; do
    reached=$(sed -n 's,^\[\([0-9]*\)/\([0-9]*\)\].*,\1 of \2,p' "$2" | tail -n 1)
    if [[ ! $reached ]]; then continue; fi
    if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
      printf '\r%-9s %4d s, %s\033[K' "$1" $((SECONDS - start)) "$reached"
    elif ((SECONDS - shown >= 30)); then
      printf '%-9s %4d s, %s\n' "$1" $((SECONDS - start)) "$reached"
      shown=$SECONDS
    fi
  done
}
progress=
stop_progress() {
  if [[ ! $progress ]]; then return; fi
  kill "$progress" 2> /dev/null || true
  wait "$progress" 2> /dev/null || true
  progress=
  if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then printf '\r\033[K'; fi
}
trap stop_progress EXIT

phase() { # phase NAME COMMAND...: its output goes to a log, and its errors to the terminal
  local name=$1 log=$build/$1.log start=$SECONDS errors status=0
  shift
  : > "$log"
  show_progress "$name" "$log" &
  progress=$!
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  stop_progress
  if ((status == 0)); then
    printf '%-9s %4d s\n' "$name" $((SECONDS - start))
    return
  fi
  errors=$(first_errors "$log")
  printf '%s\n' "${errors:-$(tail -n 40 "$log")}"
  printf '%s failed after %d s; everything it said is in %s\n' "$name" $((SECONDS - start)) "$log"
  exit 1
}

start=$SECONDS
scripts/setup.sh
printf '%-9s %4d s\n' setup $((SECONDS - start))
# CMake stays with the compiler that a build directory was configured with: for another one it begins anew.
fresh=()
if [[ -f $build/CMakeCache.txt && $(cat "$build/CXX" 2> /dev/null) != "${CXX:-}" ]]; then fresh=(--fresh); fi
phase configure cmake --preset "$preset" ${fresh[@]+"${fresh[@]}"}
echo "${CXX:-}" > "$build/CXX"
phase build cmake --build --preset "$preset" --parallel "$(jobs)" ${targets[0]+--target "${targets[@]}"}
if $build_only; then exit; fi

start=$SECONDS
junit=$PWD/$build/tests.xml
rm -f "$junit"
set +e
ctest --preset "$preset" --parallel "$(nproc)" --output-junit "$junit" "${ctest_arguments[@]}" 2>&1 |
  tee "$build/test.log" |
  grep --line-buffered -v -E '^ *Start +[0-9]+: | Passed +[0-9.]+ sec|^Test project |^100% tests passed|^Total Test time|^$'
status=${PIPESTATUS[0]}
set -e
printf '%-9s %4d s\n' test $((SECONDS - start))

# ctest writes "notrun" for a test that skipped itself as well as for one whose program is missing.
read -r passed failed skipped <<< "$(
  [[ ! -f $junit ]] || awk '
    /^\t<testcase .* status="run"/ { passed++ }
    /^\t<testcase .* status="fail"/ { failed++ }
    /^\t<testcase .* status="disabled"/ { skipped++ }
    /^\t\t<skipped message="SKIP_/ { skipped++; next }
    /^\t\t<skipped / { failed++ }
    END { print passed + 0, failed + 0, skipped + 0 }' "$junit"
)"
if ((status != 0 && ${failed:-0} == 0)); then echo "ctest failed with status $status; see $build/test.log"; fi
if ((${passed:-0} + ${failed:-0} == 0)); then echo "no test ran"; fi
echo "${passed:-0} passed, ${failed:-0} failed$( ((${skipped:-0} == 0)) || echo ", $skipped skipped")"
((status == 0 && ${failed:-0} == 0 && ${passed:-0} > 0))
