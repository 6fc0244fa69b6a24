#!/usr/bin/env python3
"""keyshift convert beside cp and beside the safetensors library, in one run; prints a Markdown table.

    versus_cp.py KEYSHIFT [--gib 4] [--rounds 5] [--cold] [--peers PYTHON] [--folder DIR] [--json FILE]

The checkpoint has Llama-3-8B's tensors, as many as fit, filled with random bytes. Every way starts from the same
source, alternates with the others, and is timed until its output is on the disk. Peak memory is the process's maximum
resident set (Debian's package time). `--peers` names a Python that has safetensors and torch, for load_file + save_file on half of the shards.
`--cold` empties the page cache before each (needs root).
"""

import argparse
import ctypes
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from checkpoints import data_digests, write_checkpoint
from measure import Meter, file_system, machine, options_parser, table, write_json

RENAME = ["--rename", r"^model\.layers=>model.language_model.layers"]


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


def row(meter: Meter, reference: Meter) -> str:
    return (
        f"| {meter.name} | {meter.size / 2**30:.2f} GiB | {meter.time()} | {meter.range()} |"
        f" {meter.size / meter.median() / 1e9:.2f} GB/s | {meter.peak_mib():.0f} MiB | {meter.median() / reference.median():.2f} |"
    )


def measure(options: argparse.Namespace, folder: pathlib.Path) -> None:
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
        print(row(meter, meters[0]))
    for meter in halves:
        print(row(meter, halves[0]))
    print(f"| memcpy, one core, in memory | 0.50 GiB | | | {memcpy_rate() / 1e9:.2f} GB/s | | |")
    cache = "cold" if options.cold else "warm"
    tables = [table(f"{size / 2**30:.2f} GiB onto the disk, {cache} page cache", meters + reading, meters[0].median())]
    if halves:
        tables.append(table(f"{half_size / 2**30:.2f} GiB onto the disk, {cache} page cache", halves))
    write_json(options.json, tables)


def main() -> int:
    parser = options_parser(__doc__)
    parser.add_argument("--gib", type=float, default=4)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--peers", metavar="PYTHON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyshift-versus-", dir=options.folder) as folder:
        measure(options, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
