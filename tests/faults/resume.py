"""A conversion that is killed goes on, and one whose source is cut while it is read ends with words."""

import json
import os
import random
import shutil
import signal
import subprocess
import time

import common
from common import LONG, RULES, Faults, digests, write_checkpoint


class Resume(Faults):
    """A conversion that is killed and goes on."""

    shards, tensor_bytes = 6, 400_000

    def test_a_run_that_is_killed_again_and_again_and_resumed_gives_the_same_bytes(self):
        expected, chance, kept = self.expected(), random.Random(5), 0
        command = [common.KEYSHIFT, "convert", self.source, self.target, *RULES, "--resume", "--json"]
        for _ in range(60 if LONG else 12):
            for _ in range(4):
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
                    time.sleep(chance.random() * 0.08)
                    running.kill()
                    running.communicate()
                if self.target.exists():
                    break
            if not self.target.exists():
                done = subprocess.run(command, capture_output=True, text=True, timeout=300)
                self.assertEqual(done.returncode, 0, done.stderr)
                kept += json.loads(done.stdout)["resumed"]
            self.assertEqual(digests(self.target), expected)
            self.assert_no_leftovers(self.folder)
            shutil.rmtree(self.target)
        self.assertGreater(kept, 0, "no run was killed after it had finished a shard")
        self.assertEqual(digests(self.source), self.before, "the source has changed")


class Cut(Faults):
    """A source that is cut while it is read."""

    def begin(self, *options) -> subprocess.Popen:
        """A conversion of a larger source that has begun to write."""
        self.large = self.folder / "large"
        if not self.large.exists():
            write_checkpoint(self.large, 1, 60_000_000)
        command = [common.KEYSHIFT, "convert", self.large, self.target, *RULES, *options]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while running.poll() is None and not list(self.folder.glob(".target.keyshift-tmp/*.safetensors")):
            time.sleep(0.0005)
        return running

    def test_a_bus_error_ends_with_its_own_words_and_leaves_nothing(self):
        with self.begin() as running:
            running.send_signal(signal.SIGBUS)
            _, said = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 4, said)
        self.assertIn("a file became shorter while it was read", said)
        self.assert_nothing_at(self.target)
        self.assert_no_leftovers(self.folder)

    def test_a_source_that_becomes_shorter_is_an_error_in_both_ways_of_reading(self):
        for way in ["mmap", "read"]:
            with self.subTest(way=way), self.begin("--io", way) as running:
                shard = self.large / "model-00001-of-00001.safetensors"
                size = shard.stat().st_size
                os.truncate(shard, 100_000)
                _, said = running.communicate(timeout=60)
                os.truncate(shard, size)
                self.assertIn(running.returncode, (3, 4), said)
                self.assert_no_leftovers(self.folder)
                self.assertFalse(self.target.exists())


CASES = [Resume, Cut]
