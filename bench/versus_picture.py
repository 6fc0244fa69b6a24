"""The picture of versus_transformers.py: throughput over the number of transforms, both axes logarithmic, as SVG."""

import math

WIDTH, HEIGHT = 820, 420
LEFT, RIGHT, TOP, BOTTOM = 84, 212, 56, 56
SERIES = [("in_order", "keyshift, in order", "a"), ("shuffled", "keyshift, shuffled", "b"), ("transformers", "transformers", "c")]

# Readable on a light and on a dark page: the picture has no background of its own.
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .line { fill: none; stroke-width: 2.5 }
  .a { stroke: #0969da } .b { stroke: #1a7f37 } .c { stroke: #bc4c00 }
  circle.a { fill: #0969da } circle.b { fill: #1a7f37 } circle.c { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .a { stroke: #58a6ff } .b { stroke: #3fb950 } .c { stroke: #f0883e }
    circle.a { fill: #58a6ff } circle.b { fill: #3fb950 } circle.c { fill: #f0883e }
  }
"""


def short(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.3g}"


def draw(rows: list[dict]) -> str:
    counts = [row["transforms"] for row in rows]
    values = [row[name] for row in rows for name, _, _ in SERIES]
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(counts[0]), math.log10(counts[-1])

    def x(count: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(count) - first) / (last - first)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(value) - lowest) / (highest - lowest)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">',
        "<title>Keys renamed in a second over the number of transforms</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="28">Keys renamed in a second, one core</text>',
    ]
    for power in range(lowest, highest + 1):
        at = y(10**power)
        out.append(f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>')
        out.append(f'<text x="{LEFT - 10}" y="{at + 4:.1f}" text-anchor="end">{short(10**power)}</text>')
    for count in counts:
        out.append(f'<text x="{x(count):.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{count:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">transforms</text>')
    for name, label, style in SERIES:
        points = [(x(row["transforms"]), y(row[name])) for row in rows]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        out.append(f'<polyline class="line {style}" points="{path}"/>')
        for (a, b), row in zip(points, rows, strict=True):
            out.append(f'<circle class="{style}" cx="{a:.1f}" cy="{b:.1f}" r="4"><title>{row["transforms"]:,}: {short(row[name])} keys/s</title></circle>')
        a, b = points[-1]
        below = 16 if name == "shuffled" else 4
        out.append(f'<text x="{a + 12:.1f}" y="{b + below:.1f}">{label}, {short(rows[-1][name])}</text>')
    return "\n".join(out) + "\n</svg>\n"
