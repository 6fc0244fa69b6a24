"""Power cuts, made after the fact: a command works on a file system whose disk logs every block that is written and every
flush. Any moment of that log can be played back into an image, which is what the disk would have held if the power had
failed then: all writes up to there in their order, or, of those after the last flush, only some, the last one torn."""

import contextlib
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator

from common import MKFS, ROOT, make_image, mounted

HERE = pathlib.Path(__file__).resolve().parent
RECORD = struct.Struct("<cQI")  # kind, offset, length
SECTOR = 4096  # what a disk writes wholly or not at all; XFS asks as much for its metadata


@contextlib.contextmanager
def fuse_disk(folder: pathlib.Path, image: pathlib.Path, what: str, value: str):
    """Serves `image` as folder/fuse/disk. Skips the test where /dev/fuse may not be used."""
    if not ROOT or not os.path.exists("/dev/fuse"):
        raise unittest.SkipTest("needs root and /dev/fuse")
    place = folder / "fuse"
    place.mkdir(exist_ok=True)
    command = [sys.executable, str(HERE / "fuse_disk.py"), str(place), str(image), what, value]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        if server.stdout.readline() != "ready\n":
            raise unittest.SkipTest(f"cannot serve a disk here: {server.stderr.read().strip()}")
        try:
            yield place / "disk"
        finally:
            for _ in range(50):
                if subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode == 0:
                    break
                time.sleep(0.1)
            server.wait(timeout=30)


@contextlib.contextmanager
def loop_device(file: pathlib.Path):
    made = subprocess.run(["losetup", "-f", "--show", str(file)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise unittest.SkipTest(f"no loop device here: {made.stderr.strip()}")
    try:
        yield made.stdout.strip()
    finally:
        subprocess.run(["losetup", "-d", made.stdout.strip()], check=True)


def copy_sparse(source: pathlib.Path, target: pathlib.Path) -> None:
    """Only what there is is copied: an image is mostly hole."""
    with open(source, "rb") as read, open(target, "wb") as write:
        size = os.fstat(read.fileno()).st_size
        write.truncate(size)
        at = 0
        while at < size:
            try:
                begin = os.lseek(read.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but hole up to the end
                break
            at = os.lseek(read.fileno(), begin, os.SEEK_HOLE)
            os.lseek(write.fileno(), begin, os.SEEK_SET)
            os.lseek(read.fileno(), begin, os.SEEK_SET)
            left = at - begin
            while left > 0:
                left -= os.sendfile(write.fileno(), read.fileno(), None, left)


class Recording:
    """What a command wrote to the disk, block by block. Use within a `with`."""

    def __init__(self, kind: str, prepare: Callable, command: Callable, size: int = 0):
        """prepare(folder), command(folder): called with the mounted file system; what prepare wrote is on the disk."""
        memory = pathlib.Path("/dev/shm")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyshift-cuts-", dir=memory if memory.is_dir() else None))
        try:
            self._record(kind, prepare, command, size)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _record(self, kind: str, prepare: Callable, command: Callable, size: int) -> None:
        self.kind, self.base = kind, self.folder / "base"
        if not ROOT:
            raise unittest.SkipTest("needs root to mount a file system")
        assert kind in MKFS
        make_image(kind, self.base, size)
        with mounted(kind, str(self.base), self.folder / "mnt", "loop") as place:
            prepare(place)
        live, log = self.folder / "live", self.folder / "log"
        copy_sparse(self.base, live)
        with fuse_disk(self.folder, live, "log", str(log)) as disk, loop_device(disk) as device:
            with mounted(kind, device, self.folder / "mnt") as place:
                began = log.stat().st_size
                command(place)
                returned = log.stat().st_size
        live.unlink()
        self.records, self.began, self.returned = [], 0, 0
        with open(log, "rb") as file:
            while head := file.read(RECORD.size):
                self.began += file.tell() <= began
                self.returned += file.tell() <= returned
                what, offset, length = RECORD.unpack(head)
                self.records.append((what, offset, file.read(length)))
        log.unlink()

    def cuts(self, at_most: int, seed: int) -> Iterator[tuple[int, pathlib.Path]]:
        """Pairs of how many records had been made, and an image of that moment; it may be mounted, and is gone afterwards. Half
        of them have all writes up to there, the others lack some of those that no flush has covered."""
        randomness = random.Random(seed)
        moments = [n + 1 for n in range(self.began, len(self.records)) if self.records[n][0] == b"W"]
        if len(moments) > at_most // 2:
            moments = sorted(randomness.sample(moments, at_most // 2))
        prefix, cut, done, flushed = self.folder / "prefix", self.folder / "cut", 0, self.folder / "flushed"
        copy_sparse(self.base, prefix)
        copy_sparse(self.base, flushed)
        covered = 0
        for moment in moments:
            last = max((n + 1 for n in range(covered, moment) if self.records[n][0] == b"F"), default=covered)
            self._play(flushed, covered, last)
            covered = last
            self._play(prefix, done, moment)
            done = moment
            copy_sparse(prefix, cut)
            yield moment, cut
            copy_sparse(flushed, cut)
            self._play(cut, covered, moment, randomness)
            yield moment, cut
            cut.unlink()

    def _play(self, image: pathlib.Path, begin: int, end: int, loses: random.Random | None = None) -> None:
        with open(image, "r+b") as file:
            for kind, offset, data in self.records[begin:end]:
                if loses is not None and loses.random() < 0.5:
                    continue
                if loses is not None and loses.random() < 0.1:
                    data = data[: SECTOR * loses.randrange(len(data) // SECTOR + 1)]
                if kind == b"W":
                    file.seek(offset)
                    file.write(data)
