r"""Regexes of pre-tokenizers, parsed into a tree on which backtracking steps can be counted (`regex_steps`).

The dialect is what tokenizer.json files hold: alternation, groups, look-around, greedy, lazy and possessive
repeats, classes with nesting and ``&&``, ``\p{...}`` by general category and a few scripts. What lies
outside (back references, conditionals) raises `UnknownSyntax`: the analysis then says nothing.
Linear in the pattern. Source: the syntax pages of Oniguruma and of Rust's regex crate.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Alternatives",
    "Atomic",
    "Boundary",
    "Chars",
    "Look",
    "Node",
    "Repeat",
    "Sequence",
    "Test",
    "UnknownSyntax",
    "parse_regex",
]

Test: TypeAlias = Callable[[str], bool]

_MOST = 1 << 30
_SCRIPTS = {
    "Han": ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
    "Hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "Hiragana": ((0x3041, 0x309F),),
    "Katakana": ((0x30A1, 0x30FF),),
    "Latin": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F)),
    "Cyrillic": ((0x400, 0x52F),),
    "Greek": ((0x370, 0x3FF),),
    "Arabic": ((0x600, 0x6FF),),
    "Hebrew": ((0x590, 0x5FF),),
    "Thai": ((0xE00, 0xE7F),),
    "Devanagari": ((0x900, 0x97F),),
}
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0", "a": "\a", "e": "\x1b"}


class UnknownSyntax(Exception):
    """The pattern holds something this parser does not model."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character for which ``test`` holds."""

    test: Test


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place between characters: ``^ $ b B`` and text start and end ``A z``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """``body`` from ``least`` to ``most`` times."""

    body: "Node"
    least: int
    most: int
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after another."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The first branch that leads to a match."""

    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A test of what follows, or of what stands before."""

    body: "Node"
    negative: bool
    behind: bool


@dataclass(frozen=True, slots=True)
class Atomic:
    """``body`` matched once and never reconsidered: ``(?>...)`` and possessive repeats."""

    body: "Node"


Node: TypeAlias = Chars | Boundary | Repeat | Sequence | Alternatives | Look | Atomic


def parse_regex(pattern: str) -> Node:
    """Returns the tree of ``pattern``; raises UnknownSyntax for what is not modelled or is malformed."""
    parser = _Parser(pattern)
    tree = parser.alternatives(fold=False)
    if parser.at < len(pattern):
        raise UnknownSyntax(f"unexpected {pattern[parser.at]!r} at {parser.at}")
    return tree


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        found = self.peek(text)
        self.at += len(text) if found else 0
        return found

    def next(self) -> str:
        if self.at >= len(self.pattern):
            raise UnknownSyntax("the pattern ends early")
        self.at += 1
        return self.pattern[self.at - 1]

    def until(self, end: str) -> str:
        stop = self.pattern.find(end, self.at)
        if stop < 0:
            raise UnknownSyntax(f"{end!r} is missing")
        text, self.at = self.pattern[self.at : stop], stop + len(end)
        return text

    def alternatives(self, *, fold: bool) -> Node:
        branches = [self.sequence(fold=fold)]
        while self.take("|"):
            branches.append(self.sequence(fold=fold))
        return branches[0] if len(branches) == 1 else Alternatives(tuple(branches))

    def sequence(self, *, fold: bool) -> Node:
        parts: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self.take("(?i)"):
                fold = True
                continue
            parts.append(self.repeated(self.atom(fold=fold)))
        return Sequence(tuple(parts))

    def atom(self, *, fold: bool) -> Node:
        char = self.next()
        if char == "(":
            return self.group(fold=fold)
        if char == "[":
            return Chars(_folded(self.char_class(), fold))
        if char == ".":
            return Chars(lambda c: c != "\n")
        if char in "^$":
            return Boundary(char)
        if char == "\\":
            return self.escape(fold=fold)
        if char in "*+?":
            raise UnknownSyntax(f"{char!r} repeats nothing")
        return Chars(_folded(_is(char), fold))

    def group(self, *, fold: bool) -> Node:
        look = {"?=": (False, False), "?!": (True, False), "?<=": (False, True), "?<!": (True, True)}
        kind = next((mark for mark in sorted(look, key=len, reverse=True) if self.take(mark)), None)
        atomic = kind is None and self.take("?>")
        if kind is None and not atomic and self.take("?"):
            fold = self.group_flags(fold=fold)
        body = self.alternatives(fold=fold)
        if not self.take(")"):
            raise UnknownSyntax("')' is missing")
        if kind is not None:
            return Look(body, *look[kind])
        return Atomic(body) if atomic else body

    def group_flags(self, *, fold: bool) -> bool:
        """Reads ``:``, ``i:``, ``<name>`` after ``(?`` and returns whether case is folded inside."""
        if self.take("P<") or self.take("<"):
            self.until(">")
            return fold
        flags = self.until(":")
        if not set(flags) <= set("imsx-"):
            raise UnknownSyntax(f"(?{flags}")
        on, _, off = flags.partition("-")
        return (fold or "i" in on) and "i" not in off

    def repeated(self, body: Node) -> Node:
        while (bounds := self.quantifier()) is not None:
            least, most = bounds
            lazy = self.take("?")
            body = Repeat(body, least, most, lazy)
            if not lazy and self.take("+"):
                body = Atomic(body)
        return body

    def quantifier(self) -> tuple[int, int] | None:
        for mark, bounds in (("*", (0, _MOST)), ("+", (1, _MOST)), ("?", (0, 1))):
            if self.take(mark):
                return bounds
        stop = self.pattern.find("}", self.at)
        inner = self.pattern[self.at + 1 : stop] if self.peek("{") and stop > 0 else ""
        least, comma, most = inner.partition(",")
        if not inner or not (least + most).isdigit() or not set(inner) <= set("0123456789,"):
            return None
        self.at = stop + 1
        return int(least or 0), int(most) if most else (_MOST if comma else int(least))

    def escape(self, *, fold: bool) -> Node:
        char = self.next()
        if char in "bBAzZ":
            return Boundary("z" if char == "Z" else char)
        if (char.isdigit() and char != "0") or char in "kgGKX":
            raise UnknownSyntax(f"\\{char}")
        return Chars(_folded(self.escaped(char), fold))

    def escaped(self, char: str) -> Test:
        """Returns the test behind ``\\char``, which has just been read."""
        if char in "pP":
            name = self.until("}")[1:] if self.peek("{") else self.next()
            negative = name.startswith("^") != (char == "P")
            return _not(_property(name.lstrip("^"))) if negative else _property(name)
        if char.lower() in "dswhR":
            test = _shorthand(char.lower())
            return _not(test) if char.isupper() else test
        if char in "uUx":
            return _is(self.code_point(char))
        return _is(_ESCAPED.get(char, char))

    def code_point(self, kind: str) -> str:
        digits = self.until("}")[1:] if self.peek("{") else ""
        if not digits:
            length = {"u": 4, "U": 8, "x": 2}[kind]
            digits, self.at = self.pattern[self.at : self.at + length], self.at + length
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError) as error:
            raise UnknownSyntax(f"\\{kind}{digits}") from error

    def char_class(self) -> Test:
        """Reads the inside of ``[...]``, whose bracket has just been read."""
        negative = self.take("^")
        terms: list[list[Test]] = [[]]
        first = True
        while first or not self.peek("]"):
            if self.take("&&"):
                terms.append([])
            elif self.take("[:"):
                terms[-1].append(_posix(self.until(":]")))
            elif self.take("["):
                terms[-1].append(self.char_class())
            else:
                terms[-1].append(self.class_item())
            first = False
        self.take("]")
        tests = [_any(term) for term in terms]
        return (lambda c: not all(test(c) for test in tests)) if negative else _all(tests)

    def class_item(self) -> Test:
        low = self.class_char()
        if not isinstance(low, str):
            return low
        if self.peek("-") and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
            self.take("-")
            high = self.class_char()
            if not isinstance(high, str) or high < low:
                raise UnknownSyntax("a reversed range")
            start, end = low, high
            return lambda c: start <= c <= end
        return _is(low)

    def class_char(self) -> str | Test:
        char = self.next()
        if char != "\\":
            return char
        char = self.next()
        if char == "b":
            return "\b"
        if char in "pP" or char.lower() in "dswh":
            return self.escaped(char)
        return self.code_point(char) if char in "uUx" else _ESCAPED.get(char, char)


def _is(char: str) -> Test:
    return lambda c: c == char


def _not(test: Test) -> Test:
    return lambda c: not test(c)


def _any(tests: list[Test]) -> Test:
    return lambda c: any(test(c) for test in tests)


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda c: all(test(c) for test in tests)


def _folded(test: Test, fold: bool) -> Test:
    return (lambda c: test(c) or test(c.lower()) or test(c.upper())) if fold else test


def _shorthand(kind: str) -> Test:
    if kind == "d":
        return lambda c: unicodedata.category(c) == "Nd"
    if kind == "w":
        return lambda c: c.isalnum() or c == "_" or unicodedata.category(c)[0] == "M"
    if kind == "h":
        return lambda c: c in "0123456789abcdefABCDEF"
    return lambda c: c.isspace() and c not in "\x1c\x1d\x1e\x1f"


def _posix(name: str) -> Test:
    kinds = {"alpha": "L", "digit": "Nd", "alnum": "alnum", "punct": "P", "upper": "Lu", "lower": "Ll"}
    if name == "space":
        return _shorthand("s")
    if name not in kinds:
        raise UnknownSyntax(f"[:{name}:]")
    return str.isalnum if name == "alnum" else _property(kinds[name])


def _property(name: str) -> Test:
    short = {"Letter": "L", "Number": "N", "Mark": "M", "Punctuation": "P", "Symbol": "S", "Separator": "Z"}
    name = short.get(name, name)
    if name in _SCRIPTS:
        ranges = _SCRIPTS[name]
        return lambda c: any(low <= ord(c) <= high for low, high in ranges)
    if name in ("Alphabetic", "Alpha"):
        return lambda c: c.isalpha() or unicodedata.category(c) == "Nl"
    if name[:1] not in "LMNPSZC" or len(name) > 2:
        raise UnknownSyntax(f"\\p{{{name}}}")
    return lambda c: unicodedata.category(c).startswith(name)
