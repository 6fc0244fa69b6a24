"""bench/versus_transformers.py: a run over few keys prints its tables and writes its figures and its picture.

It needs the benchmark programs beside the one under test (-Dbenchmarks=true), and skips by name without them.
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from program import Case
from transformers import core_model_loading  # noqa: F401  the script's own peer

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["KEYSHIFT"]).parents[1]


class Bench(Case):
    @unittest.skipUnless((BUILD / "bench/rules_bench").exists(), "this build has no benchmarks (-Dbenchmarks=true)")
    def test_versus_transformers_writes_tables_figures_and_a_picture(self):
        figures, picture, bars = (self.folder / name for name in ("figures.json", "picture.svg", "bars.svg"))
        script = [sys.executable, TOP / "bench/versus_transformers.py", BUILD, "--rounds", "1", "--million", "3000", "--counts", "2"]
        ran = subprocess.run([*script, "--models", "mixtral-8x22b", "--json", figures, "--svg", picture], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        lines = ran.stdout.splitlines()
        self.assertTrue(lines[2].startswith("| 2 | "), ran.stdout)
        self.assertRegex(lines[6], r"^\| mixtral-8x22b \| 1,[0-9]{3} \| ")
        self.assertTrue(lines[10].startswith("| 2 | "), ran.stdout)
        written = json.loads(figures.read_text())
        self.assertEqual(written["schema"], "keyshift-figures/1")
        (table,) = written["tables"]
        self.assertEqual(table["title"], "3,000 keys renamed, file to file")
        self.assertEqual([row["what"] for row in table["rows"]], ["2 transforms: keyshift rename", "2 transforms: transformers' loop alone"])
        self.assertTrue(all(row["seconds"] > 0 for row in table["rows"]))
        self.assertTrue(picture.read_text().startswith("<svg"))
        drawn = subprocess.run([sys.executable, TOP / "bench/picture.py", figures, "-o", bars], capture_output=True, text=True)
        self.assertEqual(drawn.returncode, 0, drawn.stderr)
        self.assertIn("3,000 keys renamed", bars.read_text())
