"""What the pictures share: colours that can be read on a light and on a dark page (a picture has no background of its own),
and the frame."""

import html
import pathlib

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .heading { font-weight: 600 }
  .small { font-size: 12px; fill: #59636e }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .limit { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 4 3 }
  .line { fill: none; stroke-width: 2.5 }
  .a { stroke: #0969da } .b { stroke: #1a7f37 } .c { stroke: #bc4c00 }
  circle.a, rect.a { fill: #0969da } circle.b, rect.b { fill: #1a7f37 } circle.c, rect.c { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .limit { stroke: #9198a1 }
    .a { stroke: #58a6ff } .b { stroke: #3fb950 } .c { stroke: #f0883e }
    circle.a, rect.a { fill: #58a6ff } circle.b, rect.b { fill: #3fb950 } circle.c, rect.c { fill: #f0883e }
  }
"""


def text(x: float, y: float, words: str, style: str = "", anchor: str = "") -> str:
    of_class = f' class="{style}"' if style else ""
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{of_class} x="{x:.1f}" y="{y:.1f}"{at}>{html.escape(words, quote=False)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def write(path: pathlib.Path, width: int, height: int, title: str, elements: list[str]) -> None:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    parts = [head, f"<title>{html.escape(title, quote=False)}</title>", f"<style>{STYLE}</style>", *elements, "</svg>"]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
