"""What a file system in user space does to a conversion: a bindfs over a folder, converted from, to and within, mapped and
read; then one whose files are cut under it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

import common
from common import RULES, STRACE_WORKS, Faults, digests, run, write_checkpoint

WAYS = ["auto", "mmap", "read"]


class OnFuse(Faults):
    """FUSE"""

    shards, tensor_bytes = 3, 5_000_001

    @contextlib.contextmanager
    def mirrored(self, folder: pathlib.Path, *options: str):
        """`folder` once more, through FUSE. Skips the test where that cannot be."""
        if shutil.which("bindfs") is None:
            self.skipTest("bindfs is not installed")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            self.skipTest("/dev/fuse is not there, or may not be used")
        place = pathlib.Path(tempfile.mkdtemp(prefix="keyshift-fuse-"))  # not below the folder: it would mirror itself
        self.addCleanup(place.rmdir)
        done = subprocess.run(["bindfs", *options, folder, place], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"cannot mount a bindfs here: {done.stderr.strip()}")
        try:
            yield place
        finally:
            unmount = ["umount"] if common.ROOT else ["fusermount3", "-u"]
            subprocess.run([*unmount, place], check=True)

    def weights(self, folder: pathlib.Path) -> dict[str, str]:
        return {name: digest for name, digest in digests(folder).items() if name.endswith(".safetensors")}

    def planned_ways(self, source: pathlib.Path, *options) -> set[str]:
        done = run("plan", source, self.folder / "planned", *RULES, "--json", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {extent["io"] for shard in json.loads(done.stdout)["shards"] for extent in shard["extents"]}

    def test_auto_reads_what_lies_on_fuse_and_maps_the_rest_as_the_plan_says(self):
        self.assertEqual([self.planned_ways(self.source, "--io", way) for way in WAYS], [{"mmap"}, {"mmap"}, {"read"}])
        with self.mirrored(self.source) as mirror:
            self.assertEqual([self.planned_ways(mirror, "--io", way) for way in WAYS], [{"read"}, {"mmap"}, {"read"}])
            self.assertIn("by pread, not mapped", run("plan", mirror, self.folder / "planned", *RULES).stdout)

    def test_from_fuse_every_way_of_reading_gives_the_bytes_of_an_ordinary_disk(self):
        expected = self.expected()
        with self.mirrored(self.source) as mirror:
            for way in WAYS:
                with self.subTest(way=way):
                    calls = self.convert_and_count(mirror, "--io", way)
                    self.assertEqual(digests(self.target), expected)
                    self.assertEqual(run("verify", mirror, self.target, *RULES).returncode, 0)
                    if calls:
                        self.assertEqual(calls["mmap of a shard"] > 0, way == "mmap", calls)
                        self.assertEqual(calls["pread64 of a shard"] >= 3 * self.shards, way != "mmap", calls)
                    shutil.rmtree(self.target)
        self.assertEqual(digests(self.source), self.before)

    def convert_and_count(self, source: pathlib.Path, *options) -> dict[str, int]:
        """Converts to self.target; calls on source shards, where they can be seen."""
        trace = self.folder / "trace"
        strace = ["strace", "-f", "-y", "-qq", "-o", trace, "-e", "trace=mmap,pread64"] if STRACE_WORKS else []
        done = subprocess.run([*strace, common.KEYSHIFT, "convert", source, self.target, *RULES, *options],
                              capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        if not strace:
            return {}
        text = trace.read_text(errors="replace")
        return {f"{call} of a shard": len(re.findall(rf"{call}\([^\n]*<{source}/[^>]*\.safetensors>", text)) for call in ("mmap", "pread64")}

    def test_to_and_within_fuse_the_same_bytes_come_and_nothing_else_is_left(self):
        expected = self.expected()
        with self.mirrored(self.folder) as mirror:
            for way in WAYS:
                with self.subTest(way=way):
                    for source in (self.source, mirror / "source"):
                        done = run("convert", source, mirror / "target", *RULES, "--io", way)
                        self.assertEqual(done.returncode, 0, done.stderr)
                        self.assertEqual(digests(self.target), expected)
                        self.assert_no_leftovers(self.folder)
                        shutil.rmtree(self.target)
            done = run("convert", mirror / "source", mirror / "target", *RULES, "--max-shard-size", "8MB", "--layout", "canonical")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(run("verify", self.source, self.target, *RULES).returncode, 0)
        self.assertEqual(digests(self.source), self.before)

    def test_force_replaces_a_checkpoint_where_names_cannot_be_exchanged_in_one_step(self):
        expected = self.expected()
        write_checkpoint(self.target, 1, 1000)
        with self.mirrored(self.folder) as mirror:
            done = run("convert", self.source, mirror / "target", *RULES, "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(digests(self.target), expected)
        self.assert_no_leftovers(self.folder)

    def test_a_file_that_is_cut_under_fuse_is_an_error_with_the_file_and_the_place_and_no_death(self):
        large = self.folder / "large"
        write_checkpoint(large, 1, 20_000_000)
        shard = large / "model-00001-of-00001.safetensors"
        whole = shard.read_bytes()
        with self.mirrored(large, "--read-rate=25M") as mirror:
            for way in WAYS:
                with self.subTest(way=way):
                    shard.write_bytes(whole)
                    time.sleep(1.5)  # what FUSE remembers of the file is old by then
                    cut = threading.Timer(0.8, os.truncate, [shard, 10_000_000])
                    cut.start()
                    done = run("convert", mirror, self.target, *RULES, "--io", way)
                    cut.join()
                    self.assertIn(done.returncode, (3, 4), done.stderr)
                    self.assertRegex(done.stderr, r"model-00001-of-00001\.safetensors.*(byte|offset) \d+|was changed by somebody")
                    self.assertFalse(self.target.exists())
                    self.assert_no_leftovers(self.folder)
