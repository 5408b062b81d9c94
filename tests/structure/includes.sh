#!/usr/bin/env bash
# Data flows one way: frontend -> ir -> passes -> backends -> runtime, and among the frontend's rooms language -> nn, optim, report ->
# program -> training, beside which stands the tool. Fails when an include runs against it, or when a library's headers leave
# their backend's folder.
set -uo pipefail
cd "$(dirname "$0")/../.."
bad=0
forbid() { # forbid FOLDER PATTERN: no file under FOLDER may include what matches
  local found
  found=$(grep -rnE "#include [<\"]$2" "$1" --include='*.h' --include='*.cpp') || return 0
  printf '%s may not include this:\n%s\n' "$1" "$found"
  bad=1
}
forbid support 'weft/(ir|runtime|passes|backends|frontend)/'
forbid ir 'weft/(runtime|passes|backends|frontend)/'
forbid runtime 'weft/(ir|passes|backends|frontend)/'
forbid passes 'weft/(runtime|backends|frontend)/'
forbid passes/analysis 'weft/passes/[a-z_]+\.h'
forbid backends 'weft/frontend/'
forbid frontend/language 'weft/frontend/(nn|optim|report|program|training|tool)/'
forbid frontend/nn 'weft/frontend/(optim|program|training|tool)/'
forbid frontend/optim 'weft/frontend/(nn|program|training|tool)/'
forbid frontend/report 'weft/frontend/(language|nn|optim|program|training|tool)/'
forbid frontend/program 'weft/frontend/(nn|training|tool)/'
forbid frontend/training 'weft/frontend/tool/'
forbid frontend/tool 'weft/frontend/training/'
for room in language nn optim report program training tool; do
  forbid "frontend/$room" 'weft/(frontend/)?weft\.h'
done
forbid backends/program 'weft/backends/(reference|codegen|cpu|cuda)/'
forbid backends/codegen 'weft/backends/(program|reference|cpu|cuda)/'
forbid backends/cpu/exec 'weft/(ir|passes|frontend|backends/(codegen|saved))/'
forbid backends/cuda/exec 'weft/(ir|passes|frontend|backends/(codegen|saved|program|cpu))/'
# Who loads a program brings no compiler along.
forbid backends/saved 'weft/(ir|passes|frontend|backends/(program|codegen|reference|(cpu|cuda)/[a-z_]+\.h))'
# A backend is one value: who is not that value's maker, and does not ask the reference what is right, includes nothing of one.
found=$(grep -rlE '#include "weft/backends/(cpu|cuda|reference)/' frontend | grep -vE '^frontend/(program/(target|validation|call_reader|value_origin|reference_check|gradient_check)|tool/(machine|ptx|compile))\.(h|cpp)$')
[ -z "$found" ] || { printf 'only Target knows backends by name:\n%s\n' "$found"; bad=1; }
for folder in support ir runtime passes frontend backends/reference; do
  forbid "$folder" '(llvm|dnnl|oneapi|cuda|cudnn|cublas)'
done
forbid backends/cpu/exec 'llvm'
forbid backends/cuda/exec 'llvm'
forbid backends/codegen '(dnnl|oneapi)'
grep -rlE '#include [<"](dnnl|oneapi)' backends | grep -v '^backends/cpu/exec/' && bad=1
exit $bad
