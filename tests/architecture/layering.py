"""The rules of the house as a function: a tree of sources and the two tables of the documentation in, faults out."""

import dataclasses
import fnmatch
import re

SYSTEM_HEADERS = re.compile(r"^(errno|string|unistd|fcntl|sched|signal|dirent|pthread|poll|termios|ftw|spawn|pwd|malloc)\.h$|^(sys|linux|asm|arpa|netinet)/")
STANDARD_HEADER = re.compile(r"^([a-z0-9_]+|immintrin\.h)$")  # the compiler's own
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
# What prints or ends the process; the library leaves both to tools/.
FORBIDDEN_IN_LIBRARY = re.compile(
    r"\bstd::(?:cout|cerr|clog|print|println|exit|_Exit|quick_exit|abort|terminate)\b|\bfmt::print\b"
    r"|(?<![\w.>:])(?:::)?(?:printf|fprintf|vprintf|puts|fputs|putchar|perror|exit|_exit|quick_exit|abort)\s*\("
)
LONGEST_FILE = 400


@dataclasses.dataclass
class Owner:
    library: str
    headers: list[str]  # `name.h`, or `folder/`
    places: list[str]  # a file, or `folder/`


def table_rows(markdown: str, first_heading: str) -> list[list[str]]:
    """Cells of the Markdown table whose first column is headed so."""
    rows, inside = [], False
    for line in markdown.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == first_heading:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def read_layers(markdown: str) -> dict[str, set[str]]:
    """From lib/README.md: which layer may include which."""
    return {_quoted(row[0])[0]: set(_quoted(row[2])) for row in table_rows(markdown, "folder")}


def read_owners(markdown: str) -> list[Owner]:
    """From third_party/README.md: who may include what."""
    return [Owner(row[0], _quoted(row[3]), _quoted(row[4])) for row in table_rows(markdown, "library")]


def without_comments_and_texts(source: str) -> str:
    """The source with comments and literals blanked, its lines kept."""
    pattern = re.compile(
        r'R"([^(]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), source)


def _inside(path: str, place: str) -> bool:
    return path.startswith(place) if place.endswith("/") else path == place


def _line_of(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1


def _third_party_faults(where: str, path: str, header: str, owners: list[Owner]) -> list[str]:
    candidates = [
        (name, owner)
        for owner in owners
        for name in owner.headers
        if (header.startswith(name) if name.endswith("/") else fnmatch.fnmatch(header, name))
    ]
    if not candidates:
        return [f"{where}: <{header}> belongs to no library in third_party/README.md"]
    length = max(len(name) for name, _ in candidates)  # the nearest entry decides
    owning = [owner for name, owner in candidates if len(name) == length]
    if any(_inside(path, place) for owner in owning for place in owner.places):
        return []
    places = ", ".join(place for owner in owning for place in owner.places)
    return [f"{where}: <{header}> of {owning[0].library} may be included by {places} only"]


def _layer_faults(where: str, path: str, header: str, tree: dict[str, str], layers: dict[str, set[str]]) -> list[str]:
    parts = path.split("/")
    if parts[0] != "lib" or len(parts) < 3:  # tools, bench and tests stand on everything; so does lib/keyshift.h
        return []
    if "lib/" + header not in tree:
        return [f'{where}: "{header}" is not a file of lib/; write the path from there']
    layer, target = parts[1], header.split("/")[0]
    if layer not in layers:
        return [f"{where}: the folder lib/{layer} is not in lib/README.md's table"]
    if target != layer and target not in layers[layer]:
        allowed = ", ".join(sorted(layers[layer])) or "nothing else"
        return [f'{where}: {layer} may not include "{header}" (it may include: {allowed})']
    return []


def _file_faults(path: str, source: str, tree, layers, owners) -> list[str]:
    faults = []
    for match in INCLUDE.finditer(source):
        where = f"{path}:{_line_of(source, match.start())}"
        ours, theirs = match.groups()
        if ours:
            faults += _layer_faults(where, path, ours, tree, layers)
        elif SYSTEM_HEADERS.search(theirs):
            if path.startswith("lib/") and not path.startswith("lib/base/"):
                faults.append(f"{where}: <{theirs}> is a system call's header; they are made in lib/base only")
        elif not STANDARD_HEADER.match(theirs):
            faults += _third_party_faults(where, path, theirs, owners)
    if path.startswith("lib/"):
        code = without_comments_and_texts(source)
        for match in FORBIDDEN_IN_LIBRARY.finditer(code):
            where = f"{path}:{_line_of(code, match.start())}"
            faults.append(f"{where}: `{match.group(0).strip('( ')}` prints or ends the process; throw keyshift::Error instead")
    lines = source.count("\n")
    if path.startswith(("lib/", "tools/")) and lines > LONGEST_FILE:
        faults.append(f"{path}: {lines} lines; over {LONGEST_FILE} a file holds two ideas")
    return faults


def _include_cycles(tree: dict[str, str]) -> list[str]:
    """Files of lib/ that include themselves by way of others."""
    edges = {
        path: ["lib/" + m.group(1) for m in INCLUDE.finditer(source) if m.group(1) and "lib/" + m.group(1) in tree]
        for path, source in tree.items()
        if path.startswith("lib/")
    }
    faults, state = [], {}

    def visit(path, trail):
        if state.get(path) == "done":
            return
        if path in trail:
            faults.append("an include cycle: " + " → ".join([*trail[trail.index(path) :], path]))
            return
        for target in edges.get(path, []):
            visit(target, [*trail, path])
        state[path] = "done"

    for path in sorted(edges):
        visit(path, [])
    return faults


def find_faults(tree: dict[str, str], layers: dict[str, set[str]], owners: list[Owner]) -> list[str]:
    """All faults of C++ sources, given as path from the top → text, each with file and line."""
    faults = []
    for path in sorted(tree):
        faults += _file_faults(path, tree[path], tree, layers, owners)
    return faults + _include_cycles(tree)
