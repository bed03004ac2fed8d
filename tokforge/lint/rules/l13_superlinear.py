r"""L13: A regex whose time grows faster than the text.

What it finds:
Patterns whose backtracking steps grow superlinearly. Steps are counted on a model of a backtracking engine
over pumped texts (tokforge/lint/regex_steps.py); no clock is read. Exponential growth is an error, polynomial
a warning. A pattern outside the modelled syntax is tried on the engine, within its fixed budget of steps.

Why it matters:
``(a+)+`` on a few dozen characters spends Oniguruma's retry limit, and Hugging Face panics
(huggingface/tokenizers PR #2060); a quadratic pattern, as those that group digits from the right with a
look-ahead, hangs a server on one long run of digits.

How to fix:
Make repeats possessive (``\s++``), bound them (``\d{1,18}``), or let no two neighbours match the same
character. Prove equal splits on a corpus before you replace the pattern of a trained model.
"""

import math
from collections.abc import Iterator

from tokforge.errors import TokforgeError
from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place, step
from tokforge.lint.pipeline import patterns
from tokforge.lint.regex_steps import Growth, growth
from tokforge.lint.regex_syntax import UnknownSyntax
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_HINT = "make its repeats possessive or bounded"
_PUMPED = [pump * 3000 for pump in ("a", "1", " ", "\n", ".", "a ", "é", "中")]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each regex that grows superlinearly."""
    for place, regex in _regexes(artefact):
        try:
            found = growth(regex)
        except UnknownSyntax:
            yield from _probed(place, regex)
            continue
        if found.superlinear:
            yield _finding(place, regex, found)


def _regexes(artefact: Artefact) -> Iterator[tuple[Place, str]]:
    if artefact.tokenizer:
        yield from ((one.place, one.text) for one in patterns(artefact.tokenizer) if one.is_regex)
    elif artefact.format == "tekken":
        document = artefact.documents[artefact.file]
        regex = step(document.value, "config", "pattern")
        if isinstance(regex, str):
            yield document.place.at("config", "pattern"), regex


def _finding(place: Place, regex: str, found: Growth) -> Finding:
    text = f"{found.pump!r} repeated" + (f", then {found.suffix!r}" if found.suffix else "")
    if math.isinf(found.exponent):
        return RULE.finding(place, regex, f"steps grow exponentially on {text}", _HINT)
    message = f"steps grow as the power {found.exponent:.1f} of the length on {text}"
    return RULE.finding(place, regex, message, _HINT, severity="warning")


def _probed(place: Place, regex: str) -> Iterator[Finding]:
    """Runs the engine, which counts its steps too; a regex that it refuses is L25's."""
    from tokforge import _core

    try:
        splitter = _core.Splitter([f"regex:{regex}"])
    except TokforgeError:
        return
    for text in _PUMPED:
        try:
            splitter.split(text.encode())
        except TokforgeError:
            yield RULE.finding(
                place, regex, f"it spends the engine's budget of steps on {text[:2]!r} repeated", _HINT
            )
            return


RULE = Rule("L13", "superlinear-regex", "error", check, __doc__)
