"""The steps around the model of a tokenizer.json, flat and with their places."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tokforge.lint.documents import Document, Place, step

__all__ = ["Pattern", "Step", "is_byte_level", "patterns", "split_patterns", "steps"]

SECTIONS = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}
"""Section -> the key under which its Sequence holds steps."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a section; ``type`` is empty where it names none."""

    section: str
    type: str
    value: dict[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a Split or Replace looks for: a regex, or a literal string."""

    text: str
    is_regex: bool
    step: Step
    place: Place


def steps(document: Document, section: str) -> list[Step]:
    """Returns the steps of ``section`` in order, nested Sequences opened; what has no shape is left out."""
    place = document.place.at(section)
    return list(_flat(step(document.value, section), section, place, depth=0))


def _flat(value: Any, section: str, place: Place, depth: int) -> Iterator[Step]:
    if not isinstance(value, dict) or depth > 50:
        return
    kind, inner = value.get("type"), value.get(SECTIONS[section])
    if kind == "Sequence" and isinstance(inner, list):
        for number, part in enumerate(inner):
            yield from _flat(part, section, place.at(SECTIONS[section], number), depth + 1)
    else:
        yield Step(section, kind if isinstance(kind, str) else "", value, place)


def patterns(document: Document) -> list[Pattern]:
    """Returns the patterns of every Split and Replace, in all sections."""
    return [
        Pattern(text, kind == "Regex", one, one.place.at("pattern", kind))
        for section in ("normalizer", "pre_tokenizer", "decoder")
        for one in steps(document, section)
        if one.type in ("Split", "Replace")
        for kind in ("Regex", "String")
        if isinstance(text := step(one.value, "pattern", kind), str)
    ]


def split_patterns(document: Document) -> list[Pattern]:
    """Returns the regexes by which the pre-tokenizer splits."""
    return [one for one in patterns(document) if one.is_regex and one.step.section == "pre_tokenizer"]


def is_byte_level(document: Document) -> bool:
    """Tells whether tokens are spelled in the GPT-2 byte alphabet."""
    return any(
        one.type == "ByteLevel"
        for section in ("normalizer", "pre_tokenizer", "decoder")
        for one in steps(document, section)
    )
