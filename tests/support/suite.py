"""Runs unittest cases and ends with the line that tools/test.sh adds up: `N passed, N failed, N skipped`."""

import os
import sys
import time
import unittest


class _Result(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0
        self._started = 0.0

    def startTest(self, test):
        unittest.TestResult.startTest(self, test)
        self._started = time.monotonic()

    def _line(self, word, test, more=""):
        name = (test.shortDescription() or test._testMethodName.removeprefix("test_").replace("_", " ")).strip()
        seconds = time.monotonic() - self._started
        took = f"  ({seconds:.1f} s)" if seconds >= 1 else ""
        self.stream.writeln(f"  {word:7} {name}{': ' + more if more else ''}{took}")
        self.stream.flush()

    def addSuccess(self, test):
        self.passed += 1
        self._line("ok", test)

    def addFailure(self, test, err):
        super(unittest.TextTestResult, self).addFailure(test, err)
        self._line("FAILED", test)

    def addError(self, test, err):
        super(unittest.TextTestResult, self).addError(test, err)
        self._line("FAILED", test)

    def addSkip(self, test, reason):
        super(unittest.TextTestResult, self).addSkip(test, reason)
        self._line("skipped", test, reason)


def run(title: str, *cases: type[unittest.TestCase], suite: unittest.TestSuite | None = None) -> int:
    """Runs all cases; 0 if none failed. KEYSHIFT_TEST, a substring, picks among them by name."""
    loader = unittest.TestLoader()
    suite = suite or unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
    wanted = os.environ.get("KEYSHIFT_TEST")
    if wanted:
        suite = unittest.TestSuite(test for test in _flatten(suite) if wanted in test.id())
    print(title)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0, resultclass=_Result).run(suite)
    # An error of a setUpClass or of a subtest is one more failure than there are tests.
    failed = len(result.failures) + len(result.errors)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or not (result.passed or result.skipped) else 0


def _flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flatten(test)
        else:
            yield test
