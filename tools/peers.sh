#!/usr/bin/env bash
# Makes the Python environment of the real peers (third_party/pypi.txt) and prints the path of its python:
#   bash tools/peers.sh
# It lies in ~/.cache/keyshift, named after the list's digest, so that a second run costs nothing and needs no
# network. KEYSHIFT_PEERS_PYTHON names another python to use as it is.
set -eu
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list=$top/third_party/pypi.txt

if [ -n "${KEYSHIFT_PEERS_PYTHON:-}" ]; then
  echo "$KEYSHIFT_PEERS_PYTHON"
  exit 0
fi
digest=$(sha256sum <"$list" | cut -c1-12)
venv=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/keyshift/peers-$digest
python=$venv/bin/python
if [ ! -e "$venv/complete" ]; then
  echo "installing the real peers into $venv (about six gigabytes, once)" >&2
  python3 -m venv --clear "$venv" >&2
  group=$(mktemp)
  trap 'rm -f "$group"' EXIT
  install_group() {
    [ -s "$group" ] || return 0
    # shellcheck disable=SC2086  # the options are words
    "$python" -m pip install --quiet --disable-pip-version-check --no-input $1 -r "$group" >&2
    : >"$group"
  }
  options=""
  while read -r line; do
    case "$line" in
      "# group: "*"(without dependencies)") install_group "$options"; options=--no-deps ;;
      "# group: "*) install_group "$options"; options="" ;;
      "" | "#"*) ;;
      *) echo "$line" >>"$group" ;;
    esac
  done <"$list"
  install_group "$options"
  touch "$venv/complete"
fi
echo "$python"
