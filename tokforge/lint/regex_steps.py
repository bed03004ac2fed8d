"""How many steps a backtracking engine needs for a pattern, and how that grows with the text.

A step is one character tested or one continuation tried, as a backtracking engine without memoisation makes
them (Oniguruma, the default of Hugging Face, stops at its retry limit and panics). No clock is read: the
same pattern gives the same answer on every machine. Texts are pumped: a short word over the pattern's own
kinds of character, repeated, with and without a character that spoils the match at the end. The growth
exponent is log2(steps(2n) / steps(n)); about 1 is linear, 2 quadratic. More than 20 times the steps on twice
the text, at n = 12, means exponential for any pattern a person would write. Source: the pumping view of
Weideman et al., "Analyzing Matching Time Behavior of Backtracking Regular Expression Matchers by Using
Ambiguity of NFA" (2016).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from tokforge.lint.regex_syntax import (
    Alternatives,
    Atomic,
    Boundary,
    Chars,
    Look,
    Node,
    Repeat,
    Sequence,
    Test,
    UnknownSyntax,
    parse_regex,
)

__all__ = ["Growth", "count_steps", "growth"]

BUDGET = 120_000
"""Steps that a text may always take; more where the pattern is broad, or a shorter text took many."""
_SIZES = (12, 24, 48, 96)
_SUPERLINEAR = 1.6
_MOST_KINDS = 9
_LONGEST_PATTERN = 20_000
_MOST_STEPS = 3_000_000
_CANDIDATES = 6
_SAMPLE = "aAs1 \n\r\t'/_!-<#$é中か한ʰǅ\u0301²(\u00a0😀א\u0e32"

Text: TypeAlias = tuple[str, str]
"""A pump and a suffix."""
Continue: TypeAlias = Callable[[int], bool]
Matcher: TypeAlias = Callable[[int, Continue], bool]


class _Spent(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Growth:
    """The worst text found. ``exponent`` is infinite where the budget was spent."""

    exponent: float
    pump: str
    suffix: str

    @property
    def superlinear(self) -> bool:
        """Tells whether twice the text costs much more than twice the steps."""
        return self.exponent >= _SUPERLINEAR


def growth(pattern: str) -> Growth:
    """Returns how the steps of ``pattern`` grow on the worst of its pumped texts.

    Raises:
        UnknownSyntax: the pattern is outside the modelled dialect, or too large to try.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise UnknownSyntax(f"{len(pattern)} characters are too many to try")
    try:
        return _worst(parse_regex(pattern))
    except RecursionError as error:
        raise UnknownSyntax("it is nested too deeply") from error


def _worst(tree: Node) -> Growth:
    kinds, parts = _kinds(tree), sum(1 for _ in _tests(tree))
    short: dict[Text, float] = {}
    longer: dict[Text, float] = {}
    for text in ((pump, suffix) for pump in _pumps(kinds) for suffix in ("", *kinds)):
        # A linear pattern may be broad: the budget grows with its parts, or it would count as exponential.
        short[text] = _cost(tree, text, _SIZES[0], max(BUDGET, 100 * parts))
        longer[text] = _cost(tree, text, _SIZES[1], max(BUDGET, 20 * short[text]))
        if math.isinf(longer[text]):
            return Growth(math.inf, *text)
        if sum(longer.values()) > _MOST_STEPS:
            break  # a pattern of thousands of parts: what was seen must do
    ratios = {text: longer[text] / short[text] for text in longer}
    worst = sorted(longer, key=lambda text: (-ratios[text], text))[:_CANDIDATES]
    worst += sorted(longer, key=lambda text: (-longer[text], text))[:_CANDIDATES]
    found = [Growth(_exponent(tree, text, longer[text]), *text) for text in dict.fromkeys(worst)]
    return max(found, key=lambda one: one.exponent)


def _exponent(tree: Node, text: Text, before: float) -> float:
    exponent = 1.0
    for size in _SIZES[2:]:
        try:
            cost = _cost(tree, text, size, max(BUDGET, 16 * before))
        except RecursionError:  # Python's stack, not the pattern's fault: what was measured counts
            return exponent
        if math.isinf(cost):
            # Spent on a longer text only: cubic or worse, yet no proof of an exponential.
            return max(exponent, 3.0)
        exponent = math.log2(cost / before)
        before = cost
    return exponent


def _cost(tree: Node, text: Text, size: int, budget: float) -> float:
    if math.isinf(budget):
        return math.inf
    pump, suffix = text
    try:
        return count_steps(tree, pump * (size // len(pump)) + suffix, int(budget))
    except _Spent:
        return math.inf


def _pumps(kinds: list[str]) -> Iterator[str]:
    yield from kinds
    yield from (a + b for a, b in product(kinds, kinds) if a != b)


def _kinds(tree: Node) -> list[str]:
    """Returns one character for each way in which the pattern's classes can see one."""
    tests = list(_tests(tree))
    seen: dict[tuple[bool, ...], str] = {}
    for char in _SAMPLE:
        seen.setdefault(tuple(test(char) for test in tests), char)
    # A character that no class takes spoils every match alike: one is enough, and it is among them.
    return list(seen.values())[:_MOST_KINDS]


def _tests(node: Node) -> Iterator[Test]:
    if isinstance(node, Chars):
        yield node.test
    elif isinstance(node, Sequence | Alternatives):
        for part in node.parts if isinstance(node, Sequence) else node.branches:
            yield from _tests(part)
    elif isinstance(node, Repeat | Look | Atomic):
        yield from _tests(node.body)


def count_steps(tree: Node, text: str, budget: int = BUDGET) -> int:
    """Returns the steps of finding every match of ``tree`` in ``text``, left to right.

    Raises:
        Exception: a private one, when ``budget`` is spent.
    """
    run = _Run(text, budget)
    matcher = run.compile(tree)
    at = 0
    while at <= len(text):
        run.step()
        end = run.end_of(matcher, at)
        at = end if end is not None and end > at else at + 1
    return run.steps


class _Run:
    """One text, its step counter, and the tree as closures over both."""

    def __init__(self, text: str, budget: int) -> None:
        self.text, self.budget, self.steps = text, budget, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > self.budget:
            raise _Spent

    def end_of(self, matcher: Matcher, at: int) -> int | None:
        """Returns where the first match from ``at`` ends."""
        ends: list[int] = []

        def done(end: int) -> bool:
            ends.append(end)
            return True

        return ends[0] if matcher(at, done) else None

    def compile(self, node: Node) -> Matcher:
        makers: dict[type, Callable[[Any], Matcher]] = {
            Chars: self._chars,
            Boundary: self._boundary,
            Sequence: self._sequence,
            Alternatives: self._alternatives,
            Repeat: self._repeat,
            Look: self._look,
            Atomic: self._atomic,
        }
        return makers[type(node)](node)

    def _chars(self, node: Chars) -> Matcher:
        def match(at: int, then: Continue) -> bool:
            self.step()
            return at < len(self.text) and node.test(self.text[at]) and then(at + 1)

        return match

    def _boundary(self, node: Boundary) -> Matcher:
        def match(at: int, then: Continue) -> bool:
            self.step()
            return _holds(node.kind, self.text, at) and then(at)

        return match

    def _sequence(self, node: Sequence) -> Matcher:
        matchers = [self.compile(part) for part in node.parts]

        def match(at: int, then: Continue, index: int = 0) -> bool:
            if index == len(matchers):
                return then(at)
            return matchers[index](at, lambda end: match(end, then, index + 1))

        return match

    def _alternatives(self, node: Alternatives) -> Matcher:
        matchers = [self.compile(branch) for branch in node.branches]
        return lambda at, then: any(matcher(at, then) for matcher in matchers)

    def _repeat(self, node: Repeat) -> Matcher:
        if isinstance(node.body, Chars):
            return self._repeat_char(node, node.body.test)
        body = self.compile(node.body)

        def match(at: int, then: Continue, done: int = 0) -> bool:
            self.step()

            def again(end: int) -> bool:
                return (end > at or done < node.least) and match(end, then, done + 1)

            if done < node.least:
                return body(at, again)
            if node.lazy:
                return then(at) or (done < node.most and body(at, again))
            return (done < node.most and body(at, again)) or then(at)

        return match

    def _repeat_char(self, node: Repeat, test: Test) -> Matcher:
        """The same without recursion: texts are longer than Python's stack is deep."""

        def match(at: int, then: Continue) -> bool:
            end = at
            while end < len(self.text) and end - at < node.most and test(self.text[end]):
                self.step()
                end += 1
            ends = range(at + node.least, end + 1)
            for stop in ends if node.lazy else reversed(ends):
                self.step()
                if then(stop):
                    return True
            return False

        return match

    def _look(self, node: Look) -> Matcher:
        body = self.compile(node.body)

        def match(at: int, then: Continue) -> bool:
            self.step()
            starts = range(at + 1) if node.behind else (at,)
            found = any(body(start, lambda end: end == at or not node.behind) for start in starts)
            return found != node.negative and then(at)

        return match

    def _atomic(self, node: Atomic) -> Matcher:
        body = self.compile(node.body)

        def match(at: int, then: Continue) -> bool:
            end = self.end_of(body, at)
            return end is not None and then(end)

        return match


def _holds(kind: str, text: str, at: int) -> bool:
    if kind == "A":
        return at == 0
    if kind == "z":
        return at == len(text)
    if kind == "^":
        return at == 0 or text[at - 1] == "\n"
    if kind == "$":
        return at == len(text) or text[at] == "\n"
    words = [
        0 <= place < len(text) and (text[place].isalnum() or text[place] == "_") for place in (at - 1, at)
    ]
    return (words[0] != words[1]) == (kind == "b")
