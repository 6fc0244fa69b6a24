"""Holds keyshift against the real peers: run.py KEYSHIFT. KEYSHIFT_TEST, a substring, picks among the tests by name.

Runs in any Python; what needs a peer that is not installed skips by name.
"""

import importlib
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parents[1] / "tools")]

import suite  # noqa: E402

MODULES = ["digest_test", "safetensors_test", "hub_test", "layout_test", "published_test", "rename_test", "export_test", "classes_test", "dialects_test", "peft_test", "models_test", "bench_test"]


def missing_peer(error: ImportError, module: str) -> type[unittest.TestCase]:
    """One skipped test in the place of a module that cannot be imported here."""

    @unittest.skip(f"{error.name} is not installed in {sys.executable}")
    class Missing(unittest.TestCase):
        pass

    setattr(Missing, f"test_all_of_{module}", lambda self: None)
    return Missing


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    os.environ["KEYSHIFT"] = str(pathlib.Path(sys.argv[1]).resolve())
    loader = unittest.TestLoader()
    tests = unittest.TestSuite()
    for module in MODULES:
        try:
            tests.addTests(loader.loadTestsFromModule(importlib.import_module(module)))
        except ImportError as error:
            if error.name and (HERE / f"{error.name}.py").exists():
                raise
            tests.addTests(loader.loadTestsFromTestCase(missing_peer(error, module)))
    return suite.run(f"keyshift against the real peers, in {sys.version.split()[0]}", suite=tests)


if __name__ == "__main__":
    sys.exit(main())
