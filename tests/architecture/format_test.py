"""Holds every C++ file against .clang-format."""

import pathlib
import shutil
import subprocess
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "support"))

import suite  # noqa: E402


def sources() -> list[str]:
    return sorted(
        str(path.relative_to(TOP))
        for folder in ("lib", "tools", "tests", "bench")
        for path in (TOP / folder).rglob("*")
        if path.suffix in (".h", ".cpp")
    )


@unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
class Format(unittest.TestCase):
    def test_every_file_is_as_clang_format_would_write_it(self):
        run = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources()], cwd=TOP, capture_output=True, text=True)
        named = sorted({line.split(":")[0] for line in run.stderr.splitlines() if ": error:" in line})
        self.assertEqual(named, [], "\nmend with: clang-format -i " + " ".join(named))
        self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    sys.exit(suite.run("format", Format))
