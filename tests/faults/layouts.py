"""Every call that may fail for want of space, quota or a sound disk, and kills, under the other layouts: shards of another
size, a subset, the library's own layout, one file out of many, shared blocks. Afterwards nothing is at the target, or all."""

import os
import pathlib
import re
import shutil
import unittest

from common import LONG, RULES, STRACE_WORKS, Traced, digests, file_system, run, write_checkpoint

FAULTS = {
    "write": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "pwrite64": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "fsync": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "syncfs": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "rename": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "renameat2": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "mkdir": ["error=ENOSPC", "error=EDQUOT", "error=EIO"],
    "openat": ["error=ENOSPC", "error=EDQUOT", "error=EIO"],
    "copy_file_range": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "signal=KILL"],
    "ioctl": ["error=ENOSPC", "error=EDQUOT", "error=EIO", "error=EOPNOTSUPP", "signal=KILL"],
    "pread64": ["error=EIO"],
    "madvise": ["error=EFAULT"],
    "lseek": ["error=EIO"],
    "statx": ["error=EIO"],
}
AT_ONCE = 1 if LONG else 4  # by default every fourth call of a kind; another one with each fault


@unittest.skipUnless(STRACE_WORKS, "strace is missing or may not trace here")
class Layouts(Traced):
    shards, tensor_bytes = 3, 90_000
    old = b""  # what is at the target before, if anything is

    def at_target(self) -> dict[str, str]:
        """A folder, or a file. Without the receipt: where blocks could not be shared after all it tells of more digests."""
        folder = self.target if self.target.is_dir() else self.target.parent
        names = {self.target.name} if folder == self.target.parent else {name for name in digests(folder) if name != "keyshift-receipt.json"}
        return {name: digest for name, digest in digests(folder).items() if name in names}

    def clear(self) -> None:
        for path in self.target.parent.iterdir():
            if path.name.lstrip(".").startswith("target"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self.old:
            self.target.write_bytes(self.old)

    def break_everything(self, *options) -> None:
        command = ["convert", self.source, self.target, *RULES, "--jobs", "1", *options]
        before = digests(self.source)
        self.clear()
        nothing = self.at_target()
        numbers = self.counts(list(FAULTS), command)
        good = self.at_target()
        self.assertNotEqual(good, nothing)
        tried = refused = 0
        for name, calls in numbers.items():
            for shift, fault in enumerate(FAULTS[name]):
                for number in calls[shift % AT_ONCE :: AT_ONCE]:
                    self.clear()
                    done = self.traced("-e", f"trace={name}", "-e", f"inject={name}:{fault}:when={number}", command=command)
                    tried += 1
                    refused += done.returncode != 0
                    with self.subTest(call=name, fault=fault, number=number):
                        there = self.at_target()
                        self.assertIn(there, (nothing, good), "something partial is at the target")
                        self.assertEqual(digests(self.source), before, "the source has changed")
                        if "KILL" in fault:
                            continue
                        self.assertIn(done.returncode, (0, 3, 4), done.stderr)
                        # With several threads two calls have that number, and one may be that of the words themselves.
                        is_mute = re.search(r"write\(2, .*INJECTED", (self.folder / "trace").read_text(errors="replace"))
                        self.assertTrue(done.returncode == 0 or done.stderr.strip() or is_mute, "not a word about it")
                        self.assertEqual(there == good, done.returncode == 0 or "published" in done.stderr, done.stderr)
        print(f"    {' '.join(map(str, options))}, {self.target.suffix or 'folder'}: {tried} faults, {refused} runs ended by them, lost 0")
        self.assertGreater(tried, 20)
        self.clear()
        self.assertEqual(run(*command).returncode, 0)
        self.assertEqual(self.at_target(), good)

    def test_shards_of_another_size(self):
        self.break_everything("--max-shard-size", "200KB")

    def test_a_subset(self):
        self.break_everything("--drop", r"layers\.[14]\.")

    def test_the_library_s_own_layout(self):
        self.break_everything("--layout", "canonical", "--digests", "never")

    def test_one_file_out_of_many(self):
        self.target = self.target.with_suffix(".safetensors")
        self.break_everything("--sha256")

    def test_one_file_that_replaces_another(self):
        self.target = self.target.with_suffix(".safetensors")
        self.old = b"an old checkpoint"
        self.break_everything("--force", "--receipt", self.folder / "target.json")

    def test_shards_that_share_blocks(self):
        with file_system("xfs", self.folder) as disk:
            self.source, self.target = disk / "source", disk / "target"
            write_checkpoint(self.source, self.shards, self.tensor_bytes)
            os.sync()
            self.break_everything("--copy", "auto")
            self.break_everything("--max-shard-size", "200KB")


CASES = [Layouts]
