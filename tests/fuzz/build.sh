#!/usr/bin/env bash
# build.sh CMAKE SOURCES FOLDER CLANG TARGET...: configures the preset fuzz in FOLDER and builds these fuzzers there.
set -euo pipefail
cmake=$1 sources=$2 folder=$3 clang=$4
shift 4
cd "$sources"
"$cmake" --preset fuzz -B "$folder" -DCMAKE_CXX_COMPILER="$clang" > "$folder.log" 2>&1 || { tail -n 40 "$folder.log"; exit 1; }
"$cmake" --build "$folder" --target "$@" --parallel "$(nproc)" > "$folder.log" 2>&1 || { tail -n 60 "$folder.log"; exit 1; }
