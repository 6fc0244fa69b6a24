"""Tensors as (dtype, shape, bytes), however they were read, so that they can be compared to the last bit."""

import json
import pathlib

import safetensors
import torch

Table = dict[str, tuple[str, tuple[int, ...], bytes]]


def bits(tensor: torch.Tensor) -> tuple[str, tuple[int, ...], bytes]:
    flat = tensor.detach().contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return str(tensor.dtype), tuple(tensor.shape), raw


def of_state_dict(state_dict: dict[str, torch.Tensor]) -> Table:
    return {key: bits(tensor) for key, tensor in state_dict.items()}


def of_file(path: pathlib.Path) -> Table:
    """Through the real library's own reader."""
    with safetensors.safe_open(path, framework="pt") as file:
        return {key: bits(file.get_tensor(key)) for key in file.keys()}


def shards_of(checkpoint: pathlib.Path) -> list[pathlib.Path]:
    if checkpoint.is_file():
        return [checkpoint]
    return sorted(checkpoint.glob("*.safetensors"))


def of_checkpoint(checkpoint: pathlib.Path) -> Table:
    """All shards; where there is an index, it must name every tensor with its shard and the right total."""
    table: Table = {}
    places = {}
    for shard in shards_of(checkpoint):
        for key, tensor in of_file(shard).items():
            assert key not in table, f"{key} is in two shards"
            table[key] = tensor
            places[key] = shard.name
    index = checkpoint / "model.safetensors.index.json"
    if checkpoint.is_dir() and index.exists():
        content = json.loads(index.read_text())
        assert content["weight_map"] == places, f"{index} does not say where the tensors are"
        total = sum(len(raw) for _, _, raw in table.values())
        assert content["metadata"]["total_size"] == total, f"{index}: total_size is not {total}"
    return table


def raw_of_file(path: pathlib.Path) -> Table:
    """Through the real library, for dtypes that torch does not know."""
    return {
        key: (entry["dtype"], tuple(entry["shape"]), bytes(entry["data"]))
        for key, entry in safetensors.deserialize(path.read_bytes())
    }
