#!/usr/bin/env python3
"""Holds keyshift's patterns against Python's re: python3 python_re.py DRIVER [--patterns N] [--seed N] [--show N]

Makes random patterns by a grammar that favours what renaming rules use, with a good share of nasty ones, and random
subjects that are likely to match; compares acceptance and the spans of the match and of every group. Prints what
differs and exits with 1 if anything does. Needs Python 3.11 (the reference) and nothing else.
"""

import argparse
import collections
import os
import random
import re
import signal
import subprocess
import sys
import unicodedata
import warnings

warnings.simplefilter("ignore")

REFUSED_HERE = (  # what Python accepts and keyshift says it does not
    "this pattern is not supported",
)


class Timeout(Exception):
    pass


def on_alarm(*_):
    raise Timeout


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, lines):
        """Sends (kind, text) pairs, returns the answers."""
        data = "".join(f"{kind} {text.encode().hex()}\n" for kind, text in lines)
        self.process.stdin.write(data.encode())
        self.process.stdin.flush()
        return [self.process.stdout.readline().decode().rstrip("\n") for _ in lines]


def reference_compile(pattern):
    try:
        return re.compile(pattern), None
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        return None, str(error)


def byte_span(subject, span):
    if span == (-1, -1):
        return "-"
    return ",".join(str(len(subject[:end].encode())) for end in span)


def reference_search(compiled, subject):
    try:
        if len(subject) < 3:  # too short to explode
            match = compiled.search(subject)
        else:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            match = compiled.search(subject)
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Timeout:
        return "timeout"
    if match is None:
        return "no match"
    return " ".join(byte_span(subject, match.span(i)) for i in range(compiled.groups + 1))


WORDS = ["model", "layers", "mlp", "weight", "bias", "experts", "attn", "norm1", "norm", "q_proj", "conv2d", "encoder",
         "decoder", "self_attn", "w1", "0", "1", "17", "a", "b", "aa", "ab", "fc1"]
ODD = ["é", "É", "ß", "ẞ", "İ", "ı", "I", "i", "ſ", "s", "K", "k", "K", "µ", "μ", "ς", "σ", "Σ", "ﬅ", "ﬆ", "ΐ", "ΐ", "٣", "²",
       "権", "😀", "\n", "\r", "\x1c", "\x85", "\xa0", "\u2028", " ", "\t", "-", "_", "\x00", "\u0301", "Ⅷ", "ⅷ", "ǅ", "ǆ", "Ǆ",
       "ᲀ", "в", "В", "\u203f", "\x7f"]
PLAIN = list("ab01._x")


class Grammar:
    def __init__(self, rng):
        self.rng = rng
        self.groups = 0
        self.closed = []
        self.names = []

    def pattern(self):
        r = self.rng
        flags = r.choice(["(?i)", "(?s)", "(?m)", "(?a)", "(?x)", "(?im)", "(?u)", "(?ai)"]) if r.random() < 0.12 else ""
        if r.random() < 0.3:
            self.groups, self.names = 1, ["g0"]
            body = "(?P<g0>" + self.alternatives(3) + (r"(?!\w)" if r.random() < 0.5 else "") + ")"
            self.closed.append(1)
            if r.random() < 0.4:
                self.groups += 1
                self.names.append("g1")
                index = self.groups
                body += "|(?P<g1>" + self.alternatives(2) + ")"
                self.closed.append(index)
        else:
            body = self.alternatives(self.rng.choice([1, 2, 3, 3, 4]))
        if r.random() < 0.03:
            body = self.damage(body)
        return flags + body

    def damage(self, text):
        at = self.rng.randrange(len(text) + 1)
        return self.rng.choice([
            text[:at] + text[at + 1:], text[:at],
            text[:at] + self.rng.choice(["(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "\\", "{2}", "{,3}", "(?", "{2,1}",
                                         r"\p{L}", r"\Q", r"\K", "(*F)", "(?R)", r"\h", r"\R", r"\X", r"\G", "(?1)", "(?&n)",
                                         "(?i)", "(?<n>a)", r"\g{1}", r"\k<n>", r"\8", r"\c", "(?|a)", "(?'n'a)", "(?C)", "[]",
                                         "(?L)", "(?-a:b)", "(?i-i:a)", r"\x1", r"\u12", r"\N{NOPE}", "a{99999999999}"]) +
            text[at:]])

    def alternatives(self, depth):
        n = self.rng.choice([1, 1, 1, 1, 2, 2, 3])
        return "|".join(self.sequence(depth) for _ in range(n))

    def sequence(self, depth):
        n = self.rng.choice([0, 1, 1, 2, 2, 3, 4]) if depth < 3 else self.rng.choice([1, 2, 3, 4, 5])
        return "".join(self.item(depth) for _ in range(n))

    def item(self, depth):
        r = self.rng
        atom = self.atom(depth)
        if r.random() < 0.3 and not atom.endswith(("^", "$")):
            atom += r.choice(["*", "+", "?", "{2}", "{1,3}", "{,2}", "{2,}", "{0}", "{0,1}", "{1}", "{,}"])
            if r.random() < 0.35:
                atom += r.choice(["?", "+"])
        return atom

    def atom(self, depth):
        r = self.rng
        kind = r.random()
        if kind < 0.30:
            return r.choice(PLAIN)
        if kind < 0.38:
            return re.escape(r.choice(WORDS)) if r.random() < 0.7 else r.choice(WORDS)
        if kind < 0.44:
            return r.choice(["\\.", ".", ".", ".*", "\\d", "\\d+", "\\w", "\\s", "\\D", "\\W", "\\S"])
        if kind < 0.48:
            return r.choice(["^", "$", "\\b", "\\B", "\\A", "\\Z"])
        if kind < 0.54:
            return self.char_class()
        if kind < 0.58:
            c = r.choice(ODD)
            return re.escape(c) if r.random() < 0.6 else r.choice([f"\\u{ord(c):04x}" if ord(c) < 65536 else f"\\U{ord(c):08x}", c])
        if kind < 0.60:
            return r.choice(["\\x61", "\\0", "\\07", "\\101", "\\N{LATIN SMALL LETTER A}", "\\n", "\\t", "{}", "{", "}", "]",
                             "a{}", "{,a}", "{1", "(?#c)", "\\ ", "#", "\\#", " "])
        if depth == 0:
            return r.choice(PLAIN)
        if kind < 0.76:
            self.groups += 1
            index = self.groups
            name = ""
            if r.random() < 0.2:
                name = f"?P<n{index}>"
                self.names.append(f"n{index}")
            body = self.alternatives(depth - 1)
            self.closed.append(index)
            return f"({name}{body})"
        if kind < 0.84:
            return f"(?:{self.alternatives(depth - 1)})"
        if kind < 0.87:
            return f"(?>{self.alternatives(depth - 1)})"
        if kind < 0.91:
            flags = r.choice(["i", "s", "m", "a", "x", "-i", "i-s", "u", "-m", "ai", "-s", "-x"])
            return f"(?{flags}:{self.alternatives(depth - 1)})"
        if kind < 0.95:
            look = r.choice(["=", "!", "<=", "<!"])
            if "<" in look and r.random() < 0.8:
                return f"(?{look}{self.fixed()})"
            return f"(?{look}{self.alternatives(depth - 1)})"
        if kind < 0.98:
            if not self.closed:
                return "a"
            group = r.choice(self.closed) if r.random() < 0.9 else r.randrange(1, 12)
            return f"\\{group}" if r.random() < 0.9 or not self.names else f"(?P={r.choice(self.names)})"
        group = r.randrange(1, max(2, self.groups + 1))
        no = "|" + self.sequence(depth - 1) if r.random() < 0.6 else ""
        return f"(?({group}){self.sequence(depth - 1)}{no})"

    def fixed(self):
        r = self.rng
        one = lambda: r.choice(PLAIN + ["\\d", "\\w", "[ab]", ".", "\\.", "é", "^", "\\b", "(?:a|b)"])
        body = "".join(one() for _ in range(r.choice([0, 1, 1, 2, 3])))
        return body if r.random() < 0.7 else body + "|" + body

    def char_class(self):
        r = self.rng
        n = r.choice([1, 1, 2, 3])
        item = lambda: r.choice([
            r.choice(PLAIN), r.choice(PLAIN), "a-c", "0-9", "0-4", "A-Z", "a-z", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\.", "-", "^",
            re.escape(r.choice(ODD)), "[:alpha:]", "&&", "\\n", "à-ÿ", "\\]", "\\x41-\\x5a", "\\u0100-\\u0200", "\\b", "\\ud800", "|",
            "Α-ω", "\\ud700-\\ue010"])
        return "[" + ("^" if r.random() < 0.3 else "") + "".join(item() for _ in range(n)) + "]"


class PlainGrammar(Grammar):
    """The plain parts that rules are made of, which PCRE2 is trusted to optimise."""

    def item(self, depth):
        r = self.rng
        kind = r.random()
        if kind < 0.30:
            return r.choice(PLAIN)
        if kind < 0.42:
            return re.escape(r.choice(WORDS)) if r.random() < 0.7 else r.choice(WORDS)
        if kind < 0.66:
            single = r.choice([".", ".", "\\d", "\\w", "\\.", "a", "b", "x", "1", "é", "\\W", "\\s", self.char_class()])
            return single + r.choice(["", "", "*", "+", "?", "{0,1}"])
        if kind < 0.72:
            return r.choice(["^", "$", "\\Z", "\\A"])
        if kind < 0.75:
            return r.choice(ODD).replace("\n", "\\n").replace(" ", "\\ ")
        if depth == 0:
            return r.choice(PLAIN)
        if kind < 0.86:
            self.groups += 1
            index = self.groups
            body = self.alternatives(depth - 1)
            self.closed.append(index)
            return f"({body})"
        if kind < 0.91:
            return f"(?:{self.alternatives(depth - 1)})"
        if kind < 0.94:
            return f"(?{r.choice(['i', 's', 'm', 'a', 'ai'])}:{self.alternatives(depth - 1)})"
        if kind < 0.97:
            return f"(?!{self.alternatives(depth - 1)})"
        return f"(?<!{self.fixed()})"


def subjects(rng, pattern):
    # Pieces of the pattern's own text, so that matches are likely.
    own = re.findall(r"[\w.]+", re.sub(r"\\[a-zA-Z]|\(\?P?[<\w:=!>-]*", " ", pattern)) or ["a"]
    for _ in range(6):
        pieces = []
        for _ in range(rng.choice([0, 1, 2, 3, 5, 8])):
            kind = rng.random()
            if kind < 0.45:
                pieces.append(rng.choice(PLAIN))
            elif kind < 0.7:
                pieces.append(rng.choice(own))
            elif kind < 0.85:
                pieces.append(rng.choice(WORDS))
            elif kind < 0.95:
                pieces.append(rng.choice(ODD))
            else:
                pieces.append(".")
        text = "".join(pieces)
        yield text + "\n" if rng.random() < 0.08 else text


def compare(driver, pattern, texts, report):
    compiled, error = reference_compile(pattern)
    answers = driver.ask([("P", pattern)] + [("S", text) for text in texts])
    report.cases += len(texts)
    report.patterns += 1
    if compiled is None:
        report.refused += 1
        if answers[0] == "ok":
            report.differs("accepted, but Python says: " + error, pattern)
        elif error.isprintable() and error.split(" at position")[0] not in answers[0]:
            report.differs(f"another reason: {answers[0]!r} instead of {error!r}", pattern, "messages")
        return
    if answers[0] != "ok":
        if any(text in answers[0] for text in REFUSED_HERE):
            report.unsupported[answers[0].split("\\n")[0]] += 1
        else:
            report.differs("refused: " + answers[0], pattern)
        return
    for text, answer in zip(texts, answers[1:]):
        expected = reference_search(compiled, text)
        report.matches += expected != "no match"
        if expected == "timeout" or answer == "limit":
            report.limits += 1
        elif expected != answer:
            report.differs(f"on {text!r}: {answer} instead of {expected}", pattern,
                           "groups" if expected.split()[0] == answer.split()[0] else "match")


EVERY_CHARACTER = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def in_pieces(items, size=2000):
    return [items[i : i + size] for i in range(0, len(items), size)]


def compare_characters(driver, report):
    """Classes, word ends and names over all characters, cases over all that have some."""
    for pattern in [r"\w", r"\d", r"\s", r"[\W!]", r"[\D!]", r"[\S!]", r"x(?!\w)", r"x\b", r"(?i)[h-l]"]:
        texts = ["x" + c for c in EVERY_CHARACTER] if pattern.startswith("x") else EVERY_CHARACTER
        for piece in in_pieces(texts):
            compare(driver, pattern, piece, report)
    cased = [c for c in EVERY_CHARACTER if len({c, c.lower(), c.upper(), c.casefold(), c.title()}) > 1]
    rng = random.Random(1)
    relatives = collections.defaultdict(set)
    for c in cased:
        for other in (c.lower(), c.upper(), c.casefold(), c.title(), c.upper().lower(), c.lower().upper()):
            relatives[other].add(c)
    for c in cased:
        related = {c} | relatives[c]
        for other in (c.lower(), c.upper(), c.casefold(), c.title(), c.upper().lower()):
            related |= {other[:1]} | relatives[other]
        for text in (f"(?i){re.escape(c)}", f"(?i)[!{re.escape(c)}]", f"(?i)[^{re.escape(c)}]"):
            compare(driver, text, sorted(related) + rng.sample(cased, 20), report)
    for c in EVERY_CHARACTER:
        if name := unicodedata.name(c, None):
            compare(driver, f"\\N{{{name}}}", [c], report)


class Report:
    def __init__(self, show):
        self.show = show
        self.cases = self.patterns = self.refused = self.limits = self.matches = 0
        self.unsupported = collections.Counter()
        self.count = collections.Counter()
        self.shortest = collections.defaultdict(list)

    def differs(self, what, pattern, kind="verdict"):
        self.count[kind] += 1
        kept = self.shortest[kind]
        kept.append((len(pattern) + len(what), pattern, what))
        kept.sort()
        del kept[self.show:]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("driver")
    arguments.add_argument("--patterns", type=int, default=40000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--show", type=int, default=15)
    arguments.add_argument("--plain", action="store_true", help="only what rules are commonly made of")
    arguments.add_argument("--characters", action="store_true", help="every character instead of random patterns")
    options = arguments.parse_args()
    if sys.version_info[:2] != (3, 11):
        print("skipped: the reference is Python 3.11")
        return 77
    signal.signal(signal.SIGALRM, on_alarm)
    rng = random.Random(options.seed)
    driver = Driver(options.driver)
    report = Report(options.show)
    grammar = PlainGrammar if options.plain else Grammar
    if options.characters:
        compare_characters(driver, report)
        options.patterns = 0
    for _ in range(options.patterns):
        pattern = grammar(rng).pattern()
        compare(driver, pattern, list(subjects(rng, pattern)), report)
    print(f"{report.patterns} patterns ({report.refused} refused by Python), "
          f"{report.cases} searches ({report.matches} match), {report.limits} stopped by a limit")
    for reason, count in report.unsupported.most_common():
        print(f"  not supported {count} times: {reason}")
    for kind, kept in report.shortest.items():
        print(f"{report.count[kind]} differences of {kind}")
        for _, pattern, what in kept:
            print(f"  {pattern!r} {what}")
    return 1 if report.count else 0


if __name__ == "__main__":
    sys.exit(main())
