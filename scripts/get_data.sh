#!/usr/bin/env bash
# Downloads the data sets that the examples and benchmarks can use: MNIST, Fashion-MNIST, CIFAR-10 (binary version).
#
#   scripts/get_data.sh [DIR]     into DIR/mnist, DIR/fashion-mnist, DIR/cifar-10; DIR is "data" unless given
#
# About 212 MB. Run it again after an interruption: it continues where it stopped and skips what is complete.
set -euo pipefail

case "${1:-}" in
  -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; [[ $1 == --help || $1 == -h ]]; exit ;;
esac
dir=${1:-data}

if command -v curl > /dev/null; then
  download() { curl -fL --no-progress-meter --connect-timeout 20 -C - -o "$2" "$1"; }
elif command -v wget > /dev/null; then
  download() { wget -nv -c -T 20 -t 1 -O "$2" "$1"; }
else
  echo "get_data: neither curl nor wget is installed" >&2
  exit 1
fi

intact() { [[ -f $1 ]] && md5sum --status -c - <<< "$2  $1"; }

fetch() { # fetch FILE MD5 URL...: the checksums are those that the data sets' own pages publish
  local file=$1 md5=$2 url
  shift 2
  if intact "$file" "$md5"; then
    echo "have  $file"
    return
  fi
  mkdir -p "$(dirname "$file")"
  for url in "$@"; do
    echo "get   $file  from $url"
    if intact "$file.part" "$md5" || download "$url" "$file.part"; then
      if intact "$file.part" "$md5"; then
        mv "$file.part" "$file"
        return
      fi
      echo "get_data: what $url sent has the wrong checksum (expected MD5 $md5)" >&2
      rm -f "$file.part" # continuing it could never become right
    fi
  done
  echo "get_data: could not get $file; is there a network?" >&2
  return 1
}

incomplete=()
idx_files() { # idx_files NAME URL URL MD5 MD5 MD5 MD5
  local name=$1 urls=("$2" "$3") file
  shift 3
  for file in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    file+=-ubyte.gz
    # After one failure the rest of the set would only wait for the same servers.
    fetch "$dir/$name/$file" "$1" "${urls[@]/%/$file}" || { incomplete+=("$name"); return; }
    shift
  done
}

idx_files mnist https://ossci-datasets.s3.amazonaws.com/mnist/ https://storage.googleapis.com/cvdf-datasets/mnist/ \
  f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432 \
  9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c
idx_files fashion-mnist http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/ \
  https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/ \
  8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe \
  bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310

cifar=$dir/cifar-10/cifar-10-binary.tar.gz # kept: it is what the checksum speaks of
fetch "$cifar" c32a1d4ab5d03f1284b67883e8d87530 https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz ||
  incomplete+=(cifar-10)
if [[ -f $cifar ]]; then
  for batch in data_batch_{1..5} test_batch; do
    # 10,000 records of one label and 3 x 32 x 32 pixels
    if [[ $(stat -c %s "$dir/cifar-10/$batch.bin" 2> /dev/null) != 30730000 ]]; then
      echo "unpack $cifar"
      tar -xzf "$cifar" -C "$dir/cifar-10" --strip-components=1
      break
    fi
  done
fi

if ((${#incomplete[@]})); then
  echo "get_data: incomplete: ${incomplete[*]}; run it again to continue" >&2
  exit 1
fi
echo "complete: $dir/mnist $dir/fashion-mnist $dir/cifar-10"
