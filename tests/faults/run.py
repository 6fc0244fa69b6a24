"""Breaks things under keyshift: run.py KEYSHIFT [SUITE …]. Suites: convert, system_calls, in_place, power_cut, read_errors, batch,
resume, layouts, memory (default: all). One line at the end counts them all together. KEYSHIFT_TEST picks among the tests by name,
KEYSHIFT_TEST_ALL runs them in full."""

import importlib
import pathlib
import sys

import common
import suite  # tests/support, which common has put on the path

SUITES = ["convert", "system_calls", "in_place", "power_cut", "read_errors", "batch", "resume", "layouts", "memory"]


def main() -> int:
    chosen = sys.argv[2:] or SUITES
    if len(sys.argv) < 2 or not set(chosen) <= set(SUITES):
        sys.exit(__doc__)
    common.KEYSHIFT = str(pathlib.Path(sys.argv[1]).resolve())
    cases = [case for name in chosen for case in importlib.import_module(name).CASES]
    return suite.run(f"faults under keyshift: {', '.join(chosen)}", *cases)


if __name__ == "__main__":
    sys.exit(main())
