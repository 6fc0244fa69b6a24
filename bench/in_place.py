#!/usr/bin/env python3
"""Whole processes that convert a sparse terabyte in place: 163 shards with the 91,985 keys of a DeepSeek-V3, headers and index as
the hub has them, data sections that are holes. Until everything is on the disk; the answer is checked first.

    python3 bench/in_place.py build-bench/tools/keyshift [--rounds 5] [--folder DIR] [--json FILE]

Two renamings: one whose names fit into the old headers (each is overwritten), and longer names that do not (blocks are
inserted before the data, or a new file shares them). Prints a table: medians, from – to, CPU time, peak memory of the process."""

import pathlib
import sys
import tempfile

from checkpoints import SparseCheckpoint
from measure import Meter, file_system, machine, options_parser, table, write_json

RENAMINGS = {
    "names that fit": ["--rename", r"^model\.layers=>m.l"],
    "longer names": ["--rename", "^model=>model.language_model"],
}
LIMIT = 0.25  # seconds, what was asked for


def measure(keyshift: str, checkpoint: SparseCheckpoint, folder: pathlib.Path, meter: Meter, renames: list[str], rounds: int) -> None:
    """The first round is a check of the answer and not of the time."""
    checkpoint.write(folder)
    meter.run()
    meter.took.clear()
    checkpoint.check(keyshift, folder, renames)
    for _ in range(rounds):
        checkpoint.write(folder)
        meter.run()


def main() -> int:
    options = options_parser(__doc__).parse_args()
    checkpoint = SparseCheckpoint()
    with tempfile.TemporaryDirectory(prefix="keyshift-in-place-", dir=options.folder) as work:
        folder = pathlib.Path(work) / "checkpoint"
        print(f"{machine()}; {file_system(pathlib.Path(work))}; {checkpoint}; {options.rounds} rounds, medians\n")
        print("| what | time | from – to | CPU | peak memory |")
        print("|---|---|---|---|---|")
        meters = []
        for what, renames in RENAMINGS.items():
            meter = Meter(f"`keyshift convert --in-place`, {what}", [options.keyshift, "convert", "-q", "--in-place", folder, *renames])
            measure(options.keyshift, checkpoint, folder, meter, renames, options.rounds)
            print(f"| {meter.name} | {meter.time()} | {meter.range()} | {meter.cpu():.3f} s | {meter.peak_mib():.0f} MiB |", flush=True)
            meters.append(meter)
    write_json(options.json, [table("1.37 TB (sparse), 91,985 keys in 163 shards, in place", meters, LIMIT)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
