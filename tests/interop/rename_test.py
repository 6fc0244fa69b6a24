"""`keyshift rename` against transformers' own classes: random rules, random keys, both directions."""

import copy
import json
import os
import random

import export_transforms
from program import Case, keyshift
from transformers import core_model_loading as real

SEED = 45448
ROUNDS = 8000 if os.environ.get("KEYSHIFT_TEST_ALL") else 800
# Numbers that look alike are the favourite food: equal by value or not, of other scripts, no numbers at all.
WORDS = ["model", "layers", "layer", "mlp", "attn", "w1", "w01", "norm", "vision_model", "text", "a", "0", "1", "10", "00", "²", "1²", "٣", "٣0", "007", "encoder"]
PIECES = [
    "model", "layer", "layers", "^model", "^", r"\.", ".", "mlp", r"(\d+)", r"(\w+)", "norm", "w1", "vision_model", "text$", r"layers\.0",
    "[a-m]", "(?:a|mlp)", "(?<!text)", "(?!0)", "*.", "a?", "1", "_", "attn|norm", r"\b", "encoder",
]  # fmt: skip
TARGETS = ["model", "x", "", "new.", "layers.", "^base.", r"\.", "y_", "model.language_model", r"(.+)", "é", "$", "\\1"]


def random_key(randomness: random.Random) -> str:
    return ".".join(randomness.choices(WORDS, k=randomness.randrange(1, 7)))


def random_patterns(randomness: random.Random, pieces: list[str], count: int) -> list[str]:
    return ["".join(randomness.choices(pieces, k=randomness.randrange(1, 4))) for _ in range(count)]


def random_prefix_change(randomness: random.Random):
    side = randomness.choice(["prefix_to_add", "prefix_to_remove"])
    prefix = randomness.choice([None, None, "model", "encoder"])
    return real.PrefixChange(**{side: randomness.choice(WORDS[:10])}, model_prefix=prefix)


def random_renaming(randomness: random.Random):
    return real.WeightRenaming(random_patterns(randomness, PIECES, randomness.choice([1, 1, 1, 2, 3])), random_patterns(randomness, TARGETS, 1))


def random_group(randomness: random.Random):
    count = randomness.choice([1, 2, 2, 3])
    sources = [randomness.choice(["norm", "w1", "a", "0", "1", r"(\d+)", r"mlp\.(\w+)", r"layers?\.", "text$", r"(a)\.(\d+)"]) for _ in range(count)]
    targets = [randomness.choice(["norm", "w1", "a", "1", "10", r"\1", r"mlp.\1", "layer.", "text", r"\2.\1", "mlp"]) for _ in range(count)]
    return real.GroupWeightRename(sources, targets)


def random_shift(randomness: random.Random):
    source = randomness.choice([r"layers\.(\d+)", r"(\d+)", r"^model\.(\d+)\.", r"w(\d+)", r"layer\.(\w+)"])
    return real.Inkling2IndexOffsetWeightRename(source, randomness.choice([r"layers.\1", r"\1", r"x\1."]), randomness.randrange(-2, 12))


def random_operations(randomness: random.Random) -> list:
    dim = randomness.randrange(0, 2)
    return randomness.choice(
        [
            [real.MergeModulelist(dim=dim)],
            [real.Chunk(dim=dim)],
            [real.Concatenate(dim=dim)],
            [real.MergeModulelist(dim=dim), real.Concatenate(dim=1)],
            [real.Transpose(0, 1)],
            [real.SplitModulelist(dim=dim)],
        ]
    )


def random_converter(randomness: random.Random):
    sources, targets = randomness.choice([(1, 1), (1, 2), (2, 1), (3, 1), (1, 3), (2, 2)])
    named = [*TARGETS, "mlp.experts.gate_up_proj", "norm", r"layers.\1"]
    pieces = [*PIECES, "mlp.experts.*.w1", r"experts\.", "*.norm"]
    return real.WeightConverter(random_patterns(randomness, pieces, sources), random_patterns(randomness, named, targets), random_operations(randomness))


KINDS = [random_prefix_change] * 4 + [random_renaming] * 8 + [random_group] * 3 + [random_shift] + [random_converter] * 5


def random_transform(randomness: random.Random):
    """A transform of the real package, or None where its constructor refuses the arguments."""
    try:
        transform = randomness.choice(KINDS)(randomness)
    except Exception:
        return None
    if randomness.random() < 0.25:
        transform.scope_prefix = randomness.choice(["", "model", "text", "vision_model.encoder"])
        transform.base_model_prefix = randomness.choice(["", "model"])
    return transform


def is_stateful(transforms: list) -> bool:
    return any(isinstance(transform, real.GroupWeightRename) for transform in transforms)


def real_names(transforms: list, keys: list[str], reverse: bool) -> dict[str, tuple] | None:
    """What the real classes make of the keys, with the converter that fired; None where they raise (a group that took no part, say)."""
    renamings = [transform for transform in transforms if isinstance(transform, real.WeightRenaming)]
    converters = [transform for transform in transforms if isinstance(transform, real.WeightConverter)]
    try:
        if is_stateful(transforms):
            keys = sorted(keys, key=real.dot_natural_key)
        return {key: real.rename_source_key(key, renamings, converters, reverse=reverse) for key in keys}
    except Exception:
        return None


class Random(Case):
    def names(self, rules: list, keys: list[str], *options) -> tuple[dict[str, tuple], list[bool]] | None:
        """What keyshift makes of the keys, and used-flags; None where it refuses the rules or a result."""
        path = self.write_json("rules.json", rules)
        run = keyshift("rename", "--json", "--transforms", path, *options, stdin=json.dumps(keys).encode(), code=None)
        if run.returncode == 3:
            return None
        self.assertIn(run.returncode, (0, 1), run.stderr.decode())
        shown = json.loads(run.stdout)
        return {key["from"]: (key["to"], key["converter"]) for key in shown["keys"]}, shown["used"]

    def both(self, direction: str):
        randomness = random.Random(SEED)
        compared = refused = 0
        while compared < ROUNDS:
            transforms = [t for t in (random_transform(randomness) for _ in range(randomness.randrange(1, 6))) if t]
            rules = [export_transforms.describe_transform(t) for t in transforms]
            keys = list(dict.fromkeys(random_key(randomness) for _ in range(40)))
            if is_stateful(transforms):  # the loader sorts these keys, and fails on digits that are no numbers
                keys = [key for key in keys if "²" not in key]
            if direction == "save":
                try:
                    transforms = [copy.deepcopy(t).reverse_transform() for t in reversed(transforms)]
                except Exception:
                    transforms = []
            expected = real_names(transforms, keys, direction == "save") if transforms else None
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
                self.assertEqual(got[0], expected)
                self.assertEqual(got[1], used[::-1] if direction == "save" else used)
            compared += 1

    def test_load_gives_the_names_and_used_flags_of_the_real_classes(self):
        self.both("load")

    def test_save_gives_the_names_and_used_flags_of_the_real_reversal(self):
        self.both("save")
