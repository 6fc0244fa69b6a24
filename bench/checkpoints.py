"""Checkpoints to measure with: as many of Llama-3-8B's tensors as fit, of random bytes; and a terabyte with the keys of a
DeepSeek-V3, headers and index as the hub has them, data sections that are holes."""

import hashlib
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys

SHARDS = 163  # of the sparse one


def llama_tensors():
    """Llama-3-8B's tensors in the order of its shards, BF16."""
    yield "model.embed_tokens.weight", (128256, 4096)
    for layer in range(32):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (4096,)
        yield at + "mlp.down_proj.weight", (4096, 14336)
        yield at + "mlp.gate_proj.weight", (14336, 4096)
        yield at + "mlp.up_proj.weight", (14336, 4096)
        yield at + "post_attention_layernorm.weight", (4096,)
        yield at + "self_attn.k_proj.weight", (1024, 4096)
        yield at + "self_attn.o_proj.weight", (4096, 4096)
        yield at + "self_attn.q_proj.weight", (4096, 4096)
        yield at + "self_attn.v_proj.weight", (1024, 4096)
    yield "model.norm.weight", (4096,)
    yield "lm_head.weight", (128256, 4096)


def split(limit: int, shard_limit: int) -> list[list[tuple[str, tuple, int]]]:
    """The first tensors up to `limit` bytes in all, in shards of at most `shard_limit`."""
    shards, total, room = [[]], 0, shard_limit
    for key, shape in llama_tensors():
        size = 2 * math.prod(shape)
        if total + size > limit:
            break
        if size > room and shards[-1]:
            shards.append([])
            room = shard_limit
        shards[-1].append((key, shape, size))
        total, room = total + size, room - size
    return shards


def shard_header(tensors: list) -> tuple[bytes, int]:
    """The first bytes of a shard with these (key, shape) in BF16, and the length of the data behind them."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for key, shape, *_ in tensors:
        size = 2 * math.prod(shape)
        header[key] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, end


def index_of(weight_map: dict, total: int) -> str:
    return json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2, sort_keys=True) + "\n"


def write_checkpoint(folder: pathlib.Path, gib: float) -> int:
    """Random data, real headers, an index; returns the number of tensor bytes."""
    folder.mkdir()
    shards = split(int(gib * 2**30), 2**30)
    if not shards[0]:
        sys.exit(f"no tensor fits into {gib} GiB; the first has 0.98")
    weight_map, total = {}, 0
    for number, tensors in enumerate(shards, 1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        weight_map |= {key: name for key, _, _ in tensors}
        header, end = shard_header(tensors)
        with open(folder / name, "wb") as file:
            file.write(header)
            for start in range(0, end, 1 << 24):
                file.write(os.urandom(min(1 << 24, end - start)))
        total += end
    (folder / "model.safetensors.index.json").write_text(index_of(weight_map, total))
    (folder / "config.json").write_text('{"model_type": "llama"}\n')
    subprocess.run(["sync", "-f", folder], check=True)
    return total


def data_digests(folder: pathlib.Path) -> list[str]:
    """Of the data section of each shard."""
    found = []
    for shard in sorted(folder.glob("*.safetensors")):
        with open(shard, "rb") as file:
            file.seek(8 + struct.unpack("<Q", file.read(8))[0])
            found.append(hashlib.file_digest(file, "blake2b").hexdigest())
    return found


def deepseek_tensors():
    """Key and shape of every tensor."""
    hidden, expert, dense = 7168, 2048, 18432
    yield "model.embed_tokens.weight", [129280, hidden]

    def scaled(name, shape):
        yield f"{name}.weight", shape
        yield f"{name}.weight_scale_inv", [(shape[0] + 127) // 128, (shape[1] + 127) // 128]

    def mlp(name, width):
        for part, shape in (("gate_proj", [width, hidden]), ("up_proj", [width, hidden]), ("down_proj", [hidden, width])):
            yield from scaled(f"{name}.{part}", shape)

    for layer in range(62):
        at = f"model.layers.{layer}"
        yield f"{at}.input_layernorm.weight", [hidden]
        yield from scaled(f"{at}.self_attn.q_a_proj", [1536, hidden])
        yield f"{at}.self_attn.q_a_layernorm.weight", [1536]
        yield from scaled(f"{at}.self_attn.q_b_proj", [24576, 1536])
        yield from scaled(f"{at}.self_attn.kv_a_proj_with_mqa", [576, hidden])
        yield f"{at}.self_attn.kv_a_layernorm.weight", [512]
        yield from scaled(f"{at}.self_attn.kv_b_proj", [32768, 512])
        yield from scaled(f"{at}.self_attn.o_proj", [hidden, 16384])
        yield f"{at}.post_attention_layernorm.weight", [hidden]
        if layer < 3:
            yield from mlp(f"{at}.mlp", dense)
            continue
        yield f"{at}.mlp.gate.weight", [256, hidden]
        yield f"{at}.mlp.gate.e_score_correction_bias", [256]
        for number in range(256):
            yield from mlp(f"{at}.mlp.experts.{number}", expert)
        yield from mlp(f"{at}.mlp.shared_experts", expert)
    yield "model.norm.weight", [hidden]
    yield "lm_head.weight", [129280, hidden]


class SparseCheckpoint:
    """Kept in memory, written as often as a round needs a fresh one."""

    def __init__(self):
        tensors = list(deepseek_tensors())
        self.keys, self.data_bytes, self.files, weight_map = len(tensors), 0, {}, {}
        for shard in range(SHARDS):
            name = f"model-{shard + 1:05d}-of-{SHARDS:06d}.safetensors"
            own = tensors[len(tensors) * shard // SHARDS : len(tensors) * (shard + 1) // SHARDS]
            weight_map |= {key: name for key, _ in own}
            header, end = shard_header(own)
            self.files[name] = (header, len(header) + end)
            self.data_bytes += end
        self.header_bytes = sum(len(header) for header, _ in self.files.values())
        self.index = index_of(weight_map, self.data_bytes)

    def __str__(self) -> str:
        return (
            f"{self.keys:,} keys in {SHARDS} shards of {self.data_bytes / 1e12:.2f} TB (sparse), headers of {self.header_bytes / 1e6:.1f} MB"
        )

    def write(self, folder: pathlib.Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, (header, size) in self.files.items():
            with open(folder / name, "wb") as file:
                file.write(header)
                file.truncate(size)
        (folder / "model.safetensors.index.json").write_text(self.index)
        (folder / "config.json").write_text('{"model_type": "deepseek_v3"}\n')
        subprocess.run(["sync", "-f", folder], check=True)

    def check(self, keyshift: str, folder: pathlib.Path, renames: list[str]) -> None:
        """Exits unless `folder` has all tensors under their new names, and shards with as much data as before."""
        shown = json.loads(subprocess.run([keyshift, "inspect", "--json", folder], check=True, capture_output=True).stdout)
        old = "".join(key + "\n" for key, _ in deepseek_tensors())
        answer = subprocess.run([keyshift, "rename", *renames], input=old, capture_output=True, text=True, check=True).stdout
        expected = [line.split("\t")[1] for line in answer.splitlines()]
        found = [tensor["key"] for shard in shown["shards"] for tensor in shard["tensors"]]
        if found != expected or found == old.splitlines():
            sys.exit("the keys are not what they should be")
        for name, (header, size) in self.files.items():
            with open(folder / name, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
            if (folder / name).stat().st_size - (8 + length) != size - len(header):
                sys.exit(f"{name} has another data section")
