#!/usr/bin/env bash
# readme_blocks.sh README DIR: writes every ```cpp block to DIR, as run_N.cpp behind <!-- run -->, else as only_N.cpp.
set -euo pipefail
rm -rf "$2" && mkdir -p "$2"
awk -v dir="$2" '
  /^<!-- run -->/ { run = 1; next }
  /^```cpp/ { file = sprintf("%s/%s_%d.cpp", dir, run ? "run" : "only", ++n); next }
  /^```/ { if (file) close(file); file = ""; run = 0; next }
  file { print > file }' "$1"
