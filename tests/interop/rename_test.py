"""`keyshift rename` against transformers' own classes: random rules, random keys, both directions."""

import copy
import json
import os
import random

import export_transforms
from program import Case, keyshift
from transformers import core_model_loading as real

SEED = 45448
ROUNDS = 4000 if os.environ.get("KEYSHIFT_TEST_ALL") else 400
# Numbers that look alike are the favourite food: equal by value or not, of other scripts, no numbers at all.
WORDS = ["model", "layers", "layer", "mlp", "attn", "w1", "w01", "norm", "vision_model", "text", "a", "0", "1", "10", "00", "²", "1²", "٣", "٣0", "007", "encoder"]
PIECES = [
    "model", "layer", "layers", "^model", "^", r"\.", ".", "mlp", r"(\d+)", r"(\w+)", "norm", "w1", "vision_model", "text$", r"layers\.0",
    "[a-m]", "(?:a|mlp)", "(?<!text)", "(?!0)", "*.", "a?", "1", "_", "attn|norm", r"\b", "encoder",
]  # fmt: skip
TARGETS = ["model", "x", "", "new.", "layers.", "^base.", r"\.", "y_", "model.language_model", r"(.+)", "é", "$", "\\1"]


def random_key(randomness: random.Random) -> str:
    return ".".join(randomness.choices(WORDS, k=randomness.randrange(1, 7)))


def random_transform(randomness: random.Random):
    """A renaming of the real package, or None where its constructor refuses the arguments."""
    try:
        if randomness.random() < 0.25:
            side = randomness.choice(["prefix_to_add", "prefix_to_remove"])
            prefix = randomness.choice([None, None, "model", "encoder"])
            transform = real.PrefixChange(**{side: randomness.choice(WORDS[:10])}, model_prefix=prefix)
        else:
            sources = ["".join(randomness.choices(PIECES, k=randomness.randrange(1, 4))) for _ in range(randomness.choice([1, 1, 1, 2, 3]))]
            targets = ["".join(randomness.choices(TARGETS, k=randomness.randrange(1, 3)))]
            transform = real.WeightRenaming(sources, targets)
    except Exception:
        return None
    if randomness.random() < 0.25:
        transform.scope_prefix = randomness.choice(["", "model", "text", "vision_model.encoder"])
        transform.base_model_prefix = randomness.choice(["", "model"])
    return transform


def real_names(transforms: list, keys: list[str]) -> list[str] | None:
    """What the real classes make of the keys, or None where they raise (a group that took no part, say)."""
    try:
        return [real.rename_source_key(key, transforms, [])[0] for key in keys]
    except Exception:
        return None


class Random(Case):
    def names(self, rules: list, keys: list[str], *options) -> tuple[list[str], list[bool]] | None:
        """What keyshift makes of the keys; None where it refuses the rules or a result."""
        path = self.write_json("rules.json", rules)
        run = keyshift("rename", "--json", "--transforms", path, *options, stdin=json.dumps(keys).encode(), code=None)
        if run.returncode == 3:
            return None
        self.assertIn(run.returncode, (0, 1), run.stderr.decode())
        shown = json.loads(run.stdout)
        return [key["to"] for key in shown["keys"]], shown["used"]

    def both(self, direction: str):
        randomness = random.Random(SEED)
        compared = refused = 0
        while compared < ROUNDS:
            transforms = [t for t in (random_transform(randomness) for _ in range(randomness.randrange(1, 6))) if t]
            rules = [export_transforms.describe_transform(t) for t in transforms]
            keys = list(dict.fromkeys(random_key(randomness) for _ in range(40)))
            if direction == "save":
                try:
                    transforms = [copy.deepcopy(t).reverse_transform() for t in reversed(transforms)]
                except Exception:
                    transforms = []
            expected = real_names(transforms, keys) if transforms else None
            if expected is None:
                continue
            options = ["--direction", direction] + (["--used", "all"] if direction == "save" else [])
            got = self.names(rules, keys, *options)
            if got is None:  # names that are no names: empty, or `__metadata__`; and patterns refused by name
                refused += 1
                self.assertLess(refused, 60 + compared, "nearly everything is refused")
                continue
            used = [t.was_used() for t in transforms]
            with self.subTest(rules=rules):
                self.assertEqual(dict(zip(keys, got[0])), dict(zip(keys, expected)))
                self.assertEqual(got[1], used[::-1] if direction == "save" else used)
            compared += 1

    def test_load_gives_the_names_and_used_flags_of_the_real_classes(self):
        self.both("load")

    def test_save_gives_the_names_and_used_flags_of_the_real_reversal(self):
        self.both("save")
