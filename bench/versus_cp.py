#!/usr/bin/env python3
"""keyshift convert beside cp and beside the safetensors library, in one run; prints a Markdown table.

    versus_cp.py KEYSHIFT [--gib 4] [--rounds 5] [--cold] [--peers PYTHON] [--folder DIR]

The checkpoint has Llama-3-8B's tensors, as many as fit, filled with random bytes. Every way starts from the same
source, alternates with the others, and is timed until its output is on the disk. Peak memory is the process's maximum
resident set (Debian's package time). `--peers` names a Python that has safetensors and torch, for load_file + save_file on half of the shards.
`--cold` empties the page cache before each (needs root).
"""

import argparse
import ctypes
import hashlib
import json
import math
import os
import pathlib
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

RENAME = ["--rename", r"^model\.layers=>model.language_model.layers"]


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


def write_checkpoint(folder: pathlib.Path, gib: float) -> int:
    """Random data, real headers, an index; returns the number of tensor bytes."""
    folder.mkdir()
    shards = split(int(gib * 2**30), 2**30)
    weight_map, total = {}, 0
    for number, tensors in enumerate(shards, 1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        header, end = {"__metadata__": {"format": "pt"}}, 0
        for key, shape, size in tensors:
            header[key] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size]}
            weight_map[key] = name
            end += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / name, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for start in range(0, end, 1 << 24):
                file.write(os.urandom(min(1 << 24, end - start)))
        total += end
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    (folder / "config.json").write_text('{"model_type": "llama"}\n')
    subprocess.run(["sync", "-f", folder], check=True)
    return total


class Meter:
    """Runs one way of copying, as often as asked, and keeps what it took."""

    def __init__(self, name: str, command: list, target: pathlib.Path, size: int):
        self.name, self.command, self.target, self.size = name, [str(word) for word in command], target, size
        self.seconds: list[float] = []
        self.peak = 0  # KiB

    def run(self, cold: bool) -> None:
        shutil.rmtree(self.target, ignore_errors=True)
        os.sync()
        if cold:
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        # Through time(1): a child's maximum resident set starts with its parent's, and that one is small.
        with tempfile.NamedTemporaryFile("r") as peak:
            started = time.perf_counter()
            ended = subprocess.run(["/usr/bin/time", "-f", "%M", "-o", peak.name, *self.command], stdout=subprocess.DEVNULL)
            self.seconds.append(time.perf_counter() - started)
            if ended.returncode != 0:
                sys.exit(f"{' '.join(self.command)} failed")
            self.peak = max(self.peak, int(peak.read()))

    def median(self) -> float:
        return statistics.median(self.seconds)

    def row(self, reference: float) -> str:
        low, high = min(self.seconds), max(self.seconds)
        return (
            f"| {self.name} | {self.size / 2**30:.2f} GiB | {self.median():.2f} s | {low:.2f} – {high:.2f} s |"
            f" {self.size / self.median() / 1e9:.2f} GB/s | {self.peak / 1024:.0f} MiB | {self.median() / reference:.2f} |"
        )


def data_digests(folder: pathlib.Path) -> list[str]:
    """Of the data section of each shard."""
    found = []
    for shard in sorted(folder.glob("*.safetensors")):
        with open(shard, "rb") as file:
            file.seek(8 + struct.unpack("<Q", file.read(8))[0])
            found.append(hashlib.file_digest(file, "blake2b").hexdigest())
    return found


def check_answer(keyshift: str, source: pathlib.Path, target: pathlib.Path) -> None:
    """The answer is checked before anything is timed."""
    subprocess.run([keyshift, "convert", "-q", source, target, *RENAME], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([keyshift, "verify", "-q", source, target, *RENAME], check=True, stdout=subprocess.DEVNULL)
    if data_digests(source) != data_digests(target):
        sys.exit("the data sections differ")


def memcpy_rate() -> float:
    """Bytes a second of memmove on one core, 512 MiB, median of five."""
    size = 512 << 20
    source, target = ctypes.create_string_buffer(os.urandom(1 << 20) * 512, size), ctypes.create_string_buffer(size)
    rates = []
    for _ in range(6):
        started = time.perf_counter()
        ctypes.memmove(target, source, size)
        rates.append(size / (time.perf_counter() - started))
    return statistics.median(rates[1:])


LOAD_AND_SAVE = """
import pathlib, shutil, sys
from safetensors.torch import load_file, save_file
source, target = map(pathlib.Path, sys.argv[1:3])
target.mkdir()
for path in sorted(source.iterdir()):
    if path.suffix == ".safetensors":
        tensors = load_file(path)
        renamed = {key.replace("model.layers", "model.language_model.layers"): tensor for key, tensor in tensors.items()}
        save_file(renamed, target / path.name, metadata={"format": "pt"})
    else:
        shutil.copy(path, target / path.name)
"""


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, Linux {platform.release()}"


def file_system(folder: pathlib.Path) -> str:
    return subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout.strip()


def measure(options, folder: pathlib.Path) -> None:
    source, half = folder / "source", folder / "half"
    size = write_checkpoint(source, options.gib)
    check_answer(options.keyshift, source, folder / "checked")
    shutil.rmtree(folder / "checked")

    def copied(what, target):
        return ["sh", "-c", 'cp -r --reflink=never "$0" "$1" && sync -f "$1"', what, target]

    target = folder / "target"
    meters = [
        Meter("`cp -r --reflink=never` + `sync -f`", copied(source, target), target, size),
        Meter("`keyshift convert`, digests on", [options.keyshift, "convert", "-q", source, target, *RENAME], target, size),
        Meter("`keyshift convert --jobs 2`", [options.keyshift, "convert", "-q", "--jobs", "2", source, target, *RENAME], target, size),
    ]  # fmt: skip
    reading = [Meter("`keyshift roundtrip` (reads and digests)", [options.keyshift, "roundtrip", "-q", source, *RENAME], folder / "none", size)]
    halves = []
    if options.peers:
        half_size = write_checkpoint(half, options.gib / 2)
        halves = [
            Meter("`cp -r --reflink=never` + `sync -f`", copied(half, target), target, half_size),
            Meter("`keyshift convert`, digests on", [options.keyshift, "convert", "-q", half, target, *RENAME], target, half_size),
            Meter("safetensors `load_file` + `save_file` + `sync -f`",
                  ["sh", "-c", '"$0" -c "$1" "$2" "$3" && sync -f "$3"', options.peers, LOAD_AND_SAVE, half, target], target, half_size),
        ]  # fmt: skip
    for _ in range(options.rounds):
        for meter in meters + reading + halves:
            meter.run(options.cold)

    print(f"{machine()}; {file_system(folder)}; {'cold' if options.cold else 'warm'} page cache; {options.rounds} rounds, medians\n")
    print("| way | tensors | time | from – to | rate | peak memory | of cp |")
    print("|---|---|---|---|---|---|---|")
    for meter in meters + reading:
        print(meter.row(meters[0].median()))
    for meter in halves:
        print(meter.row(halves[0].median()))
    print(f"| memcpy, one core, in memory | 0.50 GiB | | | {memcpy_rate() / 1e9:.2f} GB/s | | |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keyshift")
    parser.add_argument("--gib", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--folder", type=pathlib.Path, help="where to work (default: the temporary folder)")
    options = parser.parse_args()
    options.keyshift = str(pathlib.Path(options.keyshift).resolve())
    with tempfile.TemporaryDirectory(prefix="keyshift-versus-", dir=options.folder) as folder:
        measure(options, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
