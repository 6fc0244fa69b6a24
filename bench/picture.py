#!/usr/bin/env python3
"""Draws the measured figures as bars: time of each way, one scale for each table, and what was asked for as a dashed line.

    picture.py FILE.json... [-o bench/figures.svg]

The files are what versus_cp.py, in_place.py, versus_reflink.py and versus_transformers.py write with --json.
"""

import argparse
import json
import pathlib
import sys

import measure
import svg

WIDTH, LEFT, RIGHT = 960, 350, 230
BAR, STEP, GAP = 16, 24, 26


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms" if value >= 0.01 else f"{1000 * value:.1f} ms"


def figures(row: dict) -> str:
    """What stands behind a bar."""
    told = [seconds(row["seconds"])]
    if "peak_mib" in row:
        told.append(f"{row['peak_mib']:.0f} MiB")
    if "space_kb" in row:
        told.append(f"{row['space_kb']:,.0f} kB more")
    return ", ".join(told)


def draw_table(table: dict, top: float) -> tuple[list[str], float]:
    """Elements and where the next table begins."""
    limit = table.get("limit_seconds")
    longest = max([row["seconds"] for row in table["rows"]] + [limit or 0])
    scale = (WIDTH - LEFT - RIGHT) / longest
    asked = f"; asked for: {seconds(limit)} (dashed)" if limit else ""
    out = [svg.text(20, top, table["title"] + asked, "heading")]
    first = top + 12
    bottom = first + STEP * len(table["rows"])
    for number, row in enumerate(table["rows"]):
        y = first + STEP * number
        length = max(1.5, scale * row["seconds"])
        out.append(svg.text(LEFT - 10, y + BAR - 3, row["what"].replace("`", ""), anchor="end"))
        style = "a" if "keyshift" in row["what"] else "c"
        out.append(f'<rect class="{style}" x="{LEFT}" y="{y:.1f}" width="{length:.1f}" height="{BAR}" rx="2"/>')
        out.append(svg.text(LEFT + length + 8, y + BAR - 3, figures(row), "small"))
    out.append(svg.line(LEFT, first - 4, LEFT, bottom, "grid"))
    if limit:
        out.append(svg.line(LEFT + scale * limit, first - 4, LEFT + scale * limit, bottom, "limit"))
    return out, bottom + GAP


def read(paths: list[pathlib.Path]) -> tuple[str, list[dict]]:
    machines, tables = [], []
    for path in paths:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SystemExit(f"picture.py: {path}: {error}") from None
        if not isinstance(told, dict) or told.get("schema") != measure.SCHEMA:
            raise SystemExit(f"picture.py: {path}: not figures of a benchmark ({measure.SCHEMA}); write them with --json")
        machines.append(told["machine"])
        tables += told["tables"]
    if len(set(machines)) > 1:
        raise SystemExit("picture.py: the figures are of several machines: " + "; ".join(sorted(set(machines))))
    return machines[0], tables


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="+", type=pathlib.Path, metavar="FILE.json")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path(__file__).with_name("figures.svg"), metavar="FILE.svg")
    options = parser.parse_args()
    machine, tables = read(options.figures)
    elements, top = [svg.text(20, 30, "Time until everything is done, and peak memory", "title"), svg.text(20, 50, machine, "small")], 84.0
    for table in tables:
        drawn, top = draw_table(table, top)
        elements += drawn
    svg.write(options.output, WIDTH, int(top), "Time and memory of keyshift and of what it is compared to", elements)
    return 0


if __name__ == "__main__":
    sys.exit(main())
