"""What file systems can do, on loop mounts: file_systems.py KEYSHIFT. Blocks are shared on XFS and btrfs and take no
space, a forced way that cannot be gone is refused before anything is written, and every way gives the same bytes. Then what FUSE does (fuse_mounts.py)."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import common as faults  # noqa: E402
import fuse_mounts  # noqa: E402
import suite  # noqa: E402

RULES = ["--rename", r"^model\.layers=>blocks.that.have.a.much.longer.name"]
KEYSHIFT = ""


def keyshift(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([KEYSHIFT, *map(str, arguments)], capture_output=True, text=True, timeout=300)


class OnLoop(unittest.TestCase):
    """A file system of its own for each class, with a source on it."""

    make: list[str] = []
    shares = False

    @classmethod
    def setUpClass(cls):
        if not cls.make:
            raise unittest.SkipTest("no file system")
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root to mount")
        if shutil.which(cls.make[0]) is None:
            raise unittest.SkipTest(f"{cls.make[0]} is not installed")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyshift-loop-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        image, cls.disk = cls.folder / "image", cls.folder / "disk"
        cls.disk.mkdir()
        with open(image, "wb") as file:
            file.truncate(512 << 20)
        made = subprocess.run([*cls.make, image], capture_output=True, text=True)
        if made.returncode != 0:
            raise unittest.SkipTest(f"{cls.make[0]}: {made.stderr.strip()}")
        mounted = subprocess.run(["mount", "-o", "loop", image, cls.disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            raise unittest.SkipTest(f"cannot mount a loop device here: {mounted.stderr.strip()}")
        cls.addClassCleanup(subprocess.run, ["umount", cls.disk], check=True)
        cls.source = cls.disk / "source"
        faults.write_checkpoint(cls.source, 3, 5_000_001)
        subprocess.run(["sync", "-f", cls.disk], check=True)

    def setUp(self):
        self.out = self.disk / "out"
        self.addCleanup(shutil.rmtree, self.out, ignore_errors=True)

    def used(self) -> int:
        subprocess.run(["sync", "-f", self.disk], check=True)
        status = os.statvfs(self.disk)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def convert(self, *options, out=None, code=0):
        done = keyshift("convert", self.source, out or self.out, *RULES, "--json", *options)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if code == 0 else done

    def weights(self, folder) -> dict[str, str]:
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.safetensors"))}

    def test_every_way_that_can_be_gone_gives_the_same_bytes(self):
        self.convert("--copy", "stream")
        expected = self.weights(self.out)
        for way in ["auto", "range", *(["reflink"] if self.shares else [])]:
            for digests in ["auto", "always", "never"]:
                out = self.disk / f"{way}-{digests}"
                self.addCleanup(shutil.rmtree, out, ignore_errors=True)
                told = self.convert("--copy", way, "--digests", digests, out=out)
                with self.subTest(way=way, digests=digests):
                    self.assertEqual(self.weights(out), expected)
                    self.assertEqual(keyshift("verify", self.source, out).returncode, 0)
                    streamed = way == "auto" and not self.shares
                    known = digests == "always" or (digests == "auto" and streamed)
                    self.assertEqual([shard["xxh3_128"] is not None for shard in told["shards"]], [known] * 3)
                shutil.rmtree(out)

    def test_auto_shares_blocks_where_they_can_be_and_they_take_no_space(self):
        before = self.used()
        told = self.convert()
        grown = self.used() - before
        if self.shares:
            self.assertGreater(told["copy"]["reflink"], 0.99 * told["data_bytes"])
            self.assertLess(grown, 3_000_000)
        else:
            self.assertEqual(told["copy"]["reflink"], 0)
            self.assertGreater(grown, 0.9 * told["data_bytes"])

    def test_the_receipt_tells_what_was_not_digested_and_revert_still_gives_the_original_s_bytes(self):
        self.convert()
        receipt = json.loads((self.out / "keyshift-receipt.json").read_text())
        self.assertEqual(all(row[2] is None for row in receipt["tensors"]), self.shares)
        back = self.disk / "back"
        self.addCleanup(shutil.rmtree, back, ignore_errors=True)
        self.assertEqual(keyshift("revert", self.out, back).returncode, 0)
        self.assertEqual(self.weights(back), self.weights(self.source))

    def test_the_plan_tells_beforehand_which_way_each_extent_goes(self):
        done = keyshift("plan", self.source, self.out, *RULES, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        plan = json.loads(done.stdout)
        ways = {extent["copy"] for shard in plan["shards"] for extent in shard["extents"]}
        self.assertEqual(ways, {"reflink"} if self.shares else {"stream"})
        self.assertEqual(plan["needed_bytes"] < 1_000_000, self.shares)
        self.assertFalse(self.out.exists())

    def test_a_layout_that_moves_bytes_within_blocks_is_streamed_and_reflink_is_refused_for_it(self):
        told = self.convert("--layout", "canonical")
        self.assertEqual(told["copy"]["reflink"], 0)
        self.assertTrue(all(shard["xxh3_128"] for shard in told["shards"]))
        refused = self.convert("--layout", "canonical", "--copy", "reflink", out=self.disk / "none", code=2)
        self.assertIn("--copy reflink cannot be done", refused.stderr)
        self.assertEqual(sorted(p.name for p in self.disk.glob("*none*")), [])

    def test_another_file_system_is_reached_by_a_stream_and_reflink_is_refused_for_it(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            out = pathlib.Path(elsewhere) / "out"
            refused = self.convert("--copy", "reflink", out=out, code=2)
            self.assertIn("no blocks can be shared from there", refused.stderr)
            self.assertEqual(list(pathlib.Path(elsewhere).iterdir()), [])
            told = self.convert(out=out)
            self.assertEqual(told["copy"]["stream"], told["data_bytes"])

    def test_new_shards_share_what_can_be_shared_and_digest_the_rest(self):
        told = self.convert("--max-shard-size", "32MB")
        self.assertEqual(keyshift("verify", self.source, self.out).returncode, 0)
        self.assertGreater(told["copy"]["stream"], 0)
        if self.shares:
            self.assertGreater(told["copy"]["reflink"], told["data_bytes"] // 2)
            receipt = json.loads((self.out / "keyshift-receipt.json").read_text())
            self.assertEqual({row[2] is None for row in receipt["tensors"]}, {True, False})

    def test_shards_that_are_put_together_share_what_most_of_their_bytes_allow(self):
        parts = self.disk / "parts"
        self.addCleanup(shutil.rmtree, parts, ignore_errors=True)
        largest, others = 6 << 20, 4 << 20
        faults.write_checkpoint(parts, 3, others, tensors=1)
        # The largest has a longer header than the others, and so another place within a block.
        header = json.dumps({"big": {"dtype": "U8", "shape": [largest], "data_offsets": [0, largest]}, "__metadata__": {"x": "y" * 50}}).encode()
        (parts / "model-00001-of-00004.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + os.urandom(largest))
        for number in (3, 2, 1):
            (parts / f"model-{number:05d}-of-00003.safetensors").rename(parts / f"model-{number + 1:05d}-of-00004.safetensors")
        (parts / "model.safetensors.index.json").unlink()
        self.assertEqual(keyshift("reindex", parts).returncode, 0)
        out = self.disk / "out.safetensors"
        self.addCleanup(lambda: [path.unlink() for path in self.disk.glob("out.*")])
        before = self.used()
        done = keyshift("convert", parts, out, *RULES, "--json")
        grown = self.used() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(keyshift("verify", parts, out).returncode, 0)
        told = json.loads(done.stdout)
        if self.shares:
            self.assertEqual(told["copy"]["reflink"], 3 * others)
            self.assertLess(grown, largest + (1 << 20))
            self.assertGreater(grown, largest - (1 << 20))
        else:
            self.assertEqual(told["copy"]["reflink"], 0)

    def test_a_disk_that_becomes_full_leaves_nothing(self):
        if self.shares:
            self.skipTest("shared blocks fill no disk")
        filler = self.disk / "filler"
        self.addCleanup(filler.unlink, missing_ok=True)
        free = os.statvfs(self.disk).f_bavail * os.statvfs(self.disk).f_frsize
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - 20_000_000)
        self.convert(code=4)
        self.assertEqual(sorted(p.name for p in self.disk.glob("*out*")), [])


class Xfs(OnLoop):
    """XFS"""

    make, shares = ["mkfs.xfs", "-q", "-f"], True


class XfsWithoutReflink(OnLoop):
    """XFS made without reflink"""

    make = ["mkfs.xfs", "-q", "-f", "-m", "reflink=0,rmapbt=0"]


class Btrfs(OnLoop):
    """btrfs"""

    make, shares = ["mkfs.btrfs", "-q", "-f"], True


class Ext4(OnLoop):
    """ext4"""

    make = ["mkfs.ext4", "-q", "-F"]


def main() -> int:
    global KEYSHIFT
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    KEYSHIFT = faults.KEYSHIFT = str(pathlib.Path(sys.argv[1]).resolve())
    return suite.run("file systems", Xfs, XfsWithoutReflink, Btrfs, Ext4, fuse_mounts.OnFuse)


if __name__ == "__main__":
    sys.exit(main())
