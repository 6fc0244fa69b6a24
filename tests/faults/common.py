"""What every suite of faults needs: a checkpoint to break, a way to run keyshift, file systems of one's own, strace."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

KEYSHIFT = ""  # set by run.py
RULES = ["--rename", r"^model\.layers=>blocks"]
LONG = bool(os.environ.get("KEYSHIFT_TEST_ALL"))
NOBODY = 65534
ROOT = os.geteuid() == 0


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

    def assert_ends(self, done, code: int, *words: str) -> None:
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def assert_nothing_at(self, target: pathlib.Path) -> None:
        there = sorted(target.rglob("*")) if target.is_dir() else ""
        self.assertFalse(os.path.lexists(target), f"{target} has appeared: {there}")
        self.assertEqual(digests(self.source), self.before, "the source has changed")

    def assert_no_leftovers(self, folder: pathlib.Path) -> None:
        left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.keyshift-*"))
        self.assertEqual(left, [], "temporary files are left")

    def assert_converts(self) -> None:
        """Whatever happened before, another run succeeds and leaves nothing but its result."""
        done = run("convert", self.source, self.target, *RULES)
        self.assertEqual(done.returncode, 0, done.stderr)
        verified = run("verify", self.source, self.target, *RULES)
        self.assertEqual(verified.returncode, 0, verified.stderr + verified.stdout)
        self.assert_no_leftovers(self.folder)
        self.assertEqual(digests(self.source), self.before, "the source has changed")


# --- file systems

MKFS = {
    "ext4": (64 << 20, ["mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0"]),
    "xfs": (320 << 20, ["mkfs.xfs", "-q"]),
    "btrfs": (128 << 20, ["mkfs.btrfs", "-q", "-m", "single", "-d", "single"]),
    # Small and full, btrfs needs one kind of space for all.
    "btrfs-mixed": (32 << 20, ["mkfs.btrfs", "-q", "--mixed", "--nodesize", "4096"]),
}


def make_image(kind: str, image: pathlib.Path, size: int = 0) -> None:
    """A sparse file with an empty file system. Skips the test where there is no such mkfs."""
    least, command = MKFS[kind]
    if shutil.which(command[0]) is None:
        raise unittest.SkipTest(f"{command[0]} is not installed")
    image.unlink(missing_ok=True)
    with open(image, "wb") as file:
        file.truncate(max(least, size))
    subprocess.run([*command, str(image)], check=True, capture_output=True)
    subprocess.run(["fallocate", "--dig-holes", str(image)], check=False, capture_output=True)


@contextlib.contextmanager
def mounted(kind: str, what: str, folder: pathlib.Path, *options: str):
    """`what`: an image, or for tmpfs its name. Skips the test where that may not be mounted."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", kind, *(["-o", ",".join(options)] if options else []), what, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise unittest.SkipTest(f"cannot mount {kind} here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def file_system(kind: str, folder: pathlib.Path, size: int = 0):
    """A fresh file system of this kind, mounted below `folder`. Needs root."""
    if not ROOT:
        raise unittest.SkipTest("needs root to mount a file system")
    if kind == "tmpfs":
        with mounted("tmpfs", "tmpfs", folder / "mnt", f"size={size or 256 << 20}") as place:
            yield place
        return
    image = folder / f"{kind}.img"
    make_image(kind, image, size)
    with mounted(kind.removesuffix("-mixed"), str(image), folder / "mnt", "loop") as place:
        yield place


# --- system calls

STRACE_WORKS = (
    shutil.which("strace") is not None
    and subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0
)


class Traced(Faults):
    """Runs keyshift under strace, which fails or kills it at one call."""

    def traced(self, *strace, command: list) -> subprocess.CompletedProcess:
        line = ["strace", "-f", "-qq", "-o", str(self.folder / "trace"), *strace, KEYSHIFT, *map(str, command)]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)

    def count(self, name: str) -> int:
        """How many calls of this kind the last trace shows."""
        return len(re.findall(rf"^\d+ +{name}\(", (self.folder / "trace").read_text(errors="replace"), re.MULTILINE))

    def counts(self, names: list[str], command: list) -> dict[str, range]:
        """The calls of each kind that a run makes itself, by their number in the process: those before main() may fail
        in the loader's own ways. A kind that this machine's kernel or strace does not know has none."""
        found = {}
        known = [name for name in names if self.traced("-e", f"trace={name}", command=["--version"]).returncode == 0]
        self.assertEqual(self.traced("-e", f"trace={','.join(known)}", command=["--version"]).returncode, 0)
        before = {name: self.count(name) for name in known}
        done = self.traced("-e", f"trace={','.join(known)}", command=command)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in known:
            found[name] = range(before[name] + 1, self.count(name) + 1)
        return found
