#!/usr/bin/env bash
# Installs what weft builds with, from the distribution's own packages, and only what is missing.
#
#   scripts/setup.sh            install (as root, or through sudo)
#   scripts/setup.sh --check    install nothing; list what is missing and exit 1, or exit 0
#   scripts/setup.sh --browser  install nothing but Chromium (300 MB), in which a test looks at the page of a report and which
#                               nothing else needs; where there is a browser already, do nothing
#
# Debian 12 and 13, Ubuntu 24.04. WEFT_SKIP_SETUP=1 leaves everything to you: CMake then says what it cannot find.
set -euo pipefail

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

wanted=${1:-}
case "$wanted" in
  "" | --check | --browser) ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; [[ $1 == --help || $1 == -h ]]; exit ;;
esac

if [[ ${WEFT_SKIP_SETUP:-0} == 1 ]]; then
  echo "setup: skipped (WEFT_SKIP_SETUP=1)"
  exit 0
fi

if ! command -v apt-get > /dev/null; then
  die "this system has no apt-get. weft needs:
  a C++20 compiler (g++ >= 12 or clang++ >= 15) with libstdc++ and libgomp, CMake >= 3.25, Ninja,
  LLVM 19 (headers, CMake files, libLLVM), oneDNN >= 2.6 (libdnnl, built for OpenMP),
  fmt >= 9, Catch2 >= 2.13, CLI11 >= 2.1, nlohmann-json >= 3.11, zlib, zstd, libpng, libjpeg, libzip.
Install them, then run again with WEFT_SKIP_SETUP=1."
fi

# --- what is needed ---------------------------------------------------------------------------------------------------

# Tools count as present when PATH has one that is new enough, wherever it came from.
cmake_ok() {
  local version
  version=$(cmake --version 2> /dev/null | sed -n '1s/.* //p') && [[ $version ]] &&
    printf '3.25\n%s\n' "$version" | sort -V -C
}
ninja_ok() { ninja --version > /dev/null 2>&1; }
compiler() { # the one that CMake will choose
  if [[ ${CXX:-} ]]; then echo "$CXX"; return; fi
  local name
  for name in c++ g++ clang++; do
    if command -v "$name" > /dev/null; then echo "$name"; return; fi
  done
}
compiler_ok() {
  local command
  read -ra command <<< "$(compiler)"
  ((${#command[@]})) && "${command[@]}" -std=c++20 -x c++ -fsyntax-only - > /dev/null 2>&1 <<< '
    #include <version>
    #if defined(__clang__) ? __clang_major__ < 15 : __GNUC__ < 12
    #error too old
    #endif'
}

browser_ok() { # as tests/page/browser.py looks for one
  command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null
}

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2> /dev/null) == installed ]]; }

missing() { # prints the packages to install, on one line
  local packages=() package
  if [[ $wanted == --browser ]]; then
    browser_ok || echo chromium
    return
  fi
  compiler_ok || packages+=(g++)
  cmake_ok || packages+=(cmake)
  ninja_ok || packages+=(ninja-build)
  # zlib and zstd are also what LLVM's CMake files refer to; the other libraries that these look for may be absent.
  local libraries=(llvm-19-dev libdnnl-dev libfmt-dev catch2 libcli11-dev nlohmann-json3-dev zlib1g-dev libzstd-dev
    libpng-dev libjpeg-dev libzip-dev)
  # Debian 12 builds oneDNN with OpenCL, so that its CMake files want the OpenCL headers, yet only recommends them.
  local dnnl
  if installed libdnnl-dev; then
    dnnl=$(dpkg-query -W -f='${Recommends}' libdnnl-dev) # much faster than apt-cache
  else
    dnnl=$(apt-cache depends libdnnl-dev 2> /dev/null || true)
  fi
  if [[ $dnnl == *ocl-icd-opencl-dev* ]]; then libraries+=(ocl-icd-opencl-dev); fi
  for package in "${libraries[@]}"; do
    installed "$package" || packages+=("$package")
  done
  echo "${packages[*]}"
}

# --- check, or install ------------------------------------------------------------------------------------------------

read -ra packages <<< "$(missing)"
if ((${#packages[@]} == 0)); then
  if [[ $wanted == --browser ]]; then echo "setup: there is a browser"; else echo "setup: everything is installed"; fi
  exit 0
fi
if [[ $wanted == --check ]]; then
  echo "setup: missing: ${packages[*]}"
  exit 1
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo > /dev/null || die "missing: ${packages[*]}
Neither root nor sudo here. As root, run:
  apt-get update && apt-get install --no-install-recommends ${packages[*]}"
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { # --no-remove: a conflict is an error, never a reason to take something away. Downgrades apt refuses by itself.
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C \
    apt-get -y -o DPkg::Lock::Timeout=300 --no-install-recommends --no-remove "$@"
}

echo "setup: reading the package lists"
# One unreachable third-party list must not stop the rest: whether ours were found shows in the next step.
apt update > "$log" 2>&1 || sed 's/^/  /' "$log" >&2
read -ra packages <<< "$(missing)" # again: only now is libdnnl-dev known on a fresh system

if ! apt install --print-uris "${packages[@]}" > "$log" 2>&1; then
  grep -E '^(E:|W:| )' "$log" >&2 || cat "$log" >&2
  # shellcheck source=/dev/null
  . /etc/os-release
  if [[ $wanted == --browser ]]; then die "apt cannot install ${packages[*]} on ${PRETTY_NAME:-this system}"; fi
  die "apt cannot install ${packages[*]} on ${PRETTY_NAME:-this system}; Debian 12, Debian 13 and Ubuntu 24.04 (with
universe and its updates) have them all."
fi
echo "setup: installing ${packages[*]}"
sed -n -e 's/^Need to get \(.*\) of archives\./  download \1/p' \
  -e 's/^After this operation, \(.*\) of additional disk space will be used\./  on disk  \1/p' "$log"

start=$SECONDS
if ! apt install "${packages[@]}" > "$log" 2>&1 < /dev/null; then
  tail -n 30 "$log" >&2
  die "apt-get install failed (its last lines are above)"
fi

read -ra packages <<< "$(missing)"
if ((${#packages[@]})) && [[ $wanted == --browser ]]; then die "the package chromium brought no browser"; fi
if ((${#packages[@]})); then
  die "still missing after installing: ${packages[*]}. PATH or CXX finds an older tool first:
  compiler $(compiler) (needs g++ >= 12 or clang++ >= 15), cmake $(command -v cmake || echo none) (needs >= 3.25)"
fi
echo "setup: done in $((SECONDS - start)) s"
