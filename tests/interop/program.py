"""Runs the program under test, and makes folders that last for one test."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


def keyshift(*arguments, stdin: bytes = b"", code: int | None = 0) -> subprocess.CompletedProcess:
    """Runs keyshift; asserts its exit code unless `code` is None."""
    command = [os.environ["KEYSHIFT"], *map(str, arguments)]
    run = subprocess.run(command, input=stdin, capture_output=True, timeout=600)
    if code is not None and run.returncode != code:
        said = run.stderr.decode(errors="replace") or run.stdout.decode(errors="replace")
        raise AssertionError(f"{' '.join(command)}\nended with {run.returncode} instead of {code}:\n{said}")
    return run


def keyshift_json(*arguments, stdin: bytes = b"", code: int | None = 0) -> dict:
    return json.loads(keyshift(*arguments, "--json", stdin=stdin, code=code).stdout)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    maxDiff = 2000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyshift-interop-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write_json(self, name: str, value) -> pathlib.Path:
        path = self.folder / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return path
