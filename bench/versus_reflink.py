#!/usr/bin/env python3
"""keyshift convert with shared blocks beside cp --reflink=always, on an XFS and a btrfs that it makes; prints a Markdown table.

    versus_reflink.py KEYSHIFT [--gib 2] [--rounds 5] [--folder DIR] [--json FILE]      as root

Both file systems are images below --folder, mounted through loop devices and removed at the end. On each, in turn with
`cp -r --reflink=always` + `sync -f`: Llama-3-8B's tensors, as many as fit into --gib, of random bytes; and a sparse
terabyte, 163 shards with the keys of a DeepSeek-V3. Timed until everything is on the disk, after the answer has been
checked. "more space" is what the file system has allocated more after a copy than before it. Peak memory is the
process's maximum resident set.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from checkpoints import SHARDS, SparseCheckpoint, data_digests, write_checkpoint
from measure import Meter, machine, options_parser, table, write_json

FILE_SYSTEMS = {"XFS": ["mkfs.xfs", "-q"], "btrfs": ["mkfs.btrfs", "-q", "-m", "single"]}
RENAME = ["--rename", r"^model\.layers=>model.language_model.layers"]
COPY = 'cp -r --reflink=always "$0" "$1" && sync -f "$1"'
ASKED = {"real": ("cp + 20 ms", 0.020), "sparse": ("0.5 s", 0.5)}


@contextlib.contextmanager
def mounted(kind: str, folder: pathlib.Path, size: int):
    """A fresh file system of this kind in an image; yields where it is mounted."""
    image, mount = folder / f"{kind}.img", folder / kind
    mount.mkdir()
    with open(image, "wb") as file:
        file.truncate(size)
    try:
        subprocess.run([*FILE_SYSTEMS[kind], image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(f"no {kind} can be made and mounted here: {error}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)
        image.unlink()


def allocated(kind: str, mount: pathlib.Path) -> int:
    """btrfs takes room for metadata in advance, and statvfs shows that; it tells itself what it uses."""
    if kind != "btrfs":
        state = os.statvfs(mount)
        return (state.f_blocks - state.f_bfree) * state.f_frsize
    shown = subprocess.run(["btrfs", "filesystem", "df", "--raw", mount], capture_output=True, text=True, check=True).stdout
    return sum(int(line.rsplit("used=", 1)[1]) for line in shown.splitlines() if not line.startswith("GlobalReserve"))


def used_bytes(kind: str, mount: pathlib.Path) -> int:
    """What is allocated when the file system has come to rest: both free the blocks of removed files later."""
    seen: list[int] = []
    while len(seen) < 4 or len(set(seen[-4:])) > 1:
        subprocess.run(["sync", "-f", mount], check=True)
        seen.append(allocated(kind, mount))
        time.sleep(0.02)
    return seen[-1]


class Side:
    """One checkpoint on one file system, both ways of copying it."""

    def __init__(self, keyshift: str, kind: str, source: pathlib.Path, size: int):
        self.keyshift, self.kind, self.source = keyshift, kind, source
        self.target = source.parent / "target"
        self.meters = [
            Meter(f"{kind}: `cp -r --reflink=always` + `sync -f`", ["sh", "-c", COPY, source, self.target], self.target, size),
            Meter(f"{kind}: `keyshift convert`", [keyshift, "convert", "-q", source, self.target, *RENAME], self.target, size),
        ]

    def convert(self) -> None:
        """Once for the check of the answer. A copy that shares nothing would be a wrong comparison: it is refused here."""
        subprocess.run([self.keyshift, "convert", "-q", "--copy", "reflink", self.source, self.target, *RENAME], check=True, stdout=subprocess.DEVNULL)

    def measure(self, rounds: int) -> None:
        for _ in range(rounds):
            for meter in self.meters:
                shutil.rmtree(self.target, ignore_errors=True)
                before = used_bytes(self.kind, self.source)
                meter.run()
                meter.space.append(used_bytes(self.kind, self.source) - before)
        shutil.rmtree(self.target)


def real(options: argparse.Namespace, kind: str, mount: pathlib.Path) -> Side:
    source = mount / "source"
    side = Side(options.keyshift, kind, source, write_checkpoint(source, options.gib))
    side.convert()
    subprocess.run([options.keyshift, "verify", "-q", source, side.target, *RENAME], check=True, stdout=subprocess.DEVNULL)
    if data_digests(source) != data_digests(side.target):
        sys.exit("the data sections differ")
    side.measure(options.rounds)
    return side


def sparse(options: argparse.Namespace, kind: str, mount: pathlib.Path, checkpoint: SparseCheckpoint) -> Side:
    source = mount / "terabyte"
    checkpoint.write(source)
    side = Side(options.keyshift, kind, source, checkpoint.data_bytes)
    side.convert()
    checkpoint.check(options.keyshift, side.target, RENAME)
    side.measure(options.rounds)
    return side


def print_rows(title: str, sides: list[Side], what: str) -> None:
    print(f"\n{title}; asked for: at most {ASKED[what][0]}\n")
    print("| way | time | from – to | CPU | more space | peak memory | more than cp |")
    print("|---|---|---|---|---|---|---|")
    for side in sides:
        for meter in side.meters:
            more = f"{1000 * (meter.median() - side.meters[0].median()):+.0f} ms" if meter is not side.meters[0] else ""
            print(f"| {meter.name} | {meter.time()} | {meter.range()} | {meter.cpu():.3f} s | {meter.figures()['space_kb']:,.0f} kB |"
                  f" {meter.peak_mib():.0f} MiB | {more} |")  # fmt: skip


def main() -> int:
    parser = options_parser(__doc__)
    parser.add_argument("--gib", type=float, default=2)
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("versus_reflink.py: mounts file systems, so it needs root", file=sys.stderr)
        return 1
    checkpoint = SparseCheckpoint()
    sides: dict[str, list[Side]] = {"real": [], "sparse": []}
    with tempfile.TemporaryDirectory(prefix="keyshift-reflink-", dir=options.folder) as folder:
        for kind in FILE_SYSTEMS:
            with mounted(kind, pathlib.Path(folder), int((2 * options.gib + 4) * 2**30)) as mount:
                sides["real"].append(real(options, kind, mount))
                sides["sparse"].append(sparse(options, kind, mount, checkpoint))
    size = f"{sides['real'][0].meters[0].size / 2**30:.2f} GiB"
    print(f"{machine()}; loop-mounted images; warm page cache; {options.rounds} rounds, medians")
    print_rows(f"{size} of random bytes", sides["real"], "real")
    print_rows(str(checkpoint), sides["sparse"], "sparse")
    shared = [meter for side in sides["real"] for meter in side.meters]
    terabyte = [meter for side in sides["sparse"] for meter in side.meters]
    write_json(options.json, [table(f"{size}, blocks shared", shared),
                              table(f"1.37 TB (sparse), 91,985 keys in {SHARDS} shards, blocks shared", terabyte, ASKED["sparse"][1])])  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
