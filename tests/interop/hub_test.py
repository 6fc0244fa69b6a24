"""Sharded checkpoints as the real huggingface_hub makes them."""

import json

import huggingface_hub
import safetensors.torch
import tensors
import torch
from program import Case, keyshift, keyshift_json


def llama_like(layers: int = 6) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"self_attn.q_proj": (16, 16), "self_attn.k_proj": (8, 16), "mlp.up_proj": (32, 16), "mlp.down_proj": (16, 32)}
    state = {"model.embed_tokens.weight": torch.randn(64, 16, generator=generator)}
    for layer in range(layers):
        for name, shape in shapes.items():
            state[f"model.layers.{layer}.{name}.weight"] = torch.randn(shape, generator=generator).bfloat16()
    state["lm_head.weight"] = torch.randn(64, 16, generator=generator)
    return state


def module_with(state: dict[str, torch.Tensor]) -> torch.nn.Module:
    """A module whose state dict has these keys."""
    root = torch.nn.Module()
    for key, tensor in state.items():
        *path, name = key.split(".")
        place = root
        for part in path:
            if part not in dict(place.named_children()):
                place.add_module(part, torch.nn.Module())
            place = place.get_submodule(part)
        place.register_buffer(name, tensor)
    return root


class Sharded(Case):
    def setUp(self):
        super().setUp()
        self.state = llama_like()
        self.source = self.folder / "source"
        self.source.mkdir()

    def save(self, max_shard_size: str) -> None:
        """As huggingface_hub's documentation has it: split, one file a shard, the index."""
        split = huggingface_hub.split_torch_state_dict_into_shards(self.state, max_shard_size=max_shard_size)
        for name, keys in split.filename_to_tensors.items():
            shard = {key: self.state[key].contiguous() for key in keys}
            safetensors.torch.save_file(shard, self.source / name, metadata={"format": "pt"})
        if split.is_sharded:
            index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
            (self.source / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))

    def expected(self) -> tensors.Table:
        return {key.replace("model.", "", 1): value for key, value in tensors.of_state_dict(self.state).items()}

    def test_every_shard_and_the_index_carry_the_new_names(self):
        self.save("4KB")
        self.assertGreater(len(tensors.shards_of(self.source)), 4)
        out = self.folder / "out"
        keyshift("convert", self.source, out, "--remove-prefix", "model")
        keyshift("verify", self.source, out, "--remove-prefix", "model")
        self.assertEqual(tensors.of_checkpoint(out), self.expected())
        self.assertEqual([p.name for p in tensors.shards_of(out)], [p.name for p in tensors.shards_of(self.source)])

    def test_the_index_is_written_as_transformers_writes_it(self):
        self.save("4KB")
        out = self.folder / "out"
        keyshift("convert", self.source, out, "--remove-prefix", "model")
        text = (out / "model.safetensors.index.json").read_text()
        self.assertEqual(text, json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n")

    def test_huggingface_hub_loads_the_result_into_a_module(self):
        self.save("4KB")
        out = self.folder / "out"
        keyshift("convert", self.source, out, "--rename", r"^model\.layers=>blocks", "--rename", r"^model\.=>")
        expected = {
            key.replace("model.layers", "blocks").removeprefix("model."): tensor for key, tensor in self.state.items()
        }
        module = module_with({key: torch.zeros_like(tensor) for key, tensor in expected.items()})
        loaded = huggingface_hub.load_torch_model(module, out)
        self.assertEqual((list(loaded.missing_keys), list(loaded.unexpected_keys)), ([], []))
        self.assertEqual(tensors.of_state_dict(module.state_dict()), tensors.of_state_dict(expected))

    def test_one_shard_has_no_index(self):
        self.save("1GB")
        out = self.folder / "out"
        keyshift("convert", self.source, out, "--remove-prefix", "model")
        self.assertEqual(tensors.of_checkpoint(out), self.expected())
        self.assertFalse((out / "model.safetensors.index.json").exists())

    def test_a_round_trip_gives_the_same_files(self):
        self.save("4KB")
        result = keyshift("roundtrip", self.source, "--rename", r"^model\.layers=>blocks")
        self.assertEqual(result.returncode, 0)

    def test_two_jobs_write_the_same_bytes_as_one(self):
        self.save("4KB")
        outs = [self.folder / f"out{jobs}" for jobs in (1, 2)]
        for jobs, out in zip((1, 2), outs):
            keyshift("convert", self.source, out, "--remove-prefix", "model", "--jobs", jobs)
        for one in sorted(outs[0].iterdir()):
            self.assertEqual(one.read_bytes(), (outs[1] / one.name).read_bytes(), one.name)

    def test_inspect_counts_the_shards(self):
        self.save("4KB")
        shown = keyshift_json("inspect", self.source)
        self.assertEqual([s["file"] for s in shown["shards"]], [p.name for p in tensors.shards_of(self.source)])
        self.assertEqual({t["key"] for s in shown["shards"] for t in s["tensors"]}, set(self.state))
