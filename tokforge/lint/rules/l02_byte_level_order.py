r"""L02: ByteLevel before a splitter, or splitting twice.

What it finds:
(a) A splitter that follows ByteLevel and looks for white space, properties or non-ASCII text.
(b) A ByteLevel with ``use_regex`` (its default) after a Split that already cuts whole text into words, where
the two cut some text otherwise than the Split alone.

Why it matters:
ByteLevel spells bytes in its own alphabet, so what follows sees ``Ġ`` for a space and ``Ċ`` for a line end
and never finds them (PythonNut/superbpe#1). Forgotten ``use_regex`` cuts again by GPT-2's pattern:
supertokens and digit groups are never used. ASCII digits after ByteLevel (Falcon) and `Digits` before a
ByteLevel with its regex (StarCoder) are meant, and are not reported.

How to fix:
Put ByteLevel last and set ``"use_regex": false``. Both change ids: on a trained model, keep the file and know
what it does. `--fix` reorders and lists what changes.
"""

import re
from collections.abc import Iterable, Iterator

from tokforge.errors import TokforgeError
from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import step
from tokforge.lint.pipeline import Step, steps
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]

_SEES_TEXT = {
    "Whitespace",
    "WhitespaceSplit",
    "Metaspace",
    "BertPreTokenizer",
    "UnicodeScripts",
    "Punctuation",
}
_TEXT_SYNTAX = re.compile(r"\\[sSpPwWnrthbB]|[ \n\r\t]|[^\x00-\x7f]")
_PROBES = (
    b"It's DON'T 12345 can't  x\n\n  y = [1, 2]; // done\r\n\tnaive",
    "Füße 中文 हिन्दी ²½ a_b  ...!?\n \u3000".encode(),
)


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each step out of order and for each second splitting."""
    if not artefact.tokenizer:
        return
    before: list[Step] = []
    for one in steps(artefact.tokenizer, "pre_tokenizer"):
        if any(earlier.type == "ByteLevel" for earlier in before) and _sees_text(one):
            yield RULE.finding(
                one.place,
                _shown(one),
                f"this {one.type} follows ByteLevel, so it sees Ġ for a space and Ċ for a line end",
                "move ByteLevel to the end",
            )
        if one.type == "ByteLevel" and one.value.get("use_regex") is not False and _cuts_again(before):
            yield RULE.finding(
                one.place.at("use_regex"),
                one.value.get("use_regex", True),
                "ByteLevel cuts by GPT-2's regex what the Split before it has already cut into words",
                'set "use_regex": false',
            )
        before.append(one)


def _shown(one: Step) -> str:
    pattern = step(one.value, "pattern", "Regex") or step(one.value, "pattern", "String")
    return f"{one.type} {pattern}" if isinstance(pattern, str) else one.type


def _sees_text(one: Step) -> bool:
    if one.type in _SEES_TEXT:
        return True
    pattern = step(one.value, "pattern", "Regex") or step(one.value, "pattern", "String")
    return one.type == "Split" and isinstance(pattern, str) and bool(_TEXT_SYNTAX.search(pattern))


def _cuts_again(before: list[Step]) -> bool:
    """Tells whether a Split before cuts words out of whole text, and GPT-2's regex then cuts some of them."""
    for one in before:
        pattern = step(one.value, "pattern", "Regex")
        if one.type == "Split" and isinstance(pattern, str) and pattern.count("|") >= 2 and r"\s" in pattern:
            return _differ(pattern)
    return False


def _differ(pattern: str) -> bool:
    from tokforge import _core

    try:
        alone, twice = _core.Splitter([f"regex:{pattern}"]), _core.Splitter([f"regex:{pattern}", "gpt2"])
        return any(alone.split(probe) != twice.split(probe) for probe in _PROBES)
    except TokforgeError:  # a regex that our engine does not take: L25 says so
        return True


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    root = documents[artefact.file]
    parts = step(root, "pre_tokenizer", "pretokenizers")
    if not isinstance(parts, list):
        return
    ordered = sorted(parts, key=lambda part: step(part, "type") == "ByteLevel")
    if ordered != parts:
        root["pre_tokenizer"]["pretokenizers"] = ordered
        yield Change("L02", artefact.file, "/pre_tokenizer/pretokenizers", "ByteLevel moved to the end")
    for number, part in enumerate(ordered):
        splits = [one for one in ordered[:number] if step(one, "type") == "Split"]
        if step(part, "type") == "ByteLevel" and part.get("use_regex") is not False and splits:
            part["use_regex"] = False
            place = f"/pre_tokenizer/pretokenizers/{number}/use_regex"
            yield Change("L02", artefact.file, place, "set to false: the Split before it decides")


RULE = Rule("L02", "byte-level-order", "error", check, __doc__, Fix(_fix, keeps_ids=False))
