"""A disk that dies under the source: reads fail with EIO, also under a mapping, where the kernel answers with SIGBUS."""

import os
import pathlib
import shutil

from block_log import fuse_disk
from common import RULES, Faults, digests, run


class ReadErrors(Faults):
    shards, tensor_bytes = 1, 3 << 20

    def with_failing_source(self, first: int, use) -> None:
        """use(path): a shard whose bytes from `first` on cannot be read."""
        shard = next(self.source.glob("*.safetensors"))
        with fuse_disk(self.folder, shard, "eio", str(first)) as disk:
            link = self.folder / "model.safetensors"
            link.unlink(missing_ok=True)
            link.symlink_to(disk)
            use(link)

    def test_a_read_error_anywhere_in_the_source_is_an_error_with_the_file_and_no_death(self):
        size = next(self.source.glob("*.safetensors")).stat().st_size
        places = [0, 100, 4096, 1 << 20, 5 << 20, size - 4096, size - 1]
        target = self.folder / "out.safetensors"

        def convert(path: pathlib.Path) -> None:
            for io in ("auto", "mmap", "read"):
                for jobs in ("1", "2"):
                    done = run("convert", path, target, *RULES, "--jobs", jobs, "--io", io)
                    self.assert_ends(done, 4)
                    self.assertRegex(done.stderr, r"/model\.safetensors: byte \d+: ")
                    self.assertFalse(os.path.lexists(target))
                    self.assert_no_leftovers(self.folder)

        for first in places:
            with self.subTest(first=first):
                self.with_failing_source(first, convert)
        print(f"    {len(places) * 6} conversions met a read error, lost 0")
        self.assertEqual(digests(self.source), self.before)

    def test_a_read_error_is_an_error_for_whoever_only_reads(self):
        shutil.copytree(self.source, self.folder / "same")

        def read(path: pathlib.Path) -> None:
            for command in (["roundtrip", path], ["verify", self.folder / "same", path]):
                done = run(*command)
                self.assert_ends(done, 4, "model.safetensors")

        self.with_failing_source(5 << 20, read)


CASES = [ReadErrors]
