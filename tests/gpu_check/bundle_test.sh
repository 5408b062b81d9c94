#!/usr/bin/env bash
# bundle_test.sh BUILT DRIVER DIR: makes a small bundle as scripts/bundle.sh does, runs it as scripts/gpu_check.sh does on the driver of the
# tests, and breaks it in every way that must be noticed.
set -uo pipefail
built=$1 driver=$2 dir=$3
cd "$(dirname "$0")/../.."
bundle=$dir/bundle
bad=0
fail() { echo "bundle_test: $*"; bad=1; }

# What is run holds neither compiler nor IR, and nothing of the CPU's library.
if nm -C "$built/weft_gpu_check" | grep -qE 'llvm::|weft::ir::|dnnl'; then fail 'the program holds the compiler or the library of the CPU'; fi
if ldd "$built/weft_gpu_check" | grep -iE 'llvm|dnnl|cuda'; then fail 'the program needs the library above'; fi

rm -rf "$dir"
mkdir -p "$dir"
WEFT_GPU_CHECK_BUILT=$built scripts/bundle.sh --small "$bundle" > "$dir/bundle.log" || { cat "$dir/bundle.log"; exit 1; }

# expect STATUS TEXT COMMAND...: ends so, and says so
expect() {
  local wanted=$1 text=$2 status=0 said
  shift 2
  said=$("$@" 2>&1) || status=$?
  ((status == wanted)) || { fail "status $status in place of $wanted: $*"; tail -n 5 <<< "$said"; }
  grep -qF -- "$text" <<< "$said" || { fail "it does not say '$text': $*"; tail -n 5 <<< "$said"; }
}
export WEFT_CUBLASLT=$driver WEFT_CUDNN=$driver # the same file has their functions
run() { WEFT_CUDA_DRIVER=$driver "$bundle/gpu_check.sh" check --out "$dir/report" "$@"; }

# In the place of compute-sanitizer, one that finds nothing if there is what it is to run.
mkdir "$dir/tools"
cat > "$dir/tools/compute-sanitizer" << 'END'
#!/usr/bin/env bash
"$5" list "$7" | grep -qF -- "$9"
END
chmod +x "$dir/tools/compute-sanitizer"
PATH=$dir/tools:$PATH expect 0 'racecheck: net/gpt is clean' run
grep -q '"failed": 0' "$dir/report/check.json" || fail 'there is no report, or something failed'
expect 0 "4 checks ran with NVIDIA's libraries, and again by weft" run --only net/fashion,
WEFT_CUBLASLT=none expect 0 "no check ran with NVIDIA's libraries" run --only net/fashion,
printf '#!/bin/sh\nexit 9\n' > "$dir/tools/compute-sanitizer"
PATH=$dir/tools:$PATH expect 1 'memcheck: net/temperature FAILED with status 9' run --only net/temperature
if ! command -v compute-sanitizer > /dev/null; then expect 0 'compute-sanitizer is not here' run --only net/temperature; fi
expect 1 'checks were not run: 0 s were over' run --seconds 1
expect 1 'no check ran' run --only 'nothing is called so'
expect 2 'there is no CUDA driver on this machine' env WEFT_CUDA_DRIVER=/nowhere/libcuda.so.1 "$bundle/gpu_check.sh" check --out "$dir/report"
expect 2 'there is no bundle' "$bundle/gpu_check.sh" check --out "$dir/report" "$dir"

WEFT_CUDA_DRIVER=$driver
export WEFT_CUDA_DRIVER
expect 0 '3 measured, 0 failed' "$bundle/weft_gpu_check" bench "$bundle" --seconds 60 --out "$dir/report"
expect 1 '0 measured, 0 failed' "$bundle/weft_gpu_check" bench "$bundle" --only 'nothing is called so'
[[ -s $dir/report/bench.json && -s $dir/report/bench.md ]] || fail 'there is no table'
expect 0 ready "$bundle/weft_gpu_check" serve "$bundle" --only 'step/lesson 03, batch norm' < <(echo 0.1)
expect 2 "has no program 'step/none'" "$bundle/weft_gpu_check" serve "$bundle" --only step/none

# A file of the check of that name, with ending.
file_of() { sed -n "/\"file\"/{s/.*: \"\(.*\)\".*/\1/;h};/\"name\": \"$1\"/{g;p;q}" "$bundle/manifest.json"; }
# damage FILE AT: another byte there
damage() { printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

net=$(file_of 'net\/temperature')
[[ $net ]] || fail 'there is no net'
cp -r "$bundle" "$dir/whole"
restore() { rm -rf "$bundle" && cp -r "$dir/whole" "$bundle"; }

damage "$bundle/$net.safetensors" "$(($(stat -c %s "$bundle/$net.safetensors") - 2))"
expect 1 'is damaged: its checksum' run --only net/temperature
restore
damage "$bundle/$net.weftprog" "$(($(stat -c %s "$bundle/$net.weftprog") / 2))"
expect 1 "FAILED net/temperature" run --only net/temperature
restore
rm "$bundle/$net.weftprog"
expect 1 "$net.weftprog" run --only net/temperature
restore
# Another program's results are wrong ones.
cp "$bundle/$(file_of 'net\/fashion').safetensors" "$bundle/$net.safetensors"
expect 1 'FAILED net/temperature' run --only net/temperature
restore
# And so are results that are a little off: the checksum is dropped and the last bytes, which are a wanted loss or an input, change.
exact=$(sed -n '/"exact": true/=' "$bundle/manifest.json" | head -n 1)
name=$(sed -n "$exact,\$p" "$bundle/manifest.json" | sed -n 's/.*"name": "\(op.*\)".*/\1/p' | head -n 1)
data=$bundle/$(sed -n "$exact,\$p" "$bundle/manifest.json" | sed -n 's/.*"file": "\(.*\)".*/\1/p' | head -n 1).safetensors
sed -i 's/weft\.checksum/some.checksum/' "$data"
damage "$data" "$(($(stat -c %s "$data") - 1))"
expect 1 "bit for bit" run --only "$name"
restore
printf '{' > "$bundle/manifest.json"
expect 2 'is no manifest of a bundle' run

rm -rf "$dir"
exit $bad
