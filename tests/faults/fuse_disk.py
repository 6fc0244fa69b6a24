"""A file that is a disk: `disk` in a mount point of its own, served over /dev/fuse by this process, without any library.

    fuse_disk.py MOUNTPOINT IMAGE log LOG     every write and flush is appended to LOG (block_log.py reads it)
    fuse_disk.py MOUNTPOINT IMAGE eio FIRST   reads at or behind the byte FIRST fail, as those of a dying disk do

`ready` on standard output says that it is mounted; it ends when it is unmounted. Needs root."""

import ctypes
import errno
import os
import stat
import struct
import sys

LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = (
    1, 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 27, 28, 29)  # fmt: skip
INTERRUPT, DESTROY, BATCH_FORGET = 36, 38, 42
IN_HEADER = struct.Struct("<IIQQIIIHH")  # length, operation, unique, node, uid, gid, pid, extensions, padding
ATTRIBUTES = struct.Struct("<6Q10I")
ROOT_NODE, DISK_NODE = 1, 2
MAX_WRITE = 1 << 20
BIG_WRITES, MAX_PAGES = 1 << 5, 1 << 22
DIRECT_IO = 1


class Disk:
    def __init__(self, mount_point: str, image: str, log: str | None, fail_from: int | None):
        self.image = os.open(image, os.O_RDWR)
        self.size = os.fstat(self.image).st_size
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644) if log else None
        self.fail_from = fail_from
        self.device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"keyshift", mount_point.encode(), b"fuse", 0, options) != 0:
            sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")

    def serve(self) -> None:
        while True:
            try:
                request = os.read(self.device, MAX_WRITE + 65536)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                return  # unmounted
            _, operation, unique, node, *_ = IN_HEADER.unpack_from(request)
            if operation in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            try:
                answer, code = self.answer(operation, node, request[IN_HEADER.size :]), 0
            except OSError as error:
                answer, code = b"", -error.errno
            os.write(self.device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)
            if operation == DESTROY:
                return

    def answer(self, operation: int, node: int, body: bytes) -> bytes:
        if operation == INIT:
            return struct.pack("<4I2H2I2H8I", 7, 31, 0, BIG_WRITES | MAX_PAGES, 16, 12, MAX_WRITE, 1, MAX_WRITE // 4096, 0, *[0] * 8)
        if operation == LOOKUP:
            if node != ROOT_NODE or body.rstrip(b"\0") != b"disk":
                raise OSError(errno.ENOENT, "")
            return struct.pack("<4Q2I", DISK_NODE, 0, 3600, 3600, 0, 0) + self.attributes(DISK_NODE)
        if operation in (GETATTR, SETATTR):
            return struct.pack("<QII", 3600, 0, 0) + self.attributes(node)
        if operation in (OPEN, OPENDIR):
            # Past the page cache, so that each write is seen as it comes; reads that fail are to be mapped, though.
            return struct.pack("<QII", 0, DIRECT_IO if self.log is not None else 0, 0)
        if operation == READ:
            return self.read(*struct.unpack_from("<QI", body, 8))
        if operation == WRITE:
            offset, length = struct.unpack_from("<QI", body, 8)
            return self.write(offset, body[40 : 40 + length])
        if operation == FSYNC:
            self.record(b"F", 0, b"")
        elif operation == STATFS:
            return struct.pack("<5Q4I6I", *[0] * 5, 4096, 255, 4096, 0, *[0] * 6)
        elif operation not in (RELEASE, RELEASEDIR, FLUSH, READDIR, DESTROY):
            raise OSError(errno.ENOSYS, "")
        return b""

    def attributes(self, node: int) -> bytes:
        is_disk = node == DISK_NODE
        mode = stat.S_IFREG | 0o644 if is_disk else stat.S_IFDIR | 0o755
        size = self.size if is_disk else 0
        return ATTRIBUTES.pack(node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1 if is_disk else 2, 0, 0, 0, 4096, 0)

    def read(self, offset: int, length: int) -> bytes:
        if self.fail_from is not None and offset + length > self.fail_from:
            raise OSError(errno.EIO, "")
        return os.pread(self.image, length, offset)

    def write(self, offset: int, data: bytes) -> bytes:
        os.pwrite(self.image, data, offset)
        self.record(b"W", offset, data)
        return struct.pack("<II", len(data), 0)

    def record(self, kind: bytes, offset: int, data: bytes) -> None:
        if self.log is not None:
            os.write(self.log, struct.pack("<cQI", kind, offset, len(data)) + data)


def main() -> int:
    if len(sys.argv) != 5 or sys.argv[3] not in ("log", "eio"):
        sys.exit(__doc__)
    mount_point, image, what, value = sys.argv[1:]
    disk = Disk(mount_point, image, value if what == "log" else None, int(value) if what == "eio" else None)
    print("ready", flush=True)
    disk.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
