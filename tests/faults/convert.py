"""Faults under a conversion to another place: afterwards the source must be what it was, and at the target there must be
nothing, or all of it."""

import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import time
import unittest

import common
from common import LONG, NOBODY, RULES, Faults, digests, run, write_checkpoint


class ManyShards(Faults):
    shards, tensor_bytes = 300, 8

    def test_more_shards_than_a_process_is_granted_files_at_first_are_converted(self):
        def few_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

        for arguments in (["convert", self.source, self.target, *RULES], ["verify", self.source, self.target],
                          ["convert", "--in-place", self.source, *RULES]):  # fmt: skip
            done = run(*arguments, preexec_fn=few_files)
            self.assertEqual(done.returncode, 0, done.stderr)


class Refusals(Faults):
    def test_a_file_size_limit_is_an_error_with_the_file_s_name(self):
        done = run("convert", self.source, self.target, *RULES,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)))  # fmt: skip
        self.assert_ends(done, 4, ".safetensors")
        self.assert_nothing_at(self.target)
        self.assert_no_leftovers(self.folder)
        self.assert_converts()

    @unittest.skipUnless(os.geteuid() == 0, "needs root to mount a small tmpfs")
    def test_a_disk_without_room_is_an_error_before_anything_is_written(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        done = run("convert", self.source, disk / "target", *RULES)
        self.assert_ends(done, 4, "make room or choose another place")
        self.assert_nothing_at(disk / "target")
        self.assertEqual(list(disk.iterdir()), [])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_a_source_that_may_not_be_read_is_an_error(self):
        (self.source / "model-00002-of-00003.safetensors").chmod(0)
        place = self.folder / "open"
        place.mkdir()
        os.chown(place, NOBODY, NOBODY)
        done = run("convert", self.source, place / "target", *RULES, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assert_ends(done, 4, "model-00002-of-00003.safetensors", "Permission denied")
        self.assert_nothing_at(place / "target")
        self.assert_no_leftovers(place)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_a_folder_that_may_not_be_written_is_an_error(self):
        done = run("convert", self.source, self.target, *RULES, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assert_ends(done, 4, "Permission denied")
        self.assert_nothing_at(self.target)

    def test_a_target_that_exists_is_left_alone(self):
        self.target.mkdir()
        (self.target / "precious").write_text("mine")
        for options in ([], ["--force"]):  # --force replaces a checkpoint, never any other folder
            done = run("convert", self.source, self.target, *RULES, *options)
            self.assert_ends(done, 2, str(self.target))
            self.assertEqual((self.target / "precious").read_text(), "mine")
        self.assertEqual(digests(self.source), self.before)

    def test_a_target_inside_the_source_is_refused(self):
        done = run("convert", self.source, self.source / "target", *RULES)
        self.assert_ends(done, 2)
        self.assert_nothing_at(self.source / "target")

    def test_a_truncated_shard_is_refused_before_anything_is_written(self):
        shard = self.source / "model-00003-of-00003.safetensors"
        os.truncate(shard, shard.stat().st_size - 1)
        self.before = digests(self.source)
        done = run("convert", self.source, self.target, *RULES)
        self.assert_ends(done, 3, "model-00003-of-00003.safetensors")
        self.assert_nothing_at(self.target)
        self.assert_no_leftovers(self.folder)

    def test_a_collision_is_refused_and_names_both_keys(self):
        done = run("convert", self.source, self.target, "--rename", r"layers\.\d+=>same")
        self.assert_ends(done, 3, "model.layers.0.weight", "model.layers.1.weight")
        self.assert_nothing_at(self.target)
        self.assert_no_leftovers(self.folder)


class Interruptions(Faults):
    shards, tensor_bytes = 4, 16 << 20  # 256 MiB: long enough to be met in the middle

    def start(self, target: pathlib.Path, *options) -> subprocess.Popen:
        command = [common.KEYSHIFT, "convert", str(self.source), str(target), *RULES, *options]
        # A shell starts what it puts into the background with ^C ignored, and that is inherited.
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def wait_for_output(self, process: subprocess.Popen) -> None:
        """Until a temporary file of some size is there: the copy is under way."""
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            files = [path for path in self.folder.rglob("*.safetensors") if "keyshift-tmp" in str(path)]
            if any(path.exists() and path.stat().st_size > 1 << 20 for path in files):
                return
        if process.poll() is None:
            self.fail("no temporary output has appeared within a minute")

    def interrupted(self, number: signal.Signals) -> None:
        for _ in range(20):
            process = self.start(self.target)
            self.wait_for_output(process)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
            if process.returncode == 0:  # it was done before the signal came: once more
                shutil.rmtree(self.target)
                continue
            self.assertEqual(process.returncode, 130, said)
            self.assert_nothing_at(self.target)
            self.assert_no_leftovers(self.folder)
            self.assert_converts()
            return
        self.fail("the signal came too late twenty times")

    def test_control_c_cleans_up(self):
        self.interrupted(signal.SIGINT)

    def test_a_polite_request_to_end_cleans_up(self):
        self.interrupted(signal.SIGTERM)

    def test_killed_at_any_moment_nothing_is_at_the_target_and_the_next_run_succeeds(self):
        good = self.expected()
        randomness = random.Random(9)
        started = time.monotonic()
        self.assertEqual(run("convert", self.source, self.folder / "timed", *RULES).returncode, 0)
        whole = time.monotonic() - started
        killed = finished = 0
        for _ in range(100 if LONG else 12):
            process = self.start(self.target)
            time.sleep(randomness.uniform(0, 1.1 * whole))
            process.kill()
            process.communicate()
            if self.target.exists():
                self.assertEqual(digests(self.target), good, "something partial is at the target")
                shutil.rmtree(self.target)
                finished += 1
            else:
                killed += 1
        self.assertGreater(killed, 0)
        self.assertEqual(digests(self.source), self.before)
        self.assert_converts()

    def test_a_kill_under_force_leaves_the_old_checkpoint_or_the_new_one(self):
        good = self.expected()
        write_checkpoint(self.target, 1, 1000)
        old = digests(self.target)
        randomness = random.Random(7)
        for _ in range(30 if LONG else 5):
            process = self.start(self.target, "--force")
            time.sleep(randomness.uniform(0, 0.6))
            process.kill()
            process.communicate()
            self.assertTrue(self.target.exists(), "the old checkpoint is gone and the new one is not there")
            self.assertIn(digests(self.target), (old, good))

    def test_a_source_that_shrinks_meanwhile_is_an_error_and_no_death(self):
        shard = self.source / "model-00004-of-00004.safetensors"
        process = self.start(self.target, "--jobs", "1")
        self.wait_for_output(process)
        os.truncate(shard, 1000)
        _, said = process.communicate(timeout=60)
        self.assertIn(process.returncode, (3, 4), said)
        self.assertIn("model-00004-of-00004.safetensors", said)
        self.assertFalse(self.target.exists())
        self.assert_no_leftovers(self.folder)

    def test_two_runs_to_one_target_do_not_mix(self):
        good = self.expected()
        first, second = self.start(self.target), self.start(self.target)
        codes = []
        for process in (first, second):
            process.communicate(timeout=120)
            codes.append(process.returncode)
        self.assertIn(0, codes)
        self.assertEqual(digests(self.target), good)
        self.assert_no_leftovers(self.folder)


CASES = [ManyShards, Refusals, Interruptions]
