"""Breaks things under a conversion: run.py KEYSHIFT. Afterwards the source must be what it was, and at the target there
must be nothing, or all of it."""

import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import suite  # noqa: E402

KEYSHIFT = ""
RULES = ["--rename", r"^model\.layers=>blocks"]
LONG = bool(os.environ.get("KEYSHIFT_TEST_ALL"))
NOBODY = 65534


def write_checkpoint(folder: pathlib.Path, shards: int, tensor_bytes: int, tensors: int = 4) -> None:
    """A sharded checkpoint of random bytes with its index and a side file."""
    folder.mkdir()
    randomness = random.Random(1)
    weight_map = {}
    for shard in range(shards):
        name = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        header, end = {"__metadata__": {"format": "pt"}}, 0
        for number in range(tensors):
            key = f"model.layers.{shard * tensors + number}.weight"
            header[key] = {"dtype": "U8", "shape": [tensor_bytes], "data_offsets": [end, end + tensor_bytes]}
            end += tensor_bytes
            weight_map[key] = name
        text = json.dumps(header).encode()
        with open(folder / name, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _ in range(tensors):
                block = randomness.randbytes(min(tensor_bytes, 1 << 20))  # random bytes are slow to make
                file.write((block * (tensor_bytes // len(block) + 1))[:tensor_bytes])
    index = {"metadata": {"total_size": shards * tensors * tensor_bytes}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text('{"model_type": "llama"}')


def digests(folder: pathlib.Path) -> dict[str, str]:
    """Of every file below, hidden ones too."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(*arguments, **options) -> subprocess.CompletedProcess:
    return subprocess.run([KEYSHIFT, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options)


class Faults(unittest.TestCase):
    """Each test has a folder with a source of one size; concrete classes say which."""

    shards, tensor_bytes = 3, 20_000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyshift-faults-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.source, self.target = self.folder / "source", self.folder / "target"
        write_checkpoint(self.source, self.shards, self.tensor_bytes)
        self.before = digests(self.source)

    def expected(self) -> dict[str, str]:
        """What an undisturbed conversion writes."""
        good = self.folder / "good"
        self.assertEqual(run("convert", self.source, good, *RULES).returncode, 0)
        written = digests(good)
        self.assertLessEqual(set(self.before) | {"keyshift-receipt.json"}, set(written))
        shutil.rmtree(good)
        return written

    def assert_nothing_at(self, target: pathlib.Path) -> None:
        self.assertFalse(os.path.lexists(target), f"{target} has appeared: {sorted(target.rglob('*')) if target.is_dir() else ''}")
        self.assertEqual(digests(self.source), self.before, "the source has changed")

    def assert_no_leftovers(self, folder: pathlib.Path) -> None:
        left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*keyshift-tmp*"))
        self.assertEqual(left, [], "temporary files are left")

    def assert_converts(self) -> None:
        """Whatever happened before, another run succeeds and leaves nothing but its result."""
        done = run("convert", self.source, self.target, *RULES)
        self.assertEqual(done.returncode, 0, done.stderr)
        verified = run("verify", self.source, self.target, *RULES)
        self.assertEqual(verified.returncode, 0, verified.stderr + verified.stdout)
        self.assert_no_leftovers(self.folder)
        self.assertEqual(digests(self.source), self.before, "the source has changed")


class Refusals(Faults):
    def assert_ends(self, done, code: int, *words: str) -> None:
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

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
        command = [KEYSHIFT, "convert", str(self.source), str(target), *RULES, *options]
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


STRACE_WORKS = (
    shutil.which("strace") is not None
    and subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0
)


@unittest.skipUnless(STRACE_WORKS, "strace is missing or may not trace here")
class SystemCalls(Faults):
    """Fails every system call of a conversion that writes, flushes or names, one after the other."""

    shards, tensor_bytes = 2, 3000

    CALLS = {
        "write": "ENOSPC", "pwrite64": "ENOSPC", "writev": "ENOSPC", "fsync": "EIO", "fdatasync": "EIO", "sync_file_range": "EIO",
        "rename": "EIO", "renameat": "EIO", "renameat2": "EIO", "mkdir": "ENOSPC", "mkdirat": "ENOSPC", "openat": "EMFILE",
        "ftruncate": "ENOSPC", "fallocate": "ENOSPC", "mmap": "ENOMEM", "flock": "EIO", "copy_file_range": "EIO", "read": "EIO",
        "pread64": "EIO", "fstat": "EIO", "newfstatat": "EIO", "madvise": "EFAULT", "unlink": "EIO", "unlinkat": "EIO",
        "clone3": "EAGAIN",
    }  # fmt: skip

    def traced(self, *strace) -> subprocess.CompletedProcess:
        command = ["strace", "-f", "-qq", "-o", str(self.folder / "trace"), *strace, KEYSHIFT, "convert", str(self.source),
                   str(self.target), *RULES]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def loaded_at(self, name: str) -> int:
        """How many calls of this kind come before main(): the loader's own may fail in its own ways."""
        probe = subprocess.run(["strace", "-f", "-qq", "-o", str(self.folder / "trace"), "-e", f"trace={name}", KEYSHIFT, "--version"],
                               capture_output=True, check=False)  # fmt: skip
        self.assertEqual(probe.returncode, 0)
        return self.count(name)

    def count(self, name: str) -> int:
        return len(re.findall(rf"^\d+ +{name}\(", (self.folder / "trace").read_text(errors="replace"), re.MULTILINE))

    def numbers_of(self, name: str) -> range:
        """The calls of this kind that a conversion makes itself, by their number in the process."""
        first = self.loaded_at(name) + 1
        shutil.rmtree(self.target, ignore_errors=True)
        self.assertEqual(self.traced("-e", f"trace={name}").returncode, 0)
        return range(first, self.count(name) + 1)

    def test_whichever_call_fails_there_is_nothing_or_all_at_the_target(self):
        good = self.expected()
        tried = 0
        for name, error in self.CALLS.items():
            for number in self.numbers_of(name):
                shutil.rmtree(self.target, ignore_errors=True)
                with self.subTest(call=name, number=number):
                    done = self.traced("-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}")
                    tried += 1
                    if done.returncode == 0:
                        self.assertEqual(digests(self.target), good)
                    else:
                        self.assertIn(done.returncode, (3, 4), done.stderr)
                        self.assertTrue(done.stderr.strip(), "not a word about it")
                    if self.target.exists():
                        self.assertEqual(digests(self.target), good, "something partial is at the target")
                        self.assertTrue(done.returncode == 0 or "published" in done.stderr, done.stderr)
                    self.assertEqual(digests(self.source), self.before, "the source has changed")
        print(f"    {tried} system calls failed, one a run")
        self.assertGreater(tried, 30)
        shutil.rmtree(self.target, ignore_errors=True)
        self.assert_converts()

    def test_killed_before_any_call_that_writes_there_is_nothing_or_all_at_the_target(self):
        good = self.expected()
        tried = 0
        for name in self.CALLS:
            for number in self.numbers_of(name):
                shutil.rmtree(self.target, ignore_errors=True)
                with self.subTest(call=name, number=number):
                    self.traced("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}")
                    tried += 1
                    if self.target.exists():
                        self.assertEqual(digests(self.target), good, "something partial is at the target")
                    self.assertEqual(digests(self.source), self.before, "the source has changed")
        print(f"    killed at {tried} system calls, one a run")
        self.assertGreater(tried, 30)
        shutil.rmtree(self.target, ignore_errors=True)
        self.assert_converts()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    KEYSHIFT = str(pathlib.Path(sys.argv[1]).resolve())
    sys.exit(suite.run("faults under a conversion", Refusals, Interruptions, SystemCalls))
