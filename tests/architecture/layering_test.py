"""Holds the sources against lib/README.md's table of layers and third_party/README.md's table of owners."""

import pathlib
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "support"))
sys.path.insert(0, str(TOP / "tests" / "architecture"))

import layering  # noqa: E402
import suite  # noqa: E402

LAYERS = layering.read_layers((TOP / "lib/README.md").read_text())
OWNERS = layering.read_owners((TOP / "third_party/README.md").read_text())


def sources() -> dict[str, str]:
    return {
        str(path.relative_to(TOP)): path.read_text()
        for folder in ("lib", "tools", "tests", "bench")
        for path in (TOP / folder).rglob("*")
        if path.suffix in (".h", ".cpp")
    }


class ThisTree(unittest.TestCase):
    def test_every_file_keeps_to_the_layers_and_owners_that_the_documentation_names(self):
        faults = layering.find_faults(sources(), LAYERS, OWNERS)
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_every_folder_of_the_library_is_a_layer_of_the_table(self):
        folders = {path.parent.name for path in (TOP / "lib").glob("*/*.h")}
        self.assertEqual(folders - set(LAYERS), set())

    def test_every_owner_that_the_documentation_names_is_there_and_includes_what_it_owns(self):
        tree = sources()
        for owner in OWNERS:
            users = [
                path
                for path, text in tree.items()
                for match in layering.INCLUDE.finditer(text)
                if match.group(2) and any(match.group(2).startswith(header) for header in owner.headers)
            ]
            for place in owner.places:
                if not place.endswith("/"):
                    self.assertIn(place, users, f"{place} does not include {owner.library}")


class TheRules(unittest.TestCase):
    """They can fail: each fault is found where it is put."""

    def faults(self, **files: str) -> list[str]:
        tree = {"lib/base/error.h": "", "lib/plan/plan.h": ""}
        tree |= {name.replace("__", "/").replace("_cpp", ".cpp"): text for name, text in files.items()}
        return layering.find_faults(tree, LAYERS, OWNERS)

    def test_a_layer_that_reaches_up_is_found(self):
        self.assertEqual(
            self.faults(lib__format__bad_cpp='#include "base/error.h"\n#include "plan/plan.h"\n'),
            ['lib/format/bad.cpp:2: format may not include "plan/plan.h" (it may include: base)'],
        )

    def test_verify_may_not_stand_on_the_plan(self):
        [fault] = self.faults(lib__compare__bad_cpp='#include "plan/plan.h"\n')
        self.assertIn("compare may not include", fault)

    def test_a_relative_include_is_found(self):
        self.assertEqual(
            self.faults(lib__base__bad_cpp='#include "error.h"\n'),
            ['lib/base/bad.cpp:1: "error.h" is not a file of lib/; write the path from there'],
        )

    def test_a_library_outside_of_its_owner_is_found(self):
        self.assertEqual(
            self.faults(lib__format__bad_cpp="#include <simdjson.h>\n"),
            ["lib/format/bad.cpp:1: <simdjson.h> of simdjson may be included by lib/base/json.cpp only"],
        )

    def test_the_nearest_entry_of_the_owners_decides(self):
        owners = [layering.Owner("all", ["x/"], ["lib/base/a.cpp"]), layering.Owner("part", ["x/y/"], ["lib/base/b.cpp"])]
        tree = {path: "#include <x/y/z.h>\n" for path in ("lib/base/a.cpp", "lib/base/b.cpp")}
        self.assertEqual(
            layering.find_faults(tree, LAYERS, owners),
            ["lib/base/a.cpp:1: <x/y/z.h> of part may be included by lib/base/b.cpp only"],
        )

    def test_an_unknown_library_is_found(self):
        self.assertEqual(
            self.faults(tools__bad_cpp="#include <absl/strings/str_cat.h>\n"),
            ["tools/bad.cpp:1: <absl/strings/str_cat.h> belongs to no library in third_party/README.md"],
        )

    def test_a_system_call_above_base_is_found(self):
        [fault] = self.faults(lib__engine__bad_cpp="#include <sys/mman.h>\n")
        self.assertIn("they are made in lib/base only", fault)

    def test_printing_and_exiting_in_the_library_is_found_but_not_in_comments_or_texts(self):
        source = '// std::cout << "x";\nauto s = "exit(1)";\nvoid f() { std::cerr << 1; }\nvoid g() { exit(1); }\n'
        faults = self.faults(lib__base__bad_cpp=source)
        self.assertEqual([fault.split(" prints")[0] for fault in faults],
                         ["lib/base/bad.cpp:3: `std::cerr`", "lib/base/bad.cpp:4: `exit`"])
        self.assertEqual(self.faults(tools__fine_cpp=source), [])

    def test_methods_that_only_sound_alike_are_left_alone(self):
        self.assertEqual(self.faults(lib__base__fine_cpp="void f(T& t) { t.exit(1); t->abort(); snprintf(0, 0, 0); }\n"), [])

    def test_a_file_of_more_than_400_lines_is_found(self):
        self.assertEqual(self.faults(lib__base__long_cpp="\n" * 401),
                         ["lib/base/long.cpp: 401 lines; over 400 a file holds two ideas"])

    def test_a_cycle_of_includes_is_found(self):
        tree = {"lib/base/a.h": '#include "base/b.h"\n', "lib/base/b.h": '#include "base/a.h"\n'}
        self.assertEqual(layering.find_faults(tree, LAYERS, OWNERS),
                         ["an include cycle: lib/base/a.h → lib/base/b.h → lib/base/a.h"])


if __name__ == "__main__":
    sys.exit(suite.run("architecture", ThisTree, TheRules))
