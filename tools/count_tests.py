"""Adds up test cases: what `meson test` logged, or what a suite printed, to one line `NAME passed failed skipped`.

    count_tests.py meson BUILD/meson-logs/testlog.json
    count_tests.py suite EXIT_CODE OUTPUT_FILE

A program that fails without saying how many of its cases did counts as one failed case; one that says nothing of
cases counts as one case itself.
"""

import json
import re
import sys

DOCTEST = re.compile(r"test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
ORACLE = re.compile(r"^(\d+) of (\d+) (?:model classes|verdicts|models)", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SKIPPED = 77  # what meson takes for a skipped test


def count(code: int, output: str) -> tuple[int, int, int]:
    """(passed, failed, skipped) cases of one program that ended with `code`."""
    output = COLOUR.sub("", output)
    passed = failed = skipped = 0
    said = False
    for match in DOCTEST.finditer(output):
        passed, failed, skipped, said = passed + int(match[1]), failed + int(match[2]), skipped + int(match[3]), True
    for match in PLAIN.finditer(output):
        passed, failed, skipped, said = passed + int(match[1]), failed + int(match[2]), skipped + int(match[3] or 0), True
    for match in ORACLE.finditer(output):
        passed, failed, said = passed + int(match[1]), failed + int(match[2]) - int(match[1]), True
    if code == SKIPPED:  # its peer is missing
        return passed, failed, max(skipped, 1)
    if code != 0 and failed == 0:
        failed = 1
    elif not said:
        passed = 1
    return passed, failed, skipped


def main(arguments: list[str]) -> int:
    if arguments[0] == "meson":
        totals = [0, 0, 0]
        with open(arguments[1], encoding="utf-8") as log:
            for line in log:
                test = json.loads(line)
                ended = test.get("returncode", 1)
                one = count(ended, test.get("stdout", "") + "\n" + test.get("stderr", ""))
                totals = [a + b for a, b in zip(totals, one)]
    else:
        with open(arguments[2], encoding="utf-8", errors="replace") as output:
            totals = count(int(arguments[1]), output.read())
    print(*totals)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
