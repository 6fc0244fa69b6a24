#!/usr/bin/env bash
# Installs what is missing, builds keyshift and shows it at work:
#   bash tools/try.sh                                 on a small sample
#   bash tools/try.sh SRC DST [OPTIONS OF convert]    on your files
# A second run builds nothing and needs no network. The build lies in build/ of this folder, or in KEYSHIFT_BUILD.
set -eu
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${KEYSHIFT_BUILD:-$top/build}
keyshift=$build/tools/keyshift

case "${1:-}" in -h | --help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;; esac
if [ $# = 1 ]; then
  echo "try.sh: SRC alone says not where to; bash tools/try.sh SRC DST [OPTIONS OF convert]" >&2
  exit 2
fi

bash "$top/tools/packages.sh" build
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -e "$build/build.ninja" ]; then
  echo "building into $build (a few minutes, once)" >&2
  meson setup "$build" "$top" --buildtype=release -Dtests=false >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
ninja -C "$build" tools/keyshift >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }

bold="" plain=""
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
show() {  # a command as the user would type it, then what it says
  local words
  printf -v words ' %q' "$@"
  printf '\n%s$ keyshift%s%s\n' "$bold" "$words" "$plain" >&2
  "$keyshift" "$@"
}

if [ $# -ge 2 ]; then
  source=$1 target=$2
  shift 2
  show convert "$source" "$target" "$@"
  show inspect "$target"
  exit 0
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/keyshift-try-XXXXXX")
cd "$folder"
show sample sample
show inspect sample
show convert sample renamed --transforms sample/transforms.json
show inspect renamed
show verify sample renamed
show roundtrip sample --transforms sample/transforms.json
show convert renamed back --direction save
printf '\n%s$ cmp of every shard and the index: sample against back%s\n' "$bold" "$plain" >&2
for file in sample/model*; do cmp "$file" "back/${file##*/}" && echo "same: ${file##*/}"; done
printf '\nAll of this lies in %s; the program is %s\n' "$folder" "$keyshift" >&2
