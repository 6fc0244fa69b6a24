"""Key mappings of adapters against the real PEFT: its own reader of an adapter's file, with random mappings."""

import json
import os
import random
import re
import warnings

import torch
from peft.utils.save_and_load import load_peft_weights
from program import Case, keyshift
from safetensors.torch import save_file

SEED = 44
ROUNDS = 4000 if os.environ.get("KEYSHIFT_TEST_ALL") else 300
WORDS = ["model", "lm_head", "layers", "weight", "w", "0", "10", "0²", "é", "a", "a.a", "_x", "norm", "base_model", "model.model", "lora_A", "q_proj"]
PATTERNS = [
    r"^model", r"\d+", r"(\d+)", r"\.w$", "lm", r"(a)(b)?", "x*", r"(?<=\.)", r"^", r"layers\.(?P<n>\d+)", "é", "[.]", r"a|", r"\b", r"\w+$",
    r"(?i)MODEL", r"^base_model\.", r"(\w)\1", "lora_A|lora_B", r"(?!model)l", "", r"\Z", r"[^.]+\.",
]  # fmt: skip
TEMPLATES = ["", "x", "model.", r"\g<0>y", r"<\g<0>>", "\\\\", r"q\.", "é", r"\1", r"\g<1>.\g<1>", r"\g<n>", "\\", r"\d", r"\07", r"\g<2>"]
PREFIXES = ["base_model.model.", "base_model.model.", "base_model.", "base_model.model.model."]


def random_mapping(randomness: random.Random) -> dict[str, str]:
    return {randomness.choice(PATTERNS): randomness.choice(TEMPLATES) for _ in range(randomness.randrange(1, 5))}


def random_key(randomness: random.Random) -> str:
    return randomness.choice(PREFIXES) + ".".join(randomness.choices(WORDS, k=randomness.randrange(1, 6)))


class Peft(Case):
    def real_names(self, keys: list[str], mapping: dict[str, str]) -> dict[str, int]:
        """Under which name PEFT gives which of the keys; of those that become one, the last in the file."""
        save_file({key: torch.tensor([number]) for number, key in enumerate(keys)}, self.folder / "adapter_model.safetensors")
        loaded = load_peft_weights(str(self.folder), device="cpu", key_mapping=mapping)
        return {name: int(tensor) for name, tensor in loaded.items()}

    def names(self, keys: list[str], mapping: dict[str, str]) -> list[str] | None:
        """What keyshift makes of the keys; None where it refuses."""
        path = self.write_json("mapping.json", {"dialect": "peft-key-mapping", "key_mapping": mapping})
        run = keyshift("rename", "--json", "--transforms", path, stdin=json.dumps(keys).encode(), code=None)
        if run.returncode == 3:
            return None
        self.assertIn(run.returncode, (0, 1), run.stderr.decode())
        return [key["to"] for key in json.loads(run.stdout)["keys"]]

    def test_key_mappings_give_the_names_under_which_the_real_package_loads(self):
        randomness = random.Random(SEED)
        compared = refused = 0
        while compared < ROUNDS:
            mapping = random_mapping(randomness)
            keys = list(dict.fromkeys(random_key(randomness) for _ in range(20)))
            try:
                with warnings.catch_warnings(action="ignore"):  # of escapes that a later Python may refuse
                    expected = self.real_names(keys, mapping)
            except (re.error, IndexError):
                expected = None
            with self.subTest(mapping=mapping, keys=keys):
                got = self.names(keys, mapping)
                if got is None and expected is not None:  # what no key comes to is refused here all the same
                    refused += 1
                    self.assertLess(refused, 20 + compared // 4)
                    continue
                if expected is None:
                    self.assertIsNone(got)
                    continue
                self.assertEqual(set(got), set(expected))
                self.assertEqual({name: got[number] for name, number in expected.items()}, {name: name for name in expected})
            compared += 1

    def test_a_key_without_the_prefix_of_adapters_is_refused_as_by_the_real_package(self):
        with self.assertRaises(ValueError):
            self.real_names(["model.a"], {"a": "b"})
        path = self.write_json("mapping.json", {"dialect": "peft-key-mapping", "key_mapping": {"a": "b"}})
        ended = keyshift("rename", "--transforms", path, stdin=b"model.a\n", code=3)
        self.assertIn(b"the keys of an adapter begin with base_model., and PEFT loads none that does not", ended.stderr)
