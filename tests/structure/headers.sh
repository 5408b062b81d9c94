#!/usr/bin/env bash
# headers.sh CXX PREFIX SOURCE HEADER...: each header that is installed under PREFIX compiles alone, with nothing of weft but what is
# installed, and reaches no header of LLVM, oneDNN or CUDA; nothing is installed beside the HEADERs; examples and documents
# use no others.
set -euo pipefail
cxx=$1 prefix=$2 source=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$prefix/include/weft"
printf '%s\n' weft.h weft_step.h "$@" | sort > "$work/listed"
find . -type f | sed 's|^\./||' | sort > "$work/installed"
bad=0
diff "$work/listed" "$work/installed" > "$work/difference" || { echo "listed (<) in cmake/weft_headers.cmake and installed (>):"; cat "$work/difference"; bad=1; }

alone() { # alone HEADER: complains on standard output
  local name=${1//\//_}
  if ! printf '#include <weft/%s>\n#include <weft/%s>\n' "$1" "$1" |
    "$cxx" -std=c++20 -fsyntax-only -w -I"$prefix/include" -MD -MF "$work/$name.d" -MT x -x c++ - > "$work/$name.log" 2>&1; then
    printf '%s does not compile alone with what is installed:\n' "$1"
    head -5 "$work/$name.log"
  elif grep -oiE '[^ ]*/(llvm|llvm-c|dnnl|oneapi|cuda|cudnn|cublas)[^ ]*' "$work/$name.d" | grep -v '/weft/backends/' > "$work/$name.of_others"; then
    printf '%s reaches a header of a library: %s\n' "$1" "$(head -1 "$work/$name.of_others")"
  elif grep -E "$source/(support|ir|runtime|passes|backends|frontend)/" "$work/$name.d" > /dev/null; then
    printf '%s reaches a header of the sources\n' "$1"
  fi
}
export -f alone
export cxx prefix source work
xargs -P "$(nproc)" -I{} bash -c 'alone {}' < "$work/installed" > "$work/complaints"
if [[ -s $work/complaints ]]; then cat "$work/complaints"; bad=1; fi

# The one for C is C, of 1999.
if ! printf '#include <weft/weft_step.h>\n' | "$cxx" -x c -std=c99 -pedantic -Wall -Werror -fsyntax-only -I"$prefix/include" -; then bad=1; fi

# What is shown to users is for users.
grep -rhoE '#include [<"]weft/[^">]+' "$source/examples" "$source/README.md" "$source/docs" "$source/tests/structure/outside" |
  sed 's|.*weft/||' | sort -u > "$work/shown"
if missing=$(comm -23 "$work/shown" "$work/listed") && [[ -n $missing ]]; then
  printf 'examples, documents or outside projects include what is not installed:\n%s\n' "$missing"
  bad=1
fi
exit $bad
