#!/usr/bin/env bash
# install.sh CMAKE BUILD SOURCE PREFIX [SANITIZERS]: installs into PREFIX and looks at what is there.
set -euo pipefail
cmake=$1 build=$2 source=$3 prefix=$4
rm -rf "$prefix"
"$cmake" --install "$build" --prefix "$prefix" > "$build/install.log"
cd "$prefix"
"$prefix/bin/weft" --version
bad=0
no() { # no WHAT FILES...: complains about the files, if there are any
  if (($# > 1)); then printf '%s:\n' "$1"; printf '  %s\n' "${@:2}"; bad=1; fi
}
# As the beginning of a path: sources in /weft must not be taken for the end of include/weft. A binary file is text here,
# but is left out where g++'s undefined-behaviour checks were compiled in: they name files as the compiler was given them.
binary=--binary-files=$([[ ${5:-} == *undefined* ]] && echo without-match || echo text)
own=$(printf '%s' "$source" | sed 's/[][\.*^$]/\\&/g')
mapfile -t found < <(grep -rl "$binary" -E "(^|[^[:alnum:]_./}-])$own/" .)
no "files that hold this machine's paths" "${found[@]}"
exit $bad
