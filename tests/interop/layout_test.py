"""Layouts against the libraries that made them: the bytes that safetensors writes, the shards that huggingface_hub cuts."""

import json
import random

import huggingface_hub
import safetensors.torch
import tensors
import torch
from hub_test import llama_like
from program import Case, keyshift, keyshift_json
from safetensors_test import TORCH_DTYPES, random_tensor, with_header
from huggingface_hub.serialization._base import parse_size_to_int


def renamed(key: str) -> str:
    """What the rule below makes of a key: the order of keys changes."""
    return key.replace("model.layers", "zebra").replace("lm_head", "a_head")


RULES = ["--rename", r"^model\.layers=>zebra", "--rename", "^lm_head=>a_head"]


class Canonical(Case):
    def test_the_bytes_are_those_of_save_file_for_tensors_of_every_dtype(self):
        for seed in range(10):
            chance = random.Random(seed)
            state = {}
            for number in range(60):
                shape = tuple(chance.randrange(4) for _ in range(chance.randrange(4)))
                key = "".join(chance.choices('ab.01"\\é🦊_-\n', k=chance.randrange(1, 9))) + str(number)
                state[key] = random_tensor(chance.choice(TORCH_DTYPES), shape, number)
            header, data = {}, b""
            table = list(tensors.of_state_dict(state).items())
            library = self.folder / f"library{seed}.safetensors"
            safetensors.torch.save_file({"p/" + key: value for key, value in state.items()}, library, metadata={"format": "pt"})
            names = {key[2:]: entry[0] for key, entry in tensors.raw_of_file(library).items()}
            chance.shuffle(table)
            header["__metadata__"] = {"format": "pt"}
            for key, (_, shape, raw) in table:
                header[key] = {"dtype": names[key], "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
                data += raw
            source, out = self.folder / f"in{seed}.safetensors", self.folder / f"out{seed}.safetensors"
            source.write_bytes(with_header(header, data))
            keyshift("convert", source, out, "--rename", "^=>p/", "--layout", "canonical")
            keyshift("verify", source, out)
            with self.subTest(seed=seed):
                self.assertEqual(out.read_bytes(), library.read_bytes())

    def test_two_metadata_entries_stand_in_one_of_the_library_s_orders(self):
        state, metadata = {"b": torch.zeros(3), "a": torch.ones(2)}, {"format": "pt", "author": "Zoë"}
        library, source, out = (self.folder / f"{name}.safetensors" for name in ("library", "in", "out"))
        written = set()
        for _ in range(64):
            safetensors.torch.save_file(state, library, metadata=metadata)
            written.add(library.read_bytes())
        self.assertEqual(len(written), 2)
        safetensors.torch.save_file({"x." + key: value for key, value in state.items()}, source, metadata=metadata)
        keyshift("convert", source, out, "--remove-prefix", "x", "--layout", "canonical")
        self.assertIn(out.read_bytes(), written)

    def test_what_the_library_wrote_is_canonical_already(self):
        source, out = self.folder / "in.safetensors", self.folder / "out.safetensors"
        safetensors.torch.save_file(llama_like(), source)
        keyshift("convert", source, out, "--layout", "canonical")
        self.assertEqual(out.read_bytes(), source.read_bytes())


class Sharded(Case):
    def hub_saves(self, state: dict[str, torch.Tensor], folder, size: str) -> None:
        folder.mkdir()
        huggingface_hub.save_torch_state_dict(state, folder, max_shard_size=size)

    def assert_same_as_hub(self, source, out, hub) -> None:
        keyshift("verify", source, out)
        self.assertEqual([p.name for p in tensors.shards_of(out)], [p.name for p in tensors.shards_of(hub)])
        for shard in tensors.shards_of(hub):
            self.assertEqual((out / shard.name).read_bytes(), shard.read_bytes(), shard.name)
        index = "model.safetensors.index.json"
        self.assertEqual((out / index).exists(), (hub / index).exists())
        if (hub / index).exists():
            mine, theirs = (json.loads((folder / index).read_text()) for folder in (out, hub))
            self.assertEqual(mine, theirs)

    def test_shards_and_index_are_those_of_huggingface_hub_for_any_size(self):
        state = llama_like()
        source = self.folder / "source"
        self.hub_saves(state, source, "6KB")
        lying = [key for shard in tensors.shards_of(source) for key in order_of(shard)]
        self.assertNotEqual(lying, list(state))
        for size in ["1B" "KB", "0.5KB", "1KB", "2 kb", "3.3KB", "4.096KB", "5KB", "0.01MB", "1GB"]:
            hub, out = self.folder / f"hub-{size}", self.folder / f"out-{size}"
            if size == "1BKB":
                with self.assertRaises(ValueError):
                    parse_size_to_int(size)
                keyshift("convert", source, out, "--max-shard-size", size, code=2)
                continue
            self.hub_saves({renamed(key): state[key] for key in lying}, hub, size)
            keyshift("convert", source, out, *RULES, "--layout", "canonical", "--max-shard-size", size)
            with self.subTest(size=size):
                self.assert_same_as_hub(source, out, hub)

    def test_random_sizes_are_cut_alike(self):
        chance = random.Random(3)
        for number in range(12):
            state = {f"t{i:03}": torch.zeros(chance.choice([1, 3, 10, 40, 100]), dtype=torch.uint8) + i for i in range(40)}
            most = chance.randrange(1, 130)
            source = self.folder / f"in{number}.safetensors"
            safetensors.torch.save_file(state, source, metadata={"format": "pt"})
            hub, out = self.folder / f"hub{number}", self.folder / f"out{number}"
            self.hub_saves(state, hub, f"{most / 1000}KB")
            keyshift("convert", source, out, "--layout", "canonical", "--max-shard-size", f"{most / 1000}KB")
            with self.subTest(most=most):
                self.assert_same_as_hub(source, out, hub)

    def test_sizes_are_read_as_huggingface_hub_reads_them(self):
        source = self.folder / "in.safetensors"
        safetensors.torch.save_file({"a": torch.zeros(4)}, source)
        for text in ["5GB", "5gb", " 5 Gb ", "5.5MB", "5", "5GiB", "5 B", "", "GB", "1e3KB", "-1KB", ".5KB", "5.KB", "5PB"]:
            try:
                accepted = parse_size_to_int(text) >= 0
            except ValueError:
                accepted = False
            with self.subTest(text=text):
                done = keyshift("convert", source, self.folder / "out", "--dry-run", "--max-shard-size", text, code=None)
                self.assertEqual(done.returncode, 0 if accepted else 2, done.stderr)

    def test_the_layout_that_is_kept_lies_in_the_same_order_and_loads_alike(self):
        source, out, merged = self.folder / "source", self.folder / "out", self.folder / "one.safetensors"
        self.hub_saves(llama_like(), source, "6KB")
        keyshift("convert", source, out, *RULES, "--max-shard-size", "3KB")
        keyshift("convert", source, merged, *RULES)
        expected = {renamed(key): value for key, value in tensors.of_state_dict(llama_like()).items()}
        self.assertEqual(tensors.of_checkpoint(out), expected)
        self.assertEqual(tensors.of_file(merged), expected)
        lying = [renamed(key) for shard in tensors.shards_of(source) for key in order_of(shard)]
        self.assertEqual(order_of(merged), lying)

    def test_a_subset_is_what_python_s_re_chooses(self):
        source, out = self.folder / "source", self.folder / "out"
        self.hub_saves(llama_like(), source, "6KB")
        keyshift("convert", source, out, "--keep", r"layers\.[0-3]\.", "--keep", "head$", "--drop", "k_proj|down", code=0)
        chosen = {
            key: value
            for key, value in tensors.of_state_dict(llama_like()).items()
            if any(f"layers.{i}." in key for i in range(4)) and "k_proj" not in key and "down" not in key
        }
        self.assertEqual(tensors.of_checkpoint(out), chosen)


def order_of(path) -> list[str]:
    """Keys in the order in which their tensors lie."""
    [shard] = keyshift_json("inspect", path)["shards"]
    return [t["key"] for t in sorted(shard["tensors"], key=lambda t: t["data_offsets"])]
