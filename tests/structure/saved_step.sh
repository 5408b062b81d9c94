#!/usr/bin/env bash
# saved_step.sh BUILD PREFIX DIR: lesson 2 compiled by the installed tool to DIR/02.weftprog, weights to start from, and 64 images and
# labels of nothing; says how large all is that is needed to train it in C: program, binary and libraries.
set -euo pipefail
build=$1 prefix=$2 dir=$3
rm -rf "$dir" && mkdir -p "$dir"
"$build/examples/02_fashion_mnist" --log none --overfit 64 --max-steps 1 --lr 0.1 --dump-ir "$dir/ir" --save "$dir/start.safetensors" > "$dir/lesson.log"
"$prefix/bin/weft" compile "$dir/ir/train_64/00-recorded.weft" -o "$dir/02.weftprog"
{ printf '\0\0\10\3\0\0\0\100\0\0\0\34\0\0\0\34'; head -c $((64 * 28 * 28)) /dev/zero; } > "$dir/images"
{ printf '\0\0\10\1\0\0\0\100'; head -c 64 /dev/zero; } > "$dir/labels"
library=$(find "$prefix" -name 'libweft_step.so.*.*' | head -n 1)
example=$(dirname "$0")/../../examples/07_saved_step.c folder=$(dirname "$library")
cc -O2 "$example" -I "$prefix/include" -L "$folder" -lweft_step -Wl,-rpath,"$folder" -o "$dir/07_saved_step"
mapfile -t needed < <(ldd "$dir/07_saved_step" | awk '$3 ~ /^\// { print $3 }')
ls -lL "$dir/02.weftprog" "$dir/07_saved_step" "${needed[@]}" | awk '{ print $5 " bytes " $NF }'
printf '%s\n' "${needed[@]}" | grep -q libweft_step || { echo "the example in C does not find the library"; exit 1; }
if ldd "$library" | grep -i llvm; then echo "the library for steps from files must not need LLVM"; exit 1; fi
