#!/usr/bin/env bash
# Everything that must hold, from a fresh Debian 12 on:
#   bash tools/test.sh [--all] [SUITE …]
# Suites: format, unit, asan, tsan, interop, docs, faults, oracle, corpus (default: every one). --all runs the long
# ones in full too. The last line is `N passed, N failed, N skipped`, counted in test cases over all suites; exit 1 if
# any failed. Builds lie in build-test*/ of this folder, or under KEYSHIFT_BUILD_ROOT.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
root=${KEYSHIFT_BUILD_ROOT:-$top}
all="" chosen=" "
for word in "$@"; do
  case "$word" in
    --all) all=1 ;;
    format | unit | asan | tsan | interop | docs | faults | oracle | corpus) chosen="$chosen$word " ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
export KEYSHIFT_TEST_ALL=$all
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 skipped=0

wanted() { [ "$chosen" = " " ] || [[ "$chosen" == *" $1 "* ]]; }

add() {  # NAME PASSED FAILED SKIPPED
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  printf '== %s: %d ok, %d not, %d left out\n' "$1" "$2" "$3" "$4"
}

skip() {  # NAME WHY
  echo "== $1: skipped, $2"
  skipped=$((skipped + 1))
}

run_suite() {  # NAME COMMAND …: one program that prints its own count
  local name=$1 code log
  shift
  log=$logs/${name//[^a-z]/-}
  echo "== $name: ${*/#$top\//}"
  "$@" </dev/null 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  # shellcheck disable=SC2046  # three numbers
  add "$name" $(python3 tools/count_tests.py suite "$code" "$log")
}

build() {  # FOLDER MESON-OPTIONS …; `targets`, if set, are all that is built
  local folder=$root/$1
  shift
  if [ ! -e "$folder/build.ninja" ]; then
    meson setup "$folder" "$top" -Dwerror=true "$@" >"$logs/setup" 2>&1 || { cat "$logs/setup"; return 1; }
  fi
  # shellcheck disable=SC2086  # the targets are words
  ninja -C "$folder" ${targets:-} >"$logs/ninja" 2>&1 || { tail -n 60 "$logs/ninja"; return 1; }
}

run_meson() {  # NAME FOLDER TEST …: builds must have been made
  local name=$1 folder=$root/$2
  shift 2
  meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4 "$@" </dev/null 2>&1 |
    grep -vE '^(ninja: |$)' || true
  # shellcheck disable=SC2046
  add "$name" $(python3 tools/count_tests.py meson "$folder/meson-logs/testlog.json")
}

build_and_run() {  # NAME FOLDER MESON-OPTIONS …
  local name=$1 folder=$2
  echo "== $name: build and run"
  # shellcheck disable=SC2086
  if build "${@:2}"; then run_meson "$name" "$folder" ${tests:-}; else add "$name (does not build)" 0 1 0; fi
}

bash tools/packages.sh build tests || exit 1

if wanted format; then
  run_suite format python3 tests/architecture/format_test.py
fi

keyshift=$root/build-test/tools/keyshift
if wanted unit; then
  build_and_run unit build-test --buildtype=release
else
  build build-test --buildtype=release || exit 1
fi
if wanted asan; then
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  # g++ 12 sees uninitialized ghosts in <regex> once it is instrumented.
  build_and_run "unit, under ASan and UBSan" build-test-asan -Doptimization=1 -Ddebug=true \
    -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-Wno-maybe-uninitialized
fi
if wanted tsan; then
  export TSAN_OPTIONS=halt_on_error=1
  tests="base format transforms plan engine compare"  # what runs in threads
  targets=$(for layer in $tests; do echo "tests/$layer/test-$layer"; done)
  build_and_run "unit, under TSan" build-test-tsan -Doptimization=1 -Ddebug=true -Db_sanitize=thread -Db_lundef=false
  tests="" targets=""
fi

if wanted interop; then
  patterns=4000
  [ -z "$all" ] || patterns=200000
  run_suite "interop, patterns against Python's re" python3 tests/interop/python_re.py \
    "$root/build-test/tests/interop/python-re-driver" --patterns $patterns
  if peers=$(bash tools/peers.sh); then
    run_suite interop "$peers" tests/interop/run.py "$keyshift"
  elif [ "${CI:-}" = true ]; then
    add "interop (the peers cannot be installed)" 0 1 0
  else
    skip interop "the peers of third_party/pypi.txt cannot be installed here"
  fi
fi
if wanted docs; then
  run_suite docs python3 tests/docs/readme_test.py "$keyshift"
fi
if wanted faults; then
  run_suite faults python3 tests/faults/run.py "$keyshift"
  run_suite "faults, file systems" python3 tests/faults/file_systems.py "$keyshift"
fi

# Golden data of the real libraries over every model class and over malformed input, where a workplace has it.
data=$top/../shared
if wanted oracle; then
  if [ -e "$data/oracle/check_names.py" ]; then
    run_suite oracle python3 "$data/oracle/check_names.py" "$keyshift" "$data/oracle/names"
  else
    skip oracle "no ../shared/oracle here"
  fi
fi
if wanted corpus; then
  if [ -e "$data/corpus/check.py" ]; then
    run_suite corpus python3 "$data/corpus/check.py" "$keyshift"
  else
    skip corpus "no ../shared/corpus here"
  fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
