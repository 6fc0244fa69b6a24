#!/usr/bin/env bash
# Installs the Debian packages of the groups named (third_party/debian.txt); those that are there cost nothing:
#   bash tools/packages.sh build tests
set -eu
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

in_groups() {  # the packages of the groups named, one a line
  local wanted=" $* " group="" line
  while read -r line; do
    case "$line" in
      "# group: "*) group=${line#\# group: } ;;
      "" | "#"*) ;;
      *) case "$wanted" in *" $group "*) echo "$line" ;; esac ;;
    esac
  done <"$top/third_party/debian.txt"
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else
    echo "packages.sh: neither root nor sudo here; as root, run: $*" >&2
    return 1
  fi
}

if ! command -v dpkg-query >/dev/null; then
  echo "packages.sh: no dpkg here; install what third_party/debian.txt lists by your own means" >&2
  exit 0
fi
missing=()
for package in $(in_groups "$@"); do is_installed "$package" || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
as_root apt-get -qq update
as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
