"""Faults under a batch: broken checkpoints among good ones, kills and ^C on the way. Afterwards what could be done is done
once and right, the rest is reported, and nothing is half there."""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time
import unittest

import common
from common import LONG, Faults, digests, run, write_checkpoint

SHARD = "model-00001-of-00001.safetensors"
INDEX = "model.safetensors.index.json"
RULES = ["--rename", r"^model\.layers=>model.model.layers"]  # a second time it would do more


def parts(shard: pathlib.Path) -> tuple[dict, bytes]:
    """The header and the data section."""
    text = shard.read_bytes()
    length = struct.unpack("<Q", text[:8])[0]
    return json.loads(text[8 : 8 + length]), text[8 + length :]


def without_index_entry(folder: pathlib.Path) -> None:
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"]["model.nowhere"] = SHARD
    (folder / INDEX).write_text(json.dumps(index))


def collide(folder: pathlib.Path) -> None:
    header, data = parts(folder / SHARD)
    header["model.model.layers.0.weight"] = header.pop("model.layers.1.weight")
    text = json.dumps(header).encode()
    (folder / SHARD).write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / INDEX).unlink()
    (folder / SHARD).rename(folder / "model.safetensors")


BREAKS = {
    "cut": lambda folder: os.truncate(folder / SHARD, (folder / SHARD).stat().st_size - 1),
    "no shard": lambda folder: (folder / SHARD).unlink(),
    "empty shard": lambda folder: os.truncate(folder / SHARD, 0),
    "no JSON": lambda folder: (folder / SHARD).write_bytes(struct.pack("<Q", 8) + b"no JSON!" + b"x" * 99),
    "no index": lambda folder: (folder / INDEX).write_text("{"),
    "index promises more": without_index_entry,
    "collision": collide,
    "gone": shutil.rmtree,
    "nothing in it": lambda folder: [path.unlink() for path in folder.iterdir()],
}


class Batches(Faults):
    """`self.sources`: each with bytes of its own."""

    shards, tensor_bytes = 1, 2000
    count, broken = 300, 20

    def setUp(self):
        super().setUp()
        self.sources, self.targets = [], []
        (self.folder / "in").mkdir()
        (self.folder / "out").mkdir()
        for number in range(self.count):
            source = self.folder / "in" / f"{number:03d}"
            shutil.copytree(self.source, source)
            with open(source / SHARD, "r+b") as file:
                file.seek(-8, os.SEEK_END)
                file.write(struct.pack("<Q", number))
            self.sources.append(source)
            self.targets.append(self.folder / "out" / source.name)
        self.bad = list(range(7, self.count, self.count // self.broken))[: self.broken] if self.broken else []
        kinds = list(BREAKS.values())
        for turn, number in enumerate(self.bad):
            kinds[turn % len(kinds)](self.sources[number])
        self.good = [number for number in range(self.count) if number not in self.bad]
        self.list = self.folder / "list.tsv"
        self.write_list()

    def write_list(self) -> None:
        self.list.write_text("".join(f"{source}\t{target}\n" for source, target in zip(self.sources, self.targets)))

    def command(self, *options) -> list[str]:
        return [common.KEYSHIFT, "batch", str(self.list), *RULES, "--resume", "--json", *options]

    def results(self, text: str) -> tuple[list[dict], dict]:
        lines = [json.loads(line) for line in text.splitlines()]
        return lines[:-1], lines[-1]

    def start(self, *options) -> subprocess.Popen:
        # A shell starts what it puts into the background with ^C ignored, and that is inherited.
        return subprocess.Popen(self.command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip

    def wait_until(self, process: subprocess.Popen, done: int) -> None:
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until and self.how_many_are_done() < done:
            time.sleep(0.002)

    def how_many_are_done(self) -> int:
        return sum(not name.startswith(".") for name in os.listdir(self.folder / "out"))

    def assert_right(self, number: int, there: pathlib.Path, before: tuple[dict, bytes]) -> None:
        header, data = parts(there / SHARD)
        old, old_data = before
        renamed = {key.replace("model.layers", "model.model.layers"): value for key, value in old.items()}
        self.assertEqual(header, renamed, there)
        self.assertEqual(data, old_data, there)
        listed = json.loads((there / INDEX).read_text())["weight_map"]
        self.assertEqual(set(listed), set(renamed) - {"__metadata__"})
        self.assertEqual((there / "config.json").read_bytes(), (self.source / "config.json").read_bytes())


class Copies(Batches):
    def test_killed_three_times_and_resumed_280_are_right_and_20_are_reported(self):
        before = digests(self.folder / "in")
        killed = 0
        for done in (40, 120, 200):
            process = self.start()
            self.wait_until(process, done)
            process.kill()
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            for number in self.good:  # whatever is there is whole
                if self.targets[number].exists():
                    self.assert_right(number, self.targets[number], parts(self.sources[number] / SHARD))
        self.assertEqual(killed, 3, "it was over before it could be killed")

        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines, summary = self.results(done.stdout)
        self.assertEqual(len(lines), self.count)
        self.assertEqual(sorted(line["line"] - 1 for line in lines if line["status"] == "failed"), self.bad)
        self.assertEqual((summary["failed"], summary["converted"] + summary["already"]), (20, 280))
        self.assertGreaterEqual(summary["already"], 200)
        for line in lines:
            if line["status"] == "failed":
                self.assertTrue(line["error"]["message"])
                self.assertNotIn("unexpected", line["error"]["message"])
        self.assertEqual(sorted(os.listdir(self.folder / "out")), [self.targets[number].name for number in self.good])
        for number in self.good:
            self.assert_right(number, self.targets[number], parts(self.sources[number] / SHARD))
        self.assertEqual(digests(self.folder / "in"), before, "a source has changed")

        written = {path: path.stat().st_mtime_ns for path in (self.folder / "out").rglob("*")}
        again = subprocess.run(self.command(), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((again.returncode, self.results(again.stdout)[1]["already"]), (1, 280))
        self.assertEqual({path: path.stat().st_mtime_ns for path in (self.folder / "out").rglob("*")}, written)

    def test_what_was_changed_since_is_reported_and_never_taken_for_done(self):
        self.assertEqual(subprocess.run(self.command(), capture_output=True, check=False).returncode, 1)
        changed = self.good[:6]
        for turn, number in enumerate(changed):
            target = self.targets[number]
            name = [SHARD, INDEX, "config.json", "keyshift-receipt.json"][turn % 4]
            text = bytearray((target / name).read_bytes())
            text[-3] ^= 1
            (target / name).write_bytes(text)
        done = subprocess.run(self.command(), capture_output=True, text=True, check=False)
        lines, _ = self.results(done.stdout)
        failed = [line["line"] - 1 for line in lines if line["status"] == "failed"]
        self.assertEqual(sorted(failed), sorted(self.bad + changed))


class Interrupted(Batches):
    broken = 0

    def test_control_c_ends_it_with_130_and_what_is_done_stays(self):
        process = self.start()
        self.wait_until(process, 30)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        lines, summary = self.results(said)
        self.assertEqual(len(lines), self.count)
        self.assertGreater(summary["interrupted"], 0)
        there = {line["destination"] for line in lines if line["status"] == "converted"}
        out = self.folder / "out"
        stopped = {pathlib.Path(line["destination"]).name for line in lines if line["status"] == "interrupted"}
        # With --resume, finished shards of what was stopped stay for the next run.
        kept = {path for path in out.iterdir() if path.name in {f".{name}.keyshift-tmp" for name in stopped}}
        self.assertEqual({str(path) for path in set(out.iterdir()) - kept}, there)
        self.assertGreaterEqual(len(there), 30)
        done = subprocess.run(self.command(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.results(done.stdout)[1]["already"], len(there))
        self.assertEqual(sorted(os.listdir(out)), [self.targets[number].name for number in self.good])

    def test_tasks_that_share_a_list_do_every_line_once(self):
        tasks = [self.start("--task-index", str(index), "--task-count", "4") for index in range(4)]
        seen = []
        for task in tasks:
            said, complained = task.communicate(timeout=120)
            self.assertEqual(task.returncode, 0, complained)
            seen += [line["line"] for line in self.results(said)[0]]
        self.assertEqual(sorted(seen), list(range(1, self.count + 1)))
        for number in self.good:
            self.assert_right(number, self.targets[number], parts(self.sources[number] / SHARD))


class InPlace(Batches):
    count, broken = (300, 20) if LONG else (100, 9)

    def write_list(self) -> None:
        self.list.write_text("".join(f"{source}\n" for source in self.sources))

    def how_many_are_done(self) -> int:
        return len(list((self.folder / "in").glob("*/keyshift-receipt.json")))

    def test_killed_three_times_and_resumed_every_file_is_renamed_once(self):
        before = {number: parts(self.sources[number] / SHARD) for number in self.good}
        for done in (self.count // 10, self.count // 3, self.count // 2):
            process = self.start("--in-place")
            self.wait_until(process, done)
            process.kill()
            process.communicate()
        done = subprocess.run(self.command("--in-place"), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines, summary = self.results(done.stdout)
        self.assertEqual(sorted(line["line"] - 1 for line in lines if line["status"] == "failed"), self.bad)
        self.assertGreaterEqual(summary["already"], self.count // 2 - 1)
        for number in self.good:
            self.assert_right(number, self.sources[number], before[number])
            self.assertEqual(run("recover", self.sources[number]).returncode, 0)
        self.assert_no_leftovers(self.folder / "in")


CASES = [Copies, Interrupted, InPlace]
