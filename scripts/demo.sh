#!/usr/bin/env bash
# Trains a small network on Fashion-MNIST and shows what weft made of it.
#
#   scripts/demo.sh                              the generated data set that is built in
#   scripts/demo.sh --data data/fashion-mnist    the real one, as scripts/get_data.sh fetches it
#
# Every argument goes to examples/02_fashion_mnist; --help lists them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$root/demo-out
arguments=("$@")

given() { # was this option among the caller's arguments?
  local argument
  for argument in ${arguments[@]+"${arguments[@]}"}; do
    if [[ $argument == "$1" || $argument == "$1="* ]]; then return 0; fi
  done
  return 1
}

# Good quick settings, unless the caller has any of their own.
settings=()
if ! given --optimizer && ! given --lr && ! given --shuffle && ! given --epochs; then
  settings+=(--optimizer adam --lr 1e-3 --shuffle --epochs 3)
fi
given --dump-ir || settings+=(--dump-ir "$out/ir")
given --metrics || settings+=(--metrics "$out/metrics.jsonl")
given --curve || settings+=(--curve "$out/loss.csv")
given --save || settings+=(--save "$out/weights.safetensors")

where_things_are() {
  local here
  here=$(realpath --relative-to="$PWD" "$out")
  echo
  if [[ -e $out/ir ]]; then echo "the graph after each pass   $here/ir"; fi
  if [[ -e $out/metrics.jsonl ]]; then echo "losses, accuracy by epoch    $here/metrics.jsonl"; fi
  if [[ -e $out/loss.csv ]]; then echo "the loss curve, by step      $here/loss.csv"; fi
  if [[ -e $out/weights.safetensors ]]; then echo "the trained weights          $here/weights.safetensors"; fi
}

"$root/scripts/test.sh" --build-only 02_fashion_mnist weft_tool
rm -rf "$out" # what an earlier run left would be taken for this one's
mkdir -p "$out"
# In the caller's directory, so that paths such as the one after --data mean what the caller meant.
"$root/build/examples/02_fashion_mnist" "${settings[@]}" ${arguments[@]+"${arguments[@]}"}
where_things_are
