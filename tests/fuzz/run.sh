#!/usr/bin/env bash
# run.sh BUILD NAME SECONDS [LIBFUZZER_ARGUMENT...]: runs the fuzzer NAME of the build directory from the seeds in corpus/NAME.
# What it finds lies in BUILD/found/NAME afterwards, the inputs that it drew on the way in BUILD/drawn/NAME.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 name=$2 seconds=$3
shift 3
fuzzer=$(find "$build" -name "fuzz_$name" -type f -perm -u+x | head -n 1)
[[ $fuzzer ]] || { echo "there is no fuzz_$name in $build: build the preset fuzz"; exit 1; }
found=$build/found/$name drawn=$build/drawn/$name log=$build/found/$name.log
rm -rf "$drawn"
mkdir -p "$found" "$drawn"
dictionary=()
if [[ -f $here/corpus/$name.dict ]]; then dictionary=(-dict="$here/corpus/$name.dict"); fi
# Leaks: what a library keeps to the end of the process is none. An allocation that the sanitizer refuses is std::bad_alloc.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=0:max_allocation_size_mb=1024 UBSAN_OPTIONS=print_stacktrace=1
status=0
"$fuzzer" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=8192 -print_final_stats=1 -artifact_prefix="$found/" \
  ${dictionary[@]+"${dictionary[@]}"} "$@" "$drawn" "$here/corpus/$name" > "$log" 2>&1 || status=$?
if ((status != 0)); then
  grep -v -E '^#[0-9]+|NEW_FUNC' "$log" | tail -n 60
  echo "repeat it with replay_$name FILE"
  exit "$status"
fi
grep -E 'number_of_executed_units|average_exec_per_sec' "$log" || true
