"""The picture of versus_transformers.py: throughput over the number of transforms, both axes logarithmic, as SVG."""

import math
import pathlib

import svg

WIDTH, HEIGHT = 820, 420
LEFT, RIGHT, TOP, BOTTOM = 84, 212, 56, 56
SERIES = [("in_order", "keyshift, in order", "a"), ("shuffled", "keyshift, shuffled", "b"), ("transformers", "transformers", "c")]


def short(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.3g}"


def draw(path: pathlib.Path, rows: list[dict]) -> None:
    counts = [row["transforms"] for row in rows]
    values = [row[name] for row in rows for name, _, _ in SERIES]
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(counts[0]), math.log10(counts[-1])

    def x(count: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(count) - first) / ((last - first) or 1)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(value) - lowest) / (highest - lowest)

    out = [svg.text(LEFT, 28, "Keys renamed in a second, one core", "title")]
    for power in range(lowest, highest + 1):
        at = y(10**power)
        out.append(svg.line(LEFT, at, WIDTH - RIGHT, at, "grid"))
        out.append(svg.text(LEFT - 10, at + 4, short(10**power), anchor="end"))
    for count in counts:
        out.append(svg.text(x(count), HEIGHT - BOTTOM + 22, f"{count:,}", anchor="middle"))
    out.append(svg.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "transforms", anchor="middle"))
    for name, label, style in SERIES:
        points = [(x(row["transforms"]), y(row[name])) for row in rows]
        joined = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        out.append(f'<polyline class="line {style}" points="{joined}"/>')
        for (a, b), row in zip(points, rows, strict=True):
            out.append(f'<circle class="{style}" cx="{a:.1f}" cy="{b:.1f}" r="4"><title>{row["transforms"]:,}: {short(row[name])} keys/s</title></circle>')
        a, b = points[-1]
        below = 16 if name == "shuffled" else 4
        out.append(svg.text(a + 12, b + below, f"{label}, {short(rows[-1][name])}"))
    svg.write(path, WIDTH, HEIGHT, "Keys renamed in a second over the number of transforms", out)
