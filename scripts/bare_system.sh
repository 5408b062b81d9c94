#!/usr/bin/env bash
# Shows that weft builds and passes its tests on a bare system: makes a minimal Debian, puts the sources into it and runs
# scripts/test.sh there, which first has to install everything.
#
#   sudo scripts/bare_system.sh [--suite bookworm|trixie] [--working-tree] [--host-apt] [DIR]
#
#   --suite SUITE     bookworm (Debian 12, the default) or trixie (Debian 13)
#   --working-tree    the files as they are (tracked, and untracked but not ignored) in place of the last commit
#   --host-apt        the mirror and the proxy settings of this machine's apt, where only these are reachable
#   DIR               where to make it (absent or empty; kept afterwards); without it a temporary one, removed at the end
set -euo pipefail

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; }
die() { printf 'bare_system: %s\n' "$*" >&2; exit 1; }

suite=bookworm working_tree=false host_apt=false dir=
while (($#)); do
  case "$1" in
    -h | --help) usage; exit ;;
    --suite) suite=${2:?--suite needs a name}; shift ;;
    --suite=*) suite=${1#*=} ;;
    --working-tree) working_tree=true ;;
    --host-apt) host_apt=true ;;
    -*) usage >&2; exit 2 ;;
    *) dir=$1 ;;
  esac
  shift
done
case "$suite" in bookworm | trixie) ;; *) die "unknown suite $suite: bookworm or trixie" ;; esac
((EUID == 0)) || die "needs root, for debootstrap and chroot"
command -v debootstrap > /dev/null || die "needs debootstrap: apt-get install debootstrap"
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

temporary=false
if [[ ! $dir ]]; then
  dir=$(mktemp -d)
  temporary=true
fi
mkdir -p "$dir"
dir=$(realpath "$dir")
[[ -z $(ls -A "$dir") ]] || die "$dir is not empty"
clean_up() {
  if mountpoint -q "$dir/proc"; then umount "$dir/proc"; fi
  if $temporary; then rm -rf --one-file-system "$dir"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

mirror=http://deb.debian.org/debian
if $host_apt; then
  # The URI is asked of apt, which reads every form of sources file; the suite is ours, never the host's.
  # shellcheck disable=SC2016
  found=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /-/ { print $3; exit }')
  mirror=${found:-$mirror}
fi
log=$(mktemp "${TMPDIR:-/tmp}/debootstrap.XXXXXX.log")
packages=()
if [[ $mirror == https:* ]]; then packages=(--include=ca-certificates); fi
start=$SECONDS
echo "bare_system: $suite from $mirror"
debootstrap --variant=minbase ${packages[@]+"${packages[@]}"} "$suite" "$dir" "$mirror" > "$log" 2>&1 ||
  { tail -n 20 "$log" >&2; die "debootstrap failed; see $log"; }
rm -f "$log"
cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
if $host_apt; then
  apt-config dump | grep -E '^Acquire::(http|https|Check|AllowInsecure)' > "$dir/etc/apt/apt.conf.d/90host" || true
  if [[ -d /usr/local/share/ca-certificates && -x $dir/usr/sbin/update-ca-certificates ]]; then
    cp -r /usr/local/share/ca-certificates "$dir/usr/local/share/"
    chroot "$dir" update-ca-certificates > /dev/null
  fi
fi

mkdir -p "$dir/weft"
if $working_tree; then
  # A file that was deleted but not committed is still listed.
  git -C "$repository" ls-files -z --cached --others --exclude-standard |
    tar -C "$repository" --null --verbatim-files-from --ignore-failed-read -cf - -T - 2> /dev/null | tar -C "$dir/weft" -xf -
else
  git -C "$repository" archive HEAD | tar -C "$dir/weft" -xf -
fi
mount -t proc proc "$dir/proc"
echo "bare_system: ready after $((SECONDS - start)) s, $(chroot "$dir" dpkg-query -f '.\n' -W | wc -l) packages"

status=0
# Only what a fresh shell would have, and the proxy: the caller's variables could hide that something is missing.
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" \
  ${http_proxy+http_proxy="$http_proxy"} ${https_proxy+https_proxy="$https_proxy"} ${no_proxy+no_proxy="$no_proxy"} \
  chroot "$dir" /weft/scripts/test.sh || status=$?
if ((status)); then die "scripts/test.sh failed on a bare $suite"; fi
echo "bare_system: passed on a bare $suite"
