"""Mappings of other tools, random ones, against what those tools do with them.

transformers' is the real one, and PEFT's is in peft_test.py. vLLM and SGLang are too large to be peers here: what their
released packages do (vLLM 0.33.0, SGLang 0.5.23) is said here once more in plain Python.
"""

import json
import random
import re

import models
from program import Case, keyshift
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightRenaming, rename_source_key

SEED = 4
ROUNDS = 150
WORDS = ["model", "lm", "lm_head", "layers", "weight", "w", "0", "10", "0²", "é", "a", "a.a", "_x", "norm", "base_model", "model.model"]
PATTERNS = [r"^model", r"\d+", r"(\d+)", r"\.w$", "lm", r"(a)(b)?", "x*", r"(?<=\.)", r"^", r"layers\.(?P<n>\d+)", "é", "[.]", r"a|", r"\b"]
TEMPLATES = ["", "x", "model.", r"\g<0>y", r"<\g<0>>", "\\\\", r"\t", r"q\.", "é"]


def random_key(randomness: random.Random) -> str:
    return ".".join(randomness.choices(WORDS, k=randomness.randrange(1, 6)))


def random_texts(randomness: random.Random, drops: bool) -> dict:
    texts = [*WORDS, "l", "model.", ".weight", "", "lm.", "[", "\\1", "^", "."]
    new = [*WORDS, "", "\\1", "\\g<0>", ".", "model.", *([None] if drops else [])]
    return {randomness.choice(texts): randomness.choice(new) for _ in range(randomness.randrange(0, 4))}


def random_patterns(randomness: random.Random, drops: bool) -> dict:
    new = [*TEMPLATES, *([None] if drops else [])]
    return {randomness.choice(PATTERNS): randomness.choice(new) for _ in range(randomness.randrange(0, 4))}


# How a text is found in a key and replaced there, by the place where it is looked for.
PLACES = {
    "orig_to_new_substr": (lambda key, old: old in key, lambda key, old, new: key.replace(old, new, 1)),
    "orig_to_new_prefix": (str.startswith, lambda key, old, new: new + key[len(old) :]),
    "orig_to_new_suffix": (str.endswith, lambda key, old, new: key[: len(key) - len(old)] + new),
}


def vllm(mapper: dict, key: str) -> str | None:
    for renaming in mapper["orig_to_new_renaming"]:
        key = rename_source_key(key, [WeightRenaming(**renaming)], [])[0]
    for pattern, new in mapper["orig_to_new_regex"].items():
        if re.search(pattern, key):
            if new is None:
                return None
            key = re.sub(pattern, new, key)
    for name, (found, replaced) in PLACES.items():
        for old, new in mapper[name].items():
            if found(key, old):
                if new is None:
                    return None
                key = replaced(key, old, new)
    return key


def sglang(mapper: dict, key: str) -> str | None:
    for name, (found, replaced) in PLACES.items():
        for old, new in sorted(mapper[name].items(), key=lambda entry: -len(entry[0])):
            if found(key, old):
                if new is None:
                    return None
                key = replaced(key, old, new)
                break
    return key


class Dialects(Case):
    def names(self, file: dict, keys: list[str]) -> list[str | None] | None:
        """What keyshift makes of the keys; None where a new name is none that a file could hold."""
        path = self.write_json("mapping.json", file)
        run = keyshift("rename", "--json", "--compare", "--transforms", path, stdin=json.dumps(keys).encode(), code=None)
        if run.returncode == 3 and b"would be renamed to nothing" in run.stderr:
            return None
        self.assertIn(run.returncode, (0, 1), run.stderr.decode())
        return [key["to"] for key in json.loads(run.stdout)["keys"]]

    def check(self, make, expected):
        randomness = random.Random(SEED)
        compared = 0
        while compared < ROUNDS:
            file = make(randomness)
            keys = list(dict.fromkeys(random_key(randomness) for _ in range(40)))
            got = self.names(file, keys)
            if got is None:
                continue
            with self.subTest(file=file):
                self.assertEqual(dict(zip(keys, got)), {key: expected(file, key) for key in keys})
            compared += 1

    def test_key_mapping_of_transformers(self):
        """a key_mapping of transformers is what from_pretrained makes of it"""
        model = models.llama()

        def make(randomness):
            mapping = {randomness.choice([*PATTERNS[:5], "norm", "lm"]): randomness.choice(WORDS) for _ in range(3)}
            return {"dialect": "transformers-key-mapping", "key_mapping": mapping}

        def expected(file, key):
            return rename_source_key(key, get_model_conversion_mapping(model, file["key_mapping"], add_legacy=False), [])[0]

        self.check(make, expected)

    def test_weights_mapper_of_vllm(self):
        """a WeightsMapper of vLLM: every entry in its order, class after class"""

        def make(randomness):
            renamings = [{"source_patterns": ["layers", "norm"], "target_patterns": ["blocks"]}] if randomness.random() < 0.3 else []
            mapper = {name: random_texts(randomness, drops=True) for name in PLACES}
            mapper["orig_to_new_suffix"].pop("", None)
            regex = random_patterns(randomness, drops=True)
            return {"dialect": "vllm-weights-mapper", "orig_to_new_renaming": renamings, "orig_to_new_regex": regex, **mapper}

        self.check(make, vllm)

    def test_weights_mapper_of_sglang(self):
        """a WeightsMapper of SGLang: the longest entry of each class"""

        def make(randomness):
            mapper = {name: random_texts(randomness, drops=True) for name in PLACES}
            mapper["orig_to_new_suffix"].pop("", None)
            return {"dialect": "sglang-weights-mapper", **mapper}

        self.check(make, sglang)
