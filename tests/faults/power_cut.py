"""Power cuts while keyshift converts, converts in place and recovers, on ext4, XFS and btrfs: see block_log.py. After each, the
file system is mounted again, `recover` is run, and everything must be old or everything new; new, if the command had
returned."""

import collections
import os
import pathlib
import shutil
import struct
import subprocess
import unittest

import in_place
from block_log import Recording
from common import LONG, RULES, STRACE_WORKS, Traced, digests, mounted, run, write_checkpoint

CUTS = 100_000 if LONG else 100  # of each command on each file system


class PowerCuts(Traced):
    tensor_bytes = 5000

    def try_cuts(self, what: str, recording: Recording, check, at_most: int = CUTS, returned: str = "new") -> collections.Counter:
        """check(folder) says what has become of the files: `returned`, if the command had returned before the cut."""
        outcomes: collections.Counter = collections.Counter()
        with recording:
            for seed in range(2 if LONG else 1):
                for moment, image in recording.cuts(at_most, seed):
                    found = self.look_at(recording.kind, image, check)
                    if moment >= recording.returned and found in {"old", "new"} - {returned}:
                        found = "LOST: the command had returned"
                    outcomes[found] += 1
            counted = ", ".join(f"{found} {outcomes[found]}" for found in sorted(outcomes))
            print(f"    {what} on {recording.kind}: {outcomes.total()} power cuts after {len(recording.records)} writes and "
                  f"flushes; {counted}")  # fmt: skip
        return outcomes

    def look_at(self, kind: str, image: pathlib.Path, check) -> str:
        try:
            with mounted(kind, str(image), self.folder / "mnt", "loop") as place:
                return check(place)
        except unittest.SkipTest as failure:  # it could be mounted when it was made
            return f"LOST: {failure}"

    def assert_nothing_lost(self, outcomes: collections.Counter) -> None:
        self.assertEqual(set(outcomes), {"old", "new"})

    # --- converting

    def on_convert(self, kind: str) -> None:
        good = self.expected()

        def check(place: pathlib.Path) -> str:
            self.assertEqual(digests(place / "source"), self.before)
            target = place / "target"
            if not target.exists():
                return "old"
            return "new" if digests(target) == good else "LOST: something partial is at the target"

        recording = Recording(
            kind,
            lambda place: shutil.copytree(self.source, place / "source"),
            lambda place: self.assertEqual(run("convert", place / "source", place / "target", *RULES).returncode, 0),
        )
        self.assert_nothing_lost(self.try_cuts("convert", recording, check))

    def test_power_cuts_under_convert_on_ext4(self):
        self.on_convert("ext4")

    def test_power_cuts_under_convert_on_xfs(self):
        self.on_convert("xfs")

    def test_power_cuts_under_convert_on_btrfs(self):
        self.on_convert("btrfs")

    # --- in place

    def converted(self) -> dict[str, str]:
        work = self.folder / "work"
        shutil.copytree(self.source, work)
        self.assertEqual(run("convert", "--in-place", work, *in_place.RULES).returncode, 0)
        return digests(work)

    def check_in_place(self, new: dict[str, str]):
        def check(place: pathlib.Path) -> str:
            done = run("recover", place / "work")
            if done.returncode != 0:
                return f"LOST: {done.stderr}"
            now = digests(place / "work")
            return "new" if now == new else "old" if now == self.before else "LOST: a third thing"

        return check

    def prepare(self, place: pathlib.Path) -> None:
        subprocess.run(["cp", "-a", "--sparse=always", self.source, place / "work"], check=True)

    def convert_in_place(self, place: pathlib.Path) -> None:
        done = run("convert", "--in-place", place / "work", *in_place.RULES)
        self.assertEqual(done.returncode, 0, done.stderr)

    def on_in_place(self, kind: str) -> None:
        recording = Recording(kind, self.prepare, self.convert_in_place)
        self.assert_nothing_lost(self.try_cuts("in place", recording, self.check_in_place(self.converted())))

    def test_power_cuts_under_a_run_in_place_on_ext4(self):
        self.on_in_place("ext4")

    def test_power_cuts_under_a_run_in_place_on_xfs(self):
        self.on_in_place("xfs")

    def test_power_cuts_under_a_run_in_place_on_btrfs(self):
        self.on_in_place("btrfs")

    def write_many_extents(self, extents: int) -> None:
        shutil.rmtree(self.source)
        write_checkpoint(self.source, 1, 1000)
        shard = self.source / "model-00001-of-00001.safetensors"
        with open(shard, "r+b") as file:  # every other block is a hole
            (length,) = struct.unpack("<Q", file.read(8))
            header = file.read(length).replace(b'"shape": [1000]', b'"shape": [%d]' % (extents * 2048), 4)
            for number in range(4):
                header = header.replace(b"[%d, %d]" % (number * 1000, number * 1000 + 1000),
                                        b"[%d, %d]" % (number * extents * 2048, (number + 1) * extents * 2048))  # fmt: skip
            file.seek(0)
            file.truncate(0)
            file.write(struct.pack("<Q", len(header)) + header)
            start = file.tell() // 4096 * 4096 + 8192
            for number in range(extents - 2):
                file.seek(start + number * 8192)
                file.write(bytes([number % 251 + 1]) * 4096)
            file.truncate(8 + len(header) + extents * 8192)
        index = self.source / "model.safetensors.index.json"
        index.write_text(index.read_text().replace('"total_size": 4000', f'"total_size": {extents * 8192}'))
        self.before = digests(self.source)

    def on_many_extents(self, kind: str) -> None:
        """The size tells whether blocks were inserted, however many extents had to move: FORMAT.md, F84."""
        extents = 6000 if LONG else 400
        self.write_many_extents(extents)
        new = self.converted()

        def convert(place: pathlib.Path) -> None:
            plan = run("convert", "--in-place", place / "work", *in_place.RULES, "--dry-run", "--json")
            self.assertIn('"way":"insert"', plan.stdout)
            self.convert_in_place(place)

        recording = Recording(kind, self.prepare, convert, (128 << 20) + extents * 16384)
        at_most = 400 if LONG else 12
        outcomes = self.try_cuts(f"in place, {extents} extents", recording, self.check_in_place(new), at_most)
        self.assertLessEqual(set(outcomes), {"old", "new"})

    def test_power_cuts_while_blocks_are_inserted_before_many_extents_on_ext4(self):
        self.on_many_extents("ext4")

    def test_power_cuts_while_blocks_are_inserted_before_many_extents_on_xfs(self):
        self.on_many_extents("xfs")

    def on_many_extents_back(self, kind: str) -> None:
        """The same of blocks that are taken out."""
        extents = 6000 if LONG else 400
        self.write_many_extents(extents)
        original, self.before = self.before, self.converted()

        def prepare(place: pathlib.Path) -> None:
            subprocess.run(["cp", "-a", "--sparse=always", self.folder / "work", place / "work"], check=True)

        def revert(place: pathlib.Path) -> None:
            done = run("revert", "--in-place", place / "work", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('"way":"collapse"', done.stdout)

        recording = Recording(kind, prepare, revert, (128 << 20) + extents * 16384)
        at_most = 400 if LONG else 40
        outcomes = self.try_cuts(f"revert in place, {extents} extents", recording, self.check_in_place(original), at_most)
        self.assertLessEqual(set(outcomes), {"old", "new"})

    def test_power_cuts_while_blocks_are_taken_out_before_many_extents_on_ext4(self):
        self.on_many_extents_back("ext4")

    def test_power_cuts_while_blocks_are_taken_out_before_many_extents_on_xfs(self):
        self.on_many_extents_back("xfs")

    # --- recovering

    def on_recover(self, kind: str, options: list[str]) -> None:
        if not STRACE_WORKS:
            self.skipTest("strace is missing or may not trace here")

        def prepare(place: pathlib.Path) -> None:
            self.prepare(place)
            subprocess.run(["cp", "-a", place / "work", place / "undisturbed"], check=True)
            rest = [*in_place.RULES, "--jobs", "1"]
            renames = self.counts(["rename"], ["convert", "--in-place", place / "undisturbed", *rest])["rename"]
            shutil.rmtree(place / "undisturbed")
            # When the receipt is to take its name, the last of all.
            self.traced("-e", "trace=rename", "-e", f"inject=rename:signal=KILL:when={renames[-1]}",
                        command=["convert", "--in-place", place / "work", *rest])  # fmt: skip
            self.assertTrue((place / "work" / ".keyshift-journal").exists())

        def recover(place: pathlib.Path) -> None:
            self.assertEqual(run("recover", place / "work", *options).returncode, 0)

        recording = Recording(kind, prepare, recover)
        # A cut before all is rolled back may well be finished instead, by the check's own recover.
        returned = "old" if options else "new"
        outcomes = self.try_cuts(f"recover {' '.join(options)}".strip(), recording, self.check_in_place(self.converted()),
                                 returned=returned)  # fmt: skip
        self.assertIn(returned, outcomes)
        self.assertLessEqual(set(outcomes), {"old", "new"})

    def test_power_cuts_under_recover_on_ext4(self):
        self.on_recover("ext4", [])

    def test_power_cuts_under_recover_on_xfs(self):
        self.on_recover("xfs", [])

    def test_power_cuts_under_recover_on_btrfs(self):
        self.on_recover("btrfs", [])

    def test_power_cuts_under_a_roll_back_on_ext4(self):
        self.on_recover("ext4", ["--roll-back"])

    def test_power_cuts_under_a_roll_back_on_xfs(self):
        self.on_recover("xfs", ["--roll-back"])

    # --- a control: what is wrong is seen

    def on_careless_rename(self, kind: str) -> None:
        old, new = b"o" * 100_000, b"n" * 100_000

        def careless(place: pathlib.Path) -> None:
            (place / "new").write_bytes(new)  # not flushed
            os.rename(place / "new", place / "file")
            folder = os.open(place, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

        def check(place: pathlib.Path) -> str:
            now = (place / "file").read_bytes()
            return "new" if now == new else "old" if now == old else "LOST: a third thing"

        recording = Recording(kind, lambda place: (place / "file").write_bytes(old), careless)
        self.assertGreater(self.try_cuts("control: a rename without a flush", recording, check)["LOST: a third thing"], 0)

    def test_power_cuts_find_a_rename_without_a_flush_on_xfs(self):
        self.on_careless_rename("xfs")

    def test_power_cuts_find_a_rename_without_a_flush_on_btrfs(self):
        self.on_careless_rename("btrfs")


CASES = [PowerCuts]
