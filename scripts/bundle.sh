#!/usr/bin/env bash
# Makes the folder that scripts/gpu_check.sh runs on a machine with a GPU, which needs nothing of weft: programs in files, what is
# wanted of them, the program that runs and compares them, and scripts.
#
#   scripts/bundle.sh [--small] [--only TEXT] [--arch sm_80] [DIR]     DIR: build/gpu_bundle unless given; it is made anew
#
#   --small      few checks, and little to measure: for the driver of the tests
#   --only TEXT  only what has this in its name
#   --arch       the oldest GPU that the programs are for: sm_70 or newer, sm_80 unless given
#
# Fails where the folder is 60 MB or more.
set -euo pipefail

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; }
die() { printf 'bundle: %s\n' "$*" >&2; exit 1; }

dir= how=()
while (($#)); do
  case "$1" in
    -h | --help) usage; exit ;;
    --small) how+=(--small) ;;
    --only | --arch) how+=("$1" "${2:?$1 needs a value}"); shift ;;
    -*) usage >&2; exit 2 ;;
    *) [[ ! $dir ]] || { usage >&2; exit 2; }; dir=$1 ;;
  esac
  shift
done
limit=60000000
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$(realpath -m "${dir:-$repository/build/gpu_bundle}")
# Only an empty folder or a bundle is written over.
if [[ -e $dir && ! -f $dir/manifest.json && -n $(ls -A "$dir" 2> /dev/null) ]]; then die "$dir is there and is no bundle"; fi

cd "$repository"
# Whoever has built them says where they are; otherwise they are built now.
built=${WEFT_GPU_CHECK_BUILT:-}
if [[ ! $built ]]; then
  scripts/test.sh --build-only gpu_bundle weft_gpu_check
  built=build/tests/gpu_check
fi

rm -rf "$dir"
mkdir -p "$dir"
"$built/gpu_bundle" "$dir" ${how[@]+"${how[@]}"}
# Most of what a large program holds is text and zeros.
find "$dir" -name '*.weftprog' -size +256k -exec gzip -9 -n -S .packed {} +
for packed in "$dir"/*.packed; do [[ ! -f $packed ]] || mv "$packed" "${packed%.packed}"; done
cp "$built/weft_gpu_check" "$dir/"
strip "$dir/weft_gpu_check" 2> /dev/null || true
# The C library is the machine's own; of others that it still needs it finds these.
while read -r name _ file _; do
  case "$name" in
    libc.so* | libm.so* | libdl.so* | libpthread.so* | linux-vdso* | *ld-linux*) ;;
    *) mkdir -p "$dir/lib"; cp -L "$file" "$dir/lib/$name" ;;
  esac
done < <(ldd "$dir/weft_gpu_check")
cp scripts/gpu_check.sh docs/gpu_check.md LICENSE "$dir/"
mkdir "$dir/peers"
cp tests/gpu_check/peers/*.py "$dir/peers/"

# What the program asks of the machine.
if command -v readelf > /dev/null; then
  needed=$(readelf -d "$dir/weft_gpu_check" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  glibc=$(readelf -V "$dir/weft_gpu_check" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
  printf 'needs %s, %s or newer\n' "$(tr '\n' ' ' <<< "$needed" | sed 's/ $//')" "${glibc/_/ }" | tee "$dir/needs.txt"
fi

kind() { # kind NAME PATTERN
  local bytes
  bytes=$(find "$dir" -type f -name "$2" -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
  printf '  %-24s %5d files %8.1f MB\n' "$1" "$(find "$dir" -type f -name "$2" | wc -l)" "$(awk -v b="$bytes" 'BEGIN { print b / 1e6 }')"
}
bytes=$(find "$dir" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
printf '%s: %s MB\n' "$dir" "$(awk -v b="$bytes" 'BEGIN { printf "%.1f", b / 1e6 }')"
kind programs '*.weftprog'
kind 'inputs and results' '*.safetensors'
kind 'the program' weft_gpu_check
kind scripts '*.sh'
kind 'other frameworks' '*.py'
((bytes < limit)) || die "the folder has $bytes bytes, and must have fewer than $limit"
