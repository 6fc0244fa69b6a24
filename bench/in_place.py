#!/usr/bin/env python3
"""Whole processes that convert a sparse terabyte in place: 163 shards with the 91,985 keys of a DeepSeek-V3, headers and index as
the hub has them, data sections that are holes. Until everything is on the disk; the answer is checked first.

    python3 bench/in_place.py build-bench/tools/keyshift [--rounds 5] [--folder DIR]

Two renamings: one whose names fit into the old headers (each is overwritten), one whose names do not (blocks are inserted
before the data, or a new file shares them). Prints a table: medians, from – to, CPU time, peak memory of the process."""

import argparse
import json
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SHARDS = 163
RENAMINGS = {
    "names that fit: headers overwritten": [r"^model\.layers=>m.l"],
    "longer names: blocks inserted or shared": ["^model=>model.language_model"],
}


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
            header, end = {"__metadata__": {"format": "pt"}}, 0
            for key, shape in tensors[len(tensors) * shard // SHARDS : len(tensors) * (shard + 1) // SHARDS]:
                size = 2
                for length in shape:
                    size *= length
                header[key] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
                end += size
                weight_map[key] = name
            text = json.dumps(header, separators=(",", ":")).encode()
            text += b" " * (-len(text) % 8)
            self.files[name] = (struct.pack("<Q", len(text)) + text, 8 + len(text) + end)
            self.data_bytes += end
        self.header_bytes = sum(len(header) for header, _ in self.files.values())
        index = {"metadata": {"total_size": self.data_bytes}, "weight_map": weight_map}
        self.index = json.dumps(index, indent=2, sort_keys=True) + "\n"

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


def run(keyshift: str, folder: pathlib.Path, rules: list[str]) -> tuple[float, float, int]:
    """Seconds, seconds of CPU, peak memory in KiB."""
    renames = [word for rule in rules for word in ("--rename", rule)]
    # Through time(1): a child's maximum resident set starts with its parent's, and that one is small.
    with tempfile.NamedTemporaryFile("r") as told:
        command = ["/usr/bin/time", "-f", "%U %S %M", "-o", told.name, keyshift, "convert", "-q", "--in-place", folder, *renames]
        began = time.perf_counter()
        subprocess.run([str(word) for word in command], check=True)
        seconds = time.perf_counter() - began
        user, system, peak = told.read().split()
    return seconds, float(user) + float(system), int(peak)


def check_answer(keyshift: str, checkpoint: SparseCheckpoint, folder: pathlib.Path, rules: list[str]) -> None:
    checkpoint.write(folder)
    run(keyshift, folder, rules)
    shown = json.loads(subprocess.run([keyshift, "inspect", "--json", folder], check=True, capture_output=True).stdout)
    renames = [word for rule in rules for word in ("--rename", rule)]
    old = "".join(key + "\n" for key, _ in deepseek_tensors())
    answer = subprocess.run([keyshift, "rename", *renames], input=old, capture_output=True, text=True, check=True).stdout
    expected = [line.split("\t")[1] for line in answer.splitlines()]
    found = [tensor["key"] for shard in shown["shards"] for tensor in shard["tensors"]]
    if found != expected or found == old.splitlines():
        sys.exit("the keys are not what they should be")
    for name, (header, size) in checkpoint.files.items():
        with open(folder / name, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
        if (folder / name).stat().st_size - length != size - (len(header) - 8):
            sys.exit(f"{name} has another data section")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keyshift")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=pathlib.Path, help="where to work (default: the temporary folder)")
    options = parser.parse_args()
    keyshift = str(pathlib.Path(options.keyshift).resolve())
    checkpoint = SparseCheckpoint()
    print(f"{checkpoint.keys:,} keys in {SHARDS} shards of {checkpoint.data_bytes / 1e12:.2f} TB (sparse), headers of "
          f"{checkpoint.header_bytes / 1e6:.1f} MB; {options.rounds} rounds, medians\n")  # fmt: skip
    print("| what | time | from – to | CPU | peak memory |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="keyshift-in-place-", dir=options.folder) as work:
        folder = pathlib.Path(work) / "checkpoint"
        for what, rules in RENAMINGS.items():
            check_answer(keyshift, checkpoint, folder, rules)
            rounds = []
            for _ in range(options.rounds):
                checkpoint.write(folder)
                rounds.append(run(keyshift, folder, rules))
            seconds, cpu, peak = zip(*rounds)
            print(f"| in place, {what} | {statistics.median(seconds):.3f} s | {min(seconds):.3f} – {max(seconds):.3f} s |"
                  f" {statistics.median(cpu):.3f} s | {max(peak) / 1024:.0f} MiB |", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
