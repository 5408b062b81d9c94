#!/usr/bin/env bash
# no_llvm.sh PROGRAM: runs it and looks at what it is linked with.
set -euo pipefail
"$1"
libraries=$(ldd "$1")
grep -q dnnl <<< "$libraries" || { echo "expected oneDNN among: $libraries"; exit 1; }
if grep -i llvm <<< "$libraries"; then echo "the runtime must not link LLVM"; exit 1; fi
if nm -C "$1" | grep -qE 'llvm::|weft::ir::'; then echo "the runtime must hold neither LLVM nor the IR"; exit 1; fi
