"""Fails, and kills, a conversion at each of its system calls."""

import shutil
import unittest

from common import RULES, STRACE_WORKS, Traced, digests, run, write_checkpoint


@unittest.skipUnless(STRACE_WORKS, "strace is missing or may not trace here")
class SystemCalls(Traced):
    """Fails every system call of a conversion that writes, flushes or names, one after the other."""

    shards, tensor_bytes = 2, 3000

    CALLS = {
        "write": "ENOSPC", "pwrite64": "ENOSPC", "writev": "ENOSPC", "fsync": "EIO", "fdatasync": "EIO", "sync_file_range": "EIO",
        "rename": "EIO", "renameat": "EIO", "renameat2": "EIO", "mkdir": "ENOSPC", "mkdirat": "ENOSPC", "openat": "EMFILE",
        "ftruncate": "ENOSPC", "fallocate": "ENOSPC", "mmap": "ENOMEM", "flock": "EIO", "copy_file_range": "EIO", "read": "EIO",
        "pread64": "EIO", "fstat": "EIO", "newfstatat": "EIO", "madvise": "EFAULT", "unlink": "EIO", "unlinkat": "EIO",
        "clone3": "EAGAIN",
    }  # fmt: skip

    def command(self) -> list:
        shutil.rmtree(self.target, ignore_errors=True)
        return ["convert", self.source, self.target, *RULES, "--jobs", "1"]  # strace counts calls by thread

    def test_whichever_call_fails_there_is_nothing_or_all_at_the_target(self):
        good = self.expected()
        tried = 0
        for name, numbers in self.counts(list(self.CALLS), self.command()).items():
            for number in numbers:
                with self.subTest(call=name, number=number):
                    done = self.traced("-e", f"trace={name}", "-e", f"inject={name}:error={self.CALLS[name]}:when={number}",
                                       command=self.command())  # fmt: skip
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
        for name, numbers in self.counts(list(self.CALLS), self.command()).items():
            for number in numbers:
                with self.subTest(call=name, number=number):
                    self.traced("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}", command=self.command())
                    tried += 1
                    if self.target.exists():
                        self.assertEqual(digests(self.target), good, "something partial is at the target")
                    self.assertEqual(digests(self.source), self.before, "the source has changed")
        print(f"    killed at {tried} system calls, one a run")
        self.assertGreater(tried, 30)
        shutil.rmtree(self.target, ignore_errors=True)
        self.assert_converts()


@unittest.skipUnless(STRACE_WORKS, "strace is missing or may not trace here")
class WithoutExchange(Traced):
    """--force where the file system cannot exchange two names in one step, as NFS and FUSE cannot."""

    shards, tensor_bytes = 2, 3000
    INJECT = ("-e", "trace=renameat2,rename,fsync,unlinkat", "-e", "inject=renameat2:error=EINVAL")

    def test_killed_or_failing_at_any_step_the_old_checkpoint_or_the_new_one_is_there_after_the_next_run(self):
        good = self.expected()
        command = ["convert", self.source, self.target, *RULES, "--force", "--jobs", "1"]
        old, tried = {}, 0
        for name in ("rename", "fsync", "unlinkat"):
            for fault in ("signal=KILL", "error=EIO"):
                for number in range(1, 50):
                    shutil.rmtree(self.target, ignore_errors=True)
                    write_checkpoint(self.target, 1, 1000)
                    old = digests(self.target)
                    done = self.traced(*self.INJECT, "-e", f"inject={name}:{fault}:when={number}", command=command)
                    if done.returncode == 0 and self.count(name) < number:
                        break
                    tried += 1
                    with self.subTest(call=name, fault=fault, number=number):
                        aside = self.folder / ".target.keyshift-old"
                        self.assertIn(old if aside.exists() else digests(self.target), (old, good))
                        again = run("convert", self.source, self.target, *RULES)
                        self.assert_ends(again, 2, "exists and is not empty")
                        self.assertIn(digests(self.target), (old, good))
                        self.assertEqual(run(*command).returncode, 0)
                        self.assertEqual(digests(self.target), good)
                        self.assert_no_leftovers(self.folder)
                        self.assertEqual(digests(self.source), self.before, "the source has changed")
        print(f"    {tried} steps of a replacement killed or failed, lost 0")
        self.assertGreater(tried, 20)


CASES = [SystemCalls, WithoutExchange]
