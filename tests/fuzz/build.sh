#!/usr/bin/env bash
# build.sh CMAKE SOURCES LIBRARIES FOLDER CLANG: configures the preset fuzz in FOLDER, on the libraries of the build directory
# LIBRARIES, and builds the fuzzers there.
set -euo pipefail
cmake=$1 sources=$2 libraries=$3 folder=$4 clang=$5
cd "$sources"
"$cmake" --preset fuzz -B "$folder" -DCMAKE_CXX_COMPILER="$clang" -DWEFT_FUZZ_ON="$libraries" > "$folder.log" 2>&1 ||
  { tail -n 40 "$folder.log"; exit 1; }
"$cmake" --build "$folder" --target fuzzers --parallel "$(nproc)" > "$folder.log" 2>&1 || { tail -n 60 "$folder.log"; exit 1; }
