"""Faults under a conversion in place and under recover: afterwards every file is the old one, or every one is the new one,
and at most one `recover` lies between."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time
import unittest

import common
from common import LONG, NOBODY, ROOT, STRACE_WORKS, Faults, Traced, digests, file_system, run, write_checkpoint

# The first shard gets names that its header has no room for, the others shorter ones.
LONG_NAME = "b" * 1500
RULES = ["--rename", rf"^model\.layers\.0\.=>{LONG_NAME}.0.", "--rename", rf"^model\.layers\.1\.=>{LONG_NAME}.1.",
         "--rename", "^model=>m"]  # fmt: skip


class InPlace(Faults):
    """Works on copies of the source, on whatever file system `self.work` lies."""

    tensor_bytes = 5000

    def setUp(self):
        super().setUp()
        self.work = self.folder / "work"

    def fresh(self) -> pathlib.Path:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.source, self.work)
        return self.work

    def converted(self) -> dict[str, str]:
        """What an undisturbed run makes of the files."""
        done = run("convert", "--in-place", self.fresh(), *RULES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("verify", self.source, self.work, *RULES).returncode, 0)
        new = digests(self.work)
        self.assertEqual(set(new), set(self.before) | {"keyshift-receipt.json"})
        self.assertNotEqual(new["model-00001-of-00003.safetensors"], self.before["model-00001-of-00003.safetensors"])
        return new

    def journal_is_there(self) -> bool:
        return (self.work / ".keyshift-journal").exists()

    def recovered(self, new: dict[str, str]) -> str:
        """Recovers what a fault has left, and says what it has become."""
        if self.journal_is_there():
            met = run("inspect", self.work)
            self.assert_ends(met, 3, "keyshift recover")
        done = run("recover", self.work)
        self.assertEqual(done.returncode, 0, done.stderr)
        now = digests(self.work)
        self.assertIn(now, (self.before, new), "a third thing")
        return "new" if now == new else "old"


class Refusals(InPlace):
    def refused(self, code: int, *words: str, **options) -> None:
        before = digests(self.work)
        self.assert_ends(run("convert", "--in-place", self.work, *RULES, **options), code, *words)
        self.assertEqual(digests(self.work), before)

    @unittest.skipUnless(ROOT, "needs root to become somebody else")
    def test_in_place_files_that_may_not_be_written_are_refused(self):
        self.fresh()
        self.refused(4, "Permission denied", "make it writable", user=NOBODY, group=NOBODY, extra_groups=[])

    @unittest.skipUnless(ROOT, "needs root to mount")
    def test_in_place_a_read_only_file_system_is_refused(self):
        self.fresh()
        for options in (["--bind"], ["-o", "remount,bind,ro"]):
            mounted = subprocess.run(["mount", *options, self.work, self.work], capture_output=True, text=True, check=False)
            if mounted.returncode != 0:
                self.skipTest(f"cannot mount here: {mounted.stderr.strip()}")
            self.addCleanup(subprocess.run, ["umount", self.work], check=False, capture_output=True)
        self.refused(4, "Read-only file system", "convert to another place instead")
        subprocess.run(["umount", self.work], check=True)

    def test_in_place_a_file_size_limit_changes_nothing(self):
        new = self.converted()
        self.fresh()
        for limit in (100, 1000, 5000):
            limits = (limit, limit)
            done = run("convert", "--in-place", self.work, *RULES,
                       preexec_fn=lambda limits=limits: resource.setrlimit(resource.RLIMIT_FSIZE, limits))  # fmt: skip
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertEqual(self.recovered(new), "old")

    def test_in_place_two_runs_at_once_do_not_mix(self):
        new = self.converted()
        for _ in range(20 if LONG else 5):
            command = [common.KEYSHIFT, "convert", "--in-place", str(self.fresh()), *RULES]
            runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
            codes = []
            for process in runs:
                process.communicate(timeout=60)
                codes.append(process.returncode)
            self.assertIn(0, codes)
            self.assertEqual(run("recover", self.work).returncode, 0)
            now = {name: digest for name, digest in digests(self.work).items() if name != "keyshift-receipt.json"}
            self.assertEqual(now, {name: digest for name, digest in new.items() if name != "keyshift-receipt.json"})


def sync(place: pathlib.Path) -> None:
    subprocess.run(["sync", "-f", place], check=True)


class FullDisks(InPlace):
    def fill(self, place: pathlib.Path, leave: int) -> None:
        """Leaves about so many bytes free."""
        filler = place / "filler"
        filler.unlink(missing_ok=True)
        sync(place)
        free = os.statvfs(place)
        with open(filler, "wb") as file:
            room = free.f_bavail * free.f_frsize - leave
            with contextlib.suppress(OSError):  # it is full
                for at in range(0, max(0, room), 1 << 16):
                    file.write(b"x" * min(1 << 16, room - at))
                    file.flush()
                os.fsync(file.fileno())

    def on_full_disk(self, kind: str, most: int, size: int = 0) -> None:
        outcomes = {"old": 0, "new": 0}
        with file_system(kind, self.folder, size) as place:
            self.work = place / "work"
            new = self.converted()
            for leave in range(0, most, most // (100 if LONG else 12)):
                self.fresh()
                self.fill(place, leave)
                done = run("convert", "--in-place", self.work, *RULES)
                self.assertIn(done.returncode, (0, 4), done.stderr)
                if self.journal_is_there():  # no room to roll back either: make some
                    self.assertIn("keyshift recover", done.stderr)
                (place / "filler").unlink()
                sync(place)  # btrfs gives room back with its next transaction
                outcomes[self.recovered(new)] += 1
        print(f"    {kind}: {sum(outcomes.values())} full disks, old {outcomes['old']}, new {outcomes['new']}, lost 0")
        self.assertGreater(outcomes["old"], 0)
        self.assertGreater(outcomes["new"], 0)

    def test_in_place_on_a_full_ext4_all_is_old_or_new(self):
        self.on_full_disk("ext4", 120_000)

    def test_in_place_on_a_full_tmpfs_all_is_old_or_new(self):
        self.on_full_disk("tmpfs", 120_000, 2 << 20)

    def test_in_place_on_a_full_btrfs_all_is_old_or_new(self):
        self.on_full_disk("btrfs-mixed", 6 << 20)


class Interruptions(InPlace):
    shards, tensor_bytes = 4, 8 << 20

    @unittest.skipUnless(ROOT, "needs root to mount")
    def test_in_place_control_c_while_data_is_copied_changes_nothing(self):
        with file_system("tmpfs", self.folder, 1 << 30) as place:
            self.work = place / "work"
            rules = ["--rename", rf"^model=>{LONG_NAME}"]
            for _ in range(20):
                process = subprocess.Popen([common.KEYSHIFT, "convert", "--in-place", str(self.fresh()), *rules],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                           preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
                until = time.monotonic() + 60
                while not list(self.work.glob(".*.keyshift-new")) and process.poll() is None and time.monotonic() < until:
                    time.sleep(0.001)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=60)
                if process.returncode == 0:  # it was done before the signal came: once more
                    continue
                self.assertEqual(process.returncode, 130, said)
                self.assertEqual(digests(self.work), self.before)
                return
        self.fail("the signal came too late twenty times")


CALLS = {
    "write": "ENOSPC", "pwrite64": "ENOSPC", "fsync": "EIO", "fdatasync": "EIO", "fallocate": "ENOSPC", "ioctl": "ENOSPC", "copy_file_range": "EIO",
    "rename": "EIO", "renameat2": "EIO", "link": "EMLINK", "unlink": "EIO", "openat": "EMFILE", "flock": "EIO", "fcntl": "EACCES",
    "mmap": "ENOMEM", "pread64": "EIO", "read": "EIO", "newfstatat": "EIO", "fstat": "EIO", "fchmod": "EPERM", "fchown": "EPERM",
    "madvise": "EFAULT", "clone3": "EAGAIN",
}  # fmt: skip
CHANGING = ["pwrite64", "fsync", "fdatasync", "fallocate", "ioctl", "copy_file_range", "rename", "renameat2", "link", "unlink"]


class SystemCalls(InPlace, Traced):
    def command(self) -> list:
        return ["convert", "--in-place", self.fresh(), *RULES, "--jobs", "1"]  # strace counts calls by thread

    def tell(self, what: str, outcomes: dict[str, int]) -> None:
        tried = sum(outcomes.values())
        print(f"    {what}: {tried} tried, one a run; old {outcomes['old']}, new {outcomes['new']}, lost 0")
        self.assertGreater(tried, 20)

    def kill_everywhere(self, what: str, calls: list[str]) -> None:
        new = self.converted()
        outcomes = {"old": 0, "new": 0}
        for name, numbers in self.counts(calls, self.command()).items():
            for number in numbers:
                with self.subTest(call=name, number=number):
                    self.traced("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}", command=self.command())
                    outcomes[self.recovered(new)] += 1
        self.tell(what, outcomes)
        self.assertGreater(min(outcomes.values()), 0)


@unittest.skipUnless(STRACE_WORKS, "strace is missing or may not trace here")
class InPlaceSystemCalls(SystemCalls):
    def test_in_place_killed_at_any_call_all_is_old_or_new(self):
        self.kill_everywhere("killed", list(CALLS))

    def test_in_place_whichever_call_fails_all_is_old_or_new(self):
        new = self.converted()
        outcomes = {"old": 0, "new": 0}
        for name, numbers in self.counts(list(CALLS), self.command()).items():
            for number in numbers:
                with self.subTest(call=name, number=number):
                    done = self.traced("-e", f"trace={name}", "-e", f"inject={name}:error={CALLS[name]}:when={number}",
                                       command=self.command())  # fmt: skip
                    if done.returncode == 0:
                        self.assertEqual(digests(self.work), new)
                    else:
                        self.assertIn(done.returncode, (3, 4), done.stderr)
                        self.assertTrue(done.stderr.strip(), "not a word about it")
                    if self.journal_is_there():
                        self.assertIn("keyshift recover", done.stderr)
                    outcomes[self.recovered(new)] += 1
        self.tell("calls that fail", outcomes)

    def test_in_place_from_a_call_on_everything_fails(self):
        """A disk that dies: neither going on nor rolling back works, until recover meets a disk that is well again."""
        new = self.converted()
        outcomes = {"old": 0, "new": 0}
        for name, numbers in self.counts(["pwrite64", "fsync", "fdatasync"], self.command()).items():
            for number in numbers:
                with self.subTest(call=name, number=number):
                    done = self.traced("-e", "trace=pwrite64,fsync,fdatasync", "-e", f"inject={name}:error=EIO:when={number}+",
                                       command=self.command())  # fmt: skip
                    self.assertEqual(done.returncode, 4, done.stderr)
                    outcomes[self.recovered(new)] += 1
        self.tell("disks that die", outcomes)

    def recover_everywhere(self, options: list[str]) -> None:
        """Recover itself is killed at each of its calls, and called again."""
        new = self.converted()
        # Killed when the last file takes its name: all that recover does is still to be done, or has to be taken back.
        numbers = self.counts(["rename"], self.command())["rename"]
        self.traced("-e", "trace=rename", "-e", f"inject=rename:signal=KILL:when={numbers[-1]}", command=self.command())
        self.assertTrue(self.journal_is_there())
        cut = self.folder / "cut"
        shutil.copytree(self.work, cut, copy_function=shutil.copy2)

        def command() -> list:
            shutil.rmtree(self.work)
            # Second names of one file must stay that.
            subprocess.run(["cp", "-a", cut, self.work], check=True)
            return ["recover", self.work, *options, "--jobs", "1"]

        outcomes = {"old": 0, "new": 0}
        for name, numbers in self.counts(CHANGING + ["openat", "read", "flock"], command()).items():
            for number in numbers:
                with self.subTest(call=name, number=number):
                    self.traced("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}", command=command())
                    outcomes[self.recovered(new)] += 1
        self.tell(f"recover {' '.join(options)} killed", outcomes)

    def test_recover_killed_at_any_call_is_finished_by_the_next(self):
        self.recover_everywhere([])

    def test_recover_killed_while_it_rolls_back_leaves_old_or_new(self):
        self.recover_everywhere(["--roll-back"])

    def on(self, kind: str) -> None:
        with file_system(kind, self.folder) as place:
            self.work = place / "work"
            self.kill_everywhere(f"killed on {kind}", CHANGING)

    def test_in_place_killed_at_any_change_on_xfs(self):
        self.on("xfs")

    def test_in_place_killed_at_any_change_on_btrfs(self):
        self.on("btrfs")

    def test_in_place_killed_at_any_change_on_tmpfs(self):
        self.on("tmpfs")


@unittest.skipUnless(STRACE_WORKS, "strace is missing or may not trace here")
class RevertSystemCalls(SystemCalls):
    """Back again: the first shard's blocks are taken out, where the file system does that."""

    def setUp(self):
        super().setUp()
        self.original = self.before
        self.before = super().converted()
        self.source = self.folder / "converted"
        self.work.rename(self.source)

    def converted(self) -> dict[str, str]:
        return self.original

    def command(self) -> list:
        return ["revert", "--in-place", self.fresh(), "--jobs", "1"]

    def test_revert_in_place_killed_at_any_change_all_is_old_or_new(self):
        self.kill_everywhere("revert killed", CHANGING)

    def test_revert_in_place_killed_at_any_change_on_xfs(self):
        with file_system("xfs", self.folder) as place:
            self.work = place / "work"
            self.kill_everywhere("revert killed on xfs", CHANGING)


CASES = [Refusals, FullDisks, Interruptions, InPlaceSystemCalls, RevertSystemCalls]
