"""What the benchmarks of whole processes share: a way of doing something, run in turn with others; its time, CPU time
and peak memory; tables in Markdown and the JSON that picture.py draws."""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SCHEMA = "keyshift-figures/1"


@dataclasses.dataclass
class Took:
    seconds: float
    cpu: float
    peak: int  # KiB, the maximum resident set


def run(command: list) -> Took:
    """One process. Through time(1): a child's maximum resident set starts with its parent's, and that one is small."""
    with tempfile.NamedTemporaryFile("r") as told:
        words = ["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", told.name, *map(str, command)]
        began = time.perf_counter()
        try:
            ended = subprocess.run(words, stdout=subprocess.DEVNULL)
        except FileNotFoundError:
            sys.exit("/usr/bin/time is not installed; Debian has it in the package time")
        seconds = time.perf_counter() - began
        if ended.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed")
        user, system, peak = told.read().split()
    return Took(seconds, float(user) + float(system), int(peak))


class Meter:
    """Runs one way of doing something, as often as asked, and keeps what it took."""

    def __init__(self, name: str, command: list, target: pathlib.Path | None = None, size: int = 0):
        self.name, self.command, self.target, self.size = name, command, target, size
        self.took: list[Took] = []
        self.space: list[int] = []  # bytes used more afterwards, where somebody looks

    def run(self, cold: bool = False) -> None:
        """Once. The target of the run before is removed first, and written back, so that this is nobody's work."""
        if self.target:
            shutil.rmtree(self.target, ignore_errors=True)
        os.sync()
        if cold:
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        self.took.append(run(self.command))

    def median(self) -> float:
        return statistics.median(took.seconds for took in self.took)

    def range(self) -> str:
        """The fastest and the slowest."""
        low, high = min(took.seconds for took in self.took), max(took.seconds for took in self.took)
        digits = 2 if high >= 1 else 3
        return f"{low:.{digits}f} – {high:.{digits}f} s"

    def time(self) -> str:
        return f"{self.median():.{2 if self.median() >= 1 else 3}f} s"

    def cpu(self) -> float:
        return statistics.median(took.cpu for took in self.took)

    def peak_mib(self) -> float:
        """Of the hungriest round."""
        return max(took.peak for took in self.took) / 1024

    def figures(self) -> dict:
        """For picture.py."""
        row = {"what": self.name, "seconds": self.median(), "peak_mib": self.peak_mib(), "rounds": len(self.took)}
        if self.space:
            row["space_kb"] = statistics.median(self.space) / 1000
        return row


def table(title: str, meters: list[Meter], limit: float | None = None) -> dict:
    """Rows that are compared with one another; `limit` is what issues ask of keyshift, in seconds."""
    return {"title": title, "rows": [meter.figures() for meter in meters], **({"limit_seconds": limit} if limit else {})}


def write_json(path: pathlib.Path | None, tables: list[dict]) -> None:
    if path:
        text = json.dumps({"schema": SCHEMA, "machine": machine(), "tables": tables}, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def options_parser(description: str) -> argparse.ArgumentParser:
    """The options that all have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keyshift", type=program, metavar="KEYSHIFT", help="the program of a release build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=pathlib.Path, metavar="DIR", help="where to work (default: the temporary folder)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the figures for picture.py")
    return parser


def program(text: str) -> str:
    path = pathlib.Path(text).resolve()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a program")
    return str(path)


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, Linux {platform.release()}"


def file_system(folder: pathlib.Path) -> str:
    return subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout.strip()
