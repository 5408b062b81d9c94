#!/usr/bin/env bash
# Measures training steps of weft beside PyTorch, JAX and plain C++; writes BENCHMARKS.md and bench.json.
#
#   scripts/bench.sh             everything, hours on two cores of a still machine
#   scripts/bench.sh --kernels   only single kernels beside PyTorch's; the rest of the page stays as it was
#   scripts/bench.sh --quick     fewer rounds and modes, about an hour: rough figures
#   scripts/bench.sh --sweep     only two nets with every width and batch from 1 to 130, on one thread, beside PyTorch: writes
#                                docs/sweep.svg (by gnuplot) and docs/sweep.json, and says where a step is a cliff
#
#   --cpu-time       count the time that processes run instead of the time that passes, on one thread: what else the machine
#                    does then voids nothing
#   --threads N      compute threads, each on a core of its own (default: 2, or 1 where there is one core)
#   --case NAME      only this case of tests/benchmark/cases.json; may be repeated. Others that were measured alike stay
#   --out DIR        where the two files go (default: the project's root; docs for --sweep)
#   --python PYTHON  an interpreter that has PyTorch, JAX and NumPy. Without it, a virtual environment is made in
#                    ${XDG_CACHE_HOME:-~/.cache}/weft-bench, with packages from the Python registry (about 3 GB to download)
#
# Only the processor is used. Without --cpu-time nothing else should run meanwhile: disturbed blocks are recognized and repeated,
# which takes longer, and where that does not help the page says so.
set -euo pipefail

die() { printf 'bench: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python="" out="" sweep="" arguments=()
while (($#)); do
  case "$1" in
    -h | --help) usage; exit ;;
    --quick | --kernels | --cpu-time) arguments+=("$1") ;;
    --sweep) sweep=yes ;;
    --threads | --case) arguments+=("$1" "${2:?$1 needs a value}"); shift ;;
    --out) out=${2:?--out needs a directory}; shift ;;
    --python) python=${2:?--python needs an interpreter}; shift ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

has_peers() { "$1" -c 'import jax, numpy, torch' > /dev/null 2>&1; }

make_environment() { # make_environment DIRECTORY
  echo "bench: installing PyTorch, JAX, NumPy and what they need into $1:"
  echo "bench: about 3 GB to download from the Python registry, 6 GB on disk; delete that directory to be rid of it."
  echo "bench: PyTorch's packages there are built for CUDA and do not load without its libraries. An interpreter that has a"
  echo "bench: build for processors alone, given by --python, saves most of that."
  command -v python3 > /dev/null || die "there is no python3; install it, or give --python"
  python3 -m venv "$1" || die "python3 cannot make virtual environments; on Debian, install python3-venv"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check torch jax numpy
}

if [[ ! $python ]]; then
  environment=${XDG_CACHE_HOME:-$HOME/.cache}/weft-bench
  python=$environment/bin/python
  has_peers "$python" || make_environment "$environment"
fi
has_peers "$python" || die "$python cannot import torch, jax and numpy"
"$python" -c 'import os, sysconfig; raise SystemExit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
  echo "bench: Python.h is missing (on Debian: python3-dev), so PyTorch's compiled modes may fail" >&2

if [[ $sweep ]]; then
  "$root/scripts/test.sh" --build-only sweep_peer
  exec "$python" -B "$root/tests/benchmark/sweep.py" --programs "$root/build/tests/benchmark" --out "${out:-$root/docs}" ${arguments[0]+"${arguments[@]}"}
fi
"$root/scripts/test.sh" --build-only weft_peer kernels_peer plain_peer machine_peer
exec "$python" -B "$root/tests/benchmark/run.py" --programs "$root/build/tests/benchmark" --out "${out:-$root}" ${arguments[0]+"${arguments[@]}"}
