"""Runs the shell blocks of the README that say so: readme_test.py KEYSHIFT.

A block is run if `<!-- run -->` stands before it; all of a section share one folder, and a test runs them in their order.
`<!-- run: NAME=0..3 OTHER=4 -->` runs a block once for each value of NAME, all at once, with the others set too."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import suite  # noqa: E402

README = HERE.parent.parent / "README.md"
BLOCK = re.compile(r"^<!-- run(?:: (.*?))? -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEYSHIFT = ""


def sections() -> dict[str, list[tuple[str, str]]]:
    """By heading, the blocks: how each is to be run, and its text."""
    found = {}
    for section in re.split(r"^## ", README.read_text(), flags=re.MULTILINE)[1:]:
        blocks = BLOCK.findall(section)
        if blocks:
            found[section.splitlines()[0]] = blocks
    return found


def environments(how: str) -> list[dict[str, str]]:
    """One for each time that a block is to be run."""
    fixed, each = {}, [{}]
    for word in how.split():
        name, value = word.split("=")
        first, dots, last = value.partition("..")
        if dots:
            each = [{name: str(number)} for number in range(int(first), int(last) + 1)]
        else:
            fixed[name] = value
    return [{**fixed, **one} for one in each]


class Readme(unittest.TestCase):
    def run_block(self, folder: pathlib.Path, how: str, text: str) -> None:
        path = f"{pathlib.Path(KEYSHIFT).parent}:{os.environ['PATH']}"
        command = ["bash", "-euo", "pipefail", "-c", text]
        runs = [
            subprocess.Popen(command, cwd=folder, env={**os.environ, "PATH": path, **more}, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for more in environments(how)
        ]  # fmt: skip
        for process in runs:
            said, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, f"{text}\n--- said:\n{said}")

    def test_what_the_readme_says_of_a_release_pipeline_works(self):
        if shutil.which("parallel") is None:
            self.skipTest("GNU parallel is not installed")
        blocks = sections()["In a release pipeline"]
        self.assertGreaterEqual(len(blocks), 7)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="keyshift-docs-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        for how, text in blocks:
            with self.subTest(block=text.splitlines()[0]):
                self.run_block(folder, how, text)
        self.assertEqual(len((folder / "results.jsonl").read_text().splitlines()), 3)

    def test_no_block_that_is_to_be_run_is_left_out(self):
        marked = README.read_text().count("<!-- run")
        self.assertEqual(sum(len(blocks) for blocks in sections().values()), marked)
        self.assertEqual(list(sections()), ["In a release pipeline"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    KEYSHIFT = str(pathlib.Path(sys.argv[1]).resolve())
    sys.exit(suite.run("what the README says", Readme))
