"""Peak memory of whole processes: it does not grow with tensors, shards or threads, and with headers only by what they need."""

import json
import pathlib
import shutil
import struct
import subprocess
import sys

import common
from common import LONG, Faults

MIB = 1 << 20
LIMIT = 64 * MIB  # whatever the size
BYTES_PER_HEADER_BYTE = 7  # above it; FORMAT.md, Memory
RULES = ["--rename", r"^model\.layers=>model.language_model.layers"]


def write_sparse(folder: pathlib.Path, shards: int, tensors: int, size: int, name) -> int:
    """A checkpoint of holes: `tensors` of `size` bytes in each shard. Bytes of all headers."""
    folder.mkdir()
    weight_map, headers = {}, 0
    for shard in range(shards):
        file_name = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        header = {"__metadata__": {"format": "pt"}}
        for i in range(tensors):
            key = name(shard * tensors + i)
            header[key] = {"dtype": "U8", "shape": [size], "data_offsets": [i * size, (i + 1) * size]}
            weight_map[key] = file_name
        text = json.dumps(header, separators=(",", ":")).encode()
        headers += len(text)
        with open(folder / file_name, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + tensors * size)
    index = {"metadata": {"total_size": shards * tensors * size}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    return headers


# A process counts what its parent held when it was started, so that the parent has to be a small one.
METER = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def peak_of(*arguments) -> int:
    """Bytes: the maximum resident set of a process that succeeds."""
    done = subprocess.run([sys.executable, "-S", "-c", METER, common.KEYSHIFT, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # 1: diff found what it should
        raise AssertionError(done.stderr)
    return int(done.stdout) * 1024


class Memory(Faults):
    shards, tensor_bytes = 1, 100

    def peaks(self, commands: list[list]) -> list[int]:
        peaks = []
        for command in commands:
            shutil.rmtree(self.target, ignore_errors=True)
            peaks.append(peak_of(*command))
        return peaks

    def test_tensors_of_any_size_go_through_64_mib(self):
        large = self.folder / "large"
        write_sparse(large, 2, 2, (1 << 30 if LONG else 1 << 28), lambda i: f"model.layers.{i}.weight")
        tried = 0
        for io in ("mmap", "read"):
            convert = ["convert", large, self.target, *RULES, "-q", "--io", io]
            commands = [
                [*convert, "--copy", "stream"],
                [*convert, "--copy", "stream", "--sha256"],
                [*convert, "--copy", "stream", "--max-shard-size", "300MB"],
                [*convert, "--copy", "range", "--digests", "always"],
                ["roundtrip", large, *RULES, "-q", "--io", io],
                ["digest", large, "--io", io],
            ]
            for command, peak in zip(commands, self.peaks(commands)):
                with self.subTest(command=command):
                    self.assertLess(peak, LIMIT, f"{peak / MIB:.0f} MiB")
                tried += 1
            self.assertEqual(run_ok(convert), 0)
            self.assertLess(peak_of("verify", large, self.target, *RULES, "-q"), LIMIT)
        print(f"    {tried} commands below {LIMIT // MIB} MiB")

    def test_any_number_of_threads_and_shards_goes_through_64_mib(self):
        wide = self.folder / "wide"
        write_sparse(wide, 64, 1, 16 * MIB, lambda i: f"model.layers.{i}.weight")
        back, peaks = self.folder / "back", {}
        for io in ("mmap", "read"):
            commands = [
                ["convert", wide, self.target, *RULES, "-q", "--copy", "stream", "--io", io],
                ["verify", wide, self.target, *RULES, "-q"],
                ["diff", wide, self.target, "-q"],
                ["revert", self.target, back, "-q"],
                ["roundtrip", wide, *RULES, "-q", "--io", io],
                ["digest", wide, "--io", io],
            ]
            for command in commands:
                with self.subTest(io=io, command=command[0]):
                    shutil.rmtree(command[2], ignore_errors=True) if command[0] in ("convert", "revert") else None
                    peak = peaks[command[0], io] = peak_of(*command, "--jobs", "64")
                    self.assertLess(peak, LIMIT, f"{peak / MIB:.0f} MiB")

        print(f"    64 threads: peaks of {min(peaks.values()) / MIB:.0f} to {max(peaks.values()) / MIB:.0f} MiB")

    def test_a_table_of_128_000_tensors_takes_what_its_headers_need(self):
        many = self.folder / "many"
        headers = write_sparse(many, 8, 16_000, 16, lambda i: f"model.layers.{i // 256}.mlp.experts.{i % 256}.up_proj.weight")
        limit = LIMIT + BYTES_PER_HEADER_BYTE * headers
        convert = ["convert", many, self.target, *RULES, "-q"]
        commands = [
            convert,
            [*convert, "--io", "read"],
            [*convert, "--max-shard-size", "1MB"],
            [*convert, "--layout", "canonical"],
            ["plan", many, self.folder / "other", *RULES, "-q"],
            ["roundtrip", many, *RULES, "-q"],
            ["inspect", many, "--json"],
            ["lint", many, "-q"],
            ["digest", many, "--json"],
        ]
        peaks = self.peaks(commands)
        print(f"    headers of {headers / 1e6:.1f} MB: peaks of {min(peaks) / MIB:.0f} to {max(peaks) / MIB:.0f} MiB")
        for command, peak in zip(commands, peaks):
            with self.subTest(command=command):
                self.assertLess(peak, limit, f"{peak / MIB:.0f} MiB")


def run_ok(command: list) -> int:
    shutil.rmtree(command[2], ignore_errors=True)
    return common.run(*command).returncode


CASES = [Memory]
