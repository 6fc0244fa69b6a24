#!/usr/bin/env python3
"""Renaming by keyshift beside the real rename_source_key of transformers, in one run: a table and a picture.

    PYTHON bench/versus_transformers.py BUILD [--rounds 3] [--million 1000000] [--counts 2 10 42 100 1000] [--models NAME...]
    [--svg bench/versus_transformers.svg] [--json FILE]

PYTHON is one that has transformers (`bash tools/peers.sh` prints it), BUILD a release build with -Dbenchmarks=true. The
keys are DeepSeek-V3's, and with ten transforms those of four other models, too. transformers takes every n-th of them, so that one of its rounds takes about a second; these keys are
compared one by one before anything is timed. keyshift takes all of them (`keyshift bench`: one core, first pass
included, every byte written, and checked there against one transform after another too).

The last rows are whole processes: `keyshift rename` with a million keys from one file into another, its start and its
check for collisions included, beside transformers' loop alone: keys in memory, no files, no start of Python.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import versus_picture
from measure import write_json
from transformers import core_model_loading as real

COUNTS = [2, 10, 42, 100, 1000]
PROCESS_COUNTS = [2, 10, 42]
MODEL = "deepseek-v3"
MODELS = [MODEL, "kimi-k2", "qwen3-235b-a22b", "llama-3-405b", "mixtral-8x22b"]
MODELS_COUNT = 10


def transformers_rate(transforms: list, keys: list[str]) -> float:
    """Keys a second of one loop."""
    started = time.perf_counter()
    for key in keys:
        real.rename_source_key(key, transforms, [])
    return len(keys) / (time.perf_counter() - started)


def sample_for_a_second(transforms: list, keys: list[str]) -> list[str]:
    """Every n-th key, as many as transformers renames in about a second."""
    some = keys[:: max(1, len(keys) // 500)]
    count = max(200, int(transformers_rate(transforms, some)))
    return keys[:: max(1, len(keys) // count)]


class Side:
    """Both programs with one list of transforms."""

    def __init__(self, build: pathlib.Path, folder: pathlib.Path, count: int):
        self.keyshift, self.count = build / "tools/keyshift", count
        text = subprocess.run([build / "bench/rules_bench", "--print-transforms", str(count)], check=True, capture_output=True).stdout
        self.rules = folder / f"rules-{count}.json"
        self.rules.write_bytes(text)
        listed = json.loads(text)
        self.transforms = [
            real.WeightRenaming(each["source_patterns"], each["target_patterns"]) for each in (listed if isinstance(listed, list) else listed["transforms"])
        ]

    def check(self, keys: list[str]) -> None:
        lines = "".join(key + "\n" for key in keys).encode()
        shown = subprocess.run([self.keyshift, "rename", "--transforms", self.rules], input=lines, capture_output=True, check=True).stdout
        got = [line.split("\t")[1] for line in shown.decode().splitlines()]
        expected = [real.rename_source_key(key, self.transforms, [])[0] for key in keys]
        if got != expected:
            wrong = next((a, b, c) for a, b, c in zip(keys, got, expected, strict=True) if b != c)
            raise SystemExit("the answers differ: %s becomes %s here and %s there" % wrong)

    def bench(self, key_file: pathlib.Path) -> dict:
        command = [self.keyshift, "bench", "--keys", key_file, "--transforms", self.rules, "--json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["keys_per_second"]

    def process_rate(self, key_file: pathlib.Path, out: pathlib.Path, keys: int) -> float:
        with open(key_file, "rb") as source, open(out, "wb") as target:
            started = time.perf_counter()
            subprocess.run([self.keyshift, "rename", "--transforms", self.rules], stdin=source, stdout=target, check=True)
            return keys / (time.perf_counter() - started)


def measure(side: Side, keys: list[str], key_file: pathlib.Path, rounds: int) -> dict:
    sample = sample_for_a_second(side.transforms, keys)
    side.check(sample)
    # Each run of the command compares every key with one transform after another first: long lists take their time.
    rounds_of_bench = rounds if side.count <= 100 else 1
    ours, theirs = [], []
    for number in range(rounds):
        theirs.append(transformers_rate(side.transforms, sample))
        if number < rounds_of_bench:
            ours.append(side.bench(key_file))
    median = {name: statistics.median(each[name] for each in ours) for name in ours[0]}
    return {"transforms": side.count, "in_order": median["trie"], "shuffled": median["shuffled"], "rule_by_rule": median["rule_by_rule"],
            "transformers": statistics.median(theirs), "compared": len(sample)}  # fmt: skip


def keys_of(build: pathlib.Path, model: str) -> list[str]:
    return subprocess.run([build / "bench/rules_bench", "--print-keys", model], check=True, capture_output=True, text=True).stdout.splitlines()


def measure_model(side: Side, model: str, keys: list[str], folder: pathlib.Path, rounds: int) -> dict:
    key_file = folder / f"{model}.txt"
    key_file.write_text("".join(key + "\n" for key in keys))
    return {"model": model, "keys": len(keys), **measure(side, keys, key_file, rounds)}


def measure_process(side: Side, keys: list[str], folder: pathlib.Path, rounds: int) -> dict:
    key_file = folder / "million.txt"
    key_file.write_text("".join(key + "\n" for key in keys))
    sample = sample_for_a_second(side.transforms, keys)
    side.check(sample)
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(transformers_rate(side.transforms, sample))
        ours.append(side.process_rate(key_file, folder / "renamed.txt", len(keys)))
    return {"transforms": side.count, "process": statistics.median(ours), "transformers": statistics.median(theirs), "keys": len(keys)}


def million(keys: list[str], count: int) -> list[str]:
    """Tables of many models behind one another, each below a name of its own."""
    return [f"part_{i // len(keys)}.{keys[i % len(keys)]}" for i in range(count)]


def rate(value: float) -> str:
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{round(value, -3 if value >= 1e5 else -1):,.0f}"


def print_tables(rows: list[dict], tables: list[dict], processes: list[dict]) -> None:
    print("| transforms | keyshift, in table order | shuffled | one after another | transformers | in order : transformers | shuffled : transformers |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['transforms']:,} | {rate(row['in_order'])} | {rate(row['shuffled'])} | {rate(row['rule_by_rule'])} | {rate(row['transformers'])} |"
            f" {row['in_order'] / row['transformers']:,.0f} | {row['shuffled'] / row['transformers']:,.0f} |"
        )
    print(f"\n| key table, {tables[0]['transforms']} transforms | keys | keyshift, in table order | shuffled | transformers | in order : transformers | shuffled : transformers |")
    print("|---|---|---|---|---|---|---|")
    for row in tables:
        print(
            f"| {row['model']} | {row['keys']:,} | {rate(row['in_order'])} | {rate(row['shuffled'])} | {rate(row['transformers'])} |"
            f" {row['in_order'] / row['transformers']:,.0f} | {row['shuffled'] / row['transformers']:,.0f} |"
        )
    print("\n| transforms | `keyshift rename`, a whole process, file to file | transformers' loop alone | times |")
    print("|---|---|---|---|")
    for row in processes:
        print(f"| {row['transforms']:,} | {rate(row['process'])} | {rate(row['transformers'])} | {row['process'] / row['transformers']:,.0f} |")


def process_table(processes: list[dict]) -> dict:
    """Seconds for all keys."""
    rows = []
    for row in processes:
        rows.append({"what": f"{row['transforms']} transforms: keyshift rename", "seconds": row["keys"] / row["process"]})
        rows.append({"what": f"{row['transforms']} transforms: transformers' loop alone", "seconds": row["keys"] / row["transformers"]})
    return {"title": f"{processes[0]['keys']:,} keys renamed, file to file", "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", type=int, default=1_000_000, metavar="KEYS", help="of the whole processes")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="N", help="transforms in a list")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME", help=f"whose keys get {MODELS_COUNT} transforms")
    parser.add_argument("--svg", type=pathlib.Path, help="where to draw the picture")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the times of the whole processes for picture.py")
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="keyshift-versus-") as name:
        folder = pathlib.Path(name)
        sides = {count: Side(build, folder, count) for count in {*options.counts, MODELS_COUNT}}
        keys = keys_of(build, MODEL)
        rows = [measure_model(sides[count], MODEL, keys, folder, options.rounds) for count in options.counts]
        tables = [measure_model(sides[MODELS_COUNT], model, keys_of(build, model), folder, options.rounds) for model in options.models]
        many = million(keys, options.million)
        counts = [count for count in PROCESS_COUNTS if count in options.counts]
        processes = [measure_process(sides[count], many, folder, options.rounds) for count in counts]
    print_tables(rows, tables, processes)
    write_json(options.json, [process_table(processes)] if processes else [])
    if options.svg:
        versus_picture.draw(options.svg, rows)


if __name__ == "__main__":
    main()
