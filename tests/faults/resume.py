"""A conversion that is killed goes on, and one whose source is cut while it is read ends with words."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import common
from common import LONG, RULES, Faults, digests, file_system, write_checkpoint


class Resume(Faults):
    """A conversion that is killed and goes on."""

    shards, tensor_bytes = 6, 1_000_000

    def command(self):
        return [common.KEYSHIFT, "convert", self.source, self.target, *RULES, "--resume", "--json", "--jobs", "1"]

    def noted(self) -> int:
        """Shards that the run under way says to have finished."""
        try:
            return (self.folder / ".target.keyshift-tmp" / ".keyshift-notes").read_bytes().count(b" .\n")
        except OSError:
            return 0

    def kill_after(self, shards: int) -> int:
        """Kills a run that has finished so many shards; returns how many it had, 0 if it was done before."""
        with subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            while running.poll() is None and self.noted() < shards:
                pass
            running.kill()
            running.communicate()
        return 0 if self.target.exists() else self.noted()

    def assert_resumes(self, expected, at_least: int) -> None:
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(json.loads(done.stdout)["resumed"], at_least)
        self.assertEqual(digests(self.target), expected)
        self.assert_no_leftovers(self.folder)
        shutil.rmtree(self.target)

    def test_a_run_that_is_killed_after_some_shards_goes_on_with_the_others(self):
        expected, killed = self.expected(), 0
        for shards in [1, 2, 3, 4, 5] * (5 if LONG else 1):
            for _ in range(50):
                noted = self.kill_after(shards)
                if noted:
                    break
                shutil.rmtree(self.target)  # it was done before the kill came: once more
            killed += noted > 0
            self.assert_resumes(expected, noted)
        self.assertGreater(killed, 0, "no run was killed after it had finished a shard")
        self.assertEqual(digests(self.source), self.before, "the source has changed")

    def test_a_run_that_is_killed_at_any_moment_and_resumed_gives_the_same_bytes(self):
        expected, chance = self.expected(), random.Random(5)
        for _ in range(60 if LONG else 12):
            for _ in range(4):
                with subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
                    time.sleep(chance.random() * 0.1)
                    running.kill()
                    running.communicate()
                if self.target.exists():
                    self.assertEqual(digests(self.target), expected)
                    shutil.rmtree(self.target)
            self.assert_resumes(expected, 0)
        self.assertEqual(digests(self.source), self.before, "the source has changed")

    def stop_after(self, shards: int, number: signal.Signals) -> tuple[int, str]:
        with subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              # a shell that ran this in the background would have it ignore ^C
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as running:  # fmt: skip
            while running.poll() is None and self.noted() < shards:
                pass
            running.send_signal(number)
            _, said = running.communicate(timeout=60)
        return running.returncode, said

    def test_a_run_with_resume_that_is_asked_to_end_leaves_what_it_has_finished_to_the_next(self):
        shutil.rmtree(self.source)
        write_checkpoint(self.source, self.shards, 8_000_000)  # long enough to be met in the middle
        self.before = digests(self.source)
        expected = self.expected()
        for number in (signal.SIGINT, signal.SIGTERM):
            for _ in range(50):
                code, said = self.stop_after(2, number)
                if code == 130:
                    break
                shutil.rmtree(self.target)  # it was done before: once more
            self.assertEqual(code, 130, said)
            self.assertIn("of its shards stay in", said)
            self.assertFalse(self.target.exists())
            self.assertEqual(len(list(self.folder.glob(".target.keyshift-tmp/*.safetensors"))), self.noted())
            self.assert_resumes(expected, 2)

    def test_only_the_space_for_what_is_still_to_be_written_is_asked_for(self):
        expected = self.expected()
        size = self.shards * 4 * self.tensor_bytes
        with file_system("tmpfs", self.folder, size * 2) as disk:
            self.target = disk / "target"
            temporary = disk / ".target.keyshift-tmp"
            self.noted = lambda: (temporary / ".keyshift-notes").read_bytes().count(b" .\n") if temporary.exists() else 0
            while not self.kill_after(4):
                shutil.rmtree(self.target)  # it was done before the kill came: once more
            finished = self.noted()
            left = (self.shards - finished) * 4 * self.tensor_bytes
            for partial in temporary.glob("*.safetensors"):
                if f" {partial.stat().st_size} " not in (temporary / ".keyshift-notes").read_text():
                    partial.unlink()
            filler = disk / "filler"

            def leave_free(count: int) -> None:
                filler.unlink(missing_ok=True)
                status = os.statvfs(disk)
                with open(filler, "wb") as file:
                    os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - count)

            leave_free(left - 100_000)
            refused = subprocess.run(self.command(), capture_output=True, text=True, timeout=60, check=False)
            self.assert_ends(refused, 4, "make room or choose another place", "stay in")
            self.assertEqual(self.noted(), finished)
            leave_free(left + 300_000)
            done = subprocess.run(self.command(), capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreaterEqual(json.loads(done.stdout)["resumed"], finished)
            self.assertEqual(digests(self.target), expected)


class Cut(Faults):
    """A source that is cut while it is read."""

    def begin(self, *options, before=()) -> subprocess.Popen:
        """A conversion of a larger source that has begun to write."""
        self.large = self.folder / "large"
        if not self.large.exists():
            write_checkpoint(self.large, 1, 60_000_000)
        command = [*before, common.KEYSHIFT, "convert", self.large, self.target, *RULES, *options]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while running.poll() is None and not list(self.folder.glob(f".{self.target.name}.keyshift-tmp/*.safetensors")):
            time.sleep(0.0005)
        return running

    def ending(self, disturb, *options, before=()) -> tuple[int, str]:
        """Exit code and words of a run that is disturbed while it copies."""
        for _ in range(20):
            with self.begin(*options, before=before) as running:
                disturb(running)
                _, said = running.communicate(timeout=60)
            if running.returncode != 0:
                return running.returncode, said
            shutil.rmtree(self.target)  # it was done before: once more
        self.fail("the disturbance came too late twenty times")

    def test_a_bus_error_ends_with_its_own_words_and_leaves_nothing(self):
        code, said = self.ending(lambda running: running.send_signal(signal.SIGBUS))
        self.assertEqual(code, 4, said)
        self.assertIn("a file became shorter while it was read", said)
        self.assert_nothing_at(self.target)
        self.assert_no_leftovers(self.folder)

    @unittest.skipUnless(common.ROOT, "needs root to hide the programs")
    def test_a_bus_error_needs_no_other_program_to_clean_up(self):
        self.target = self.folder / "-rf"
        hide = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /bin/rm && exec "$@"', "/dev/null"]
        if subprocess.run([*hide, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mounts of its own here")
        code, said = self.ending(lambda running: running.send_signal(signal.SIGBUS), before=hide)
        self.assertEqual(code, 4, said)
        self.assert_no_leftovers(self.folder)

    def test_a_source_that_becomes_shorter_is_an_error_in_both_ways_of_reading(self):
        for way in ["mmap", "read"]:
            with self.subTest(way=way):
                code, said = self.ending(lambda _: os.truncate(self.large / "model-00001-of-00001.safetensors", 100_000), "--io", way)
                self.assertIn(code, (3, 4), said)
                self.assert_no_leftovers(self.folder)
                self.assertFalse(self.target.exists())
                shutil.rmtree(self.large)


CASES = [Resume, Cut]
