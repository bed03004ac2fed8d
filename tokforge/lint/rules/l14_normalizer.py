"""L14: A character map that is null or damaged, or NFKC in its place.

What it finds:
A Precompiled normaliser whose ``precompiled_charsmap`` is null, empty or no base64 (an error); NFKC in a
SentencePiece-like tokenizer, where the original has ``nmt_nfkc`` (a warning); NFKC elsewhere (a note).

Why it matters:
A null map makes Hugging Face panic at load (huggingface/tokenizers#1627). NFKC is not ``nmt_nfkc``: white
space and control characters differ, and so do ids. And any NFKC changes the text it is given (``²`` becomes
``2``), so code and formulas do not come back as they went in.

How to fix:
Drop the empty map (`--fix` does), or take it again from the SentencePiece model. Before training use no
normaliser, or NFC.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any

from tokforge.lint.artefact import Artefact
from tokforge.lint.classes import signature
from tokforge.lint.documents import step
from tokforge.lint.pipeline import steps
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each step at fault."""
    document = artefact.tokenizer
    for one in steps(document, "normalizer") if document else ():
        if one.type == "Precompiled" and _is_damaged(one.value):
            yield RULE.finding(
                one.place.at("precompiled_charsmap"),
                one.value.get("precompiled_charsmap"),
                "the character map is empty or damaged: Hugging Face panics at load",
                "drop the step, or take the map again from the SentencePiece model",
            )
        elif one.type == "NFKC" and document:
            yield _nfkc(one.place, signature(document)[0] == "metaspace")


def _nfkc(place: Any, sentencepiece: bool) -> Finding:
    if sentencepiece:
        return RULE.finding(
            place,
            "NFKC",
            "NFKC stands where SentencePiece has nmt_nfkc, which treats spaces and controls otherwise",
            "take the character map from the SentencePiece model",
            severity="warning",
            fixable=False,
        )
    return RULE.finding(
        place,
        "NFKC",
        "NFKC rewrites text (² becomes 2): decoding does not give back what was encoded",
        "before training, use NFC or none",
        severity="note",
        fixable=False,
    )


def _is_damaged(value: Any) -> bool:
    data = step(value, "precompiled_charsmap")
    try:
        return not isinstance(data, str) or len(base64.b64decode(data, validate=True)) < 4
    except (ValueError, binascii.Error):
        return True


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    root = documents[artefact.file]
    normalizer = root.get("normalizer")
    parts = step(normalizer, "normalizers")
    for number, part in enumerate(parts if isinstance(parts, list) else [normalizer]):
        if step(part, "type") == "Precompiled" and _is_damaged(part):
            place = f"/normalizer/normalizers/{number}" if isinstance(parts, list) else "/normalizer"
            yield Change("L14", artefact.file, place, "the empty character map is dropped")
    if isinstance(parts, list):
        normalizer["normalizers"] = [
            part for part in parts if step(part, "type") != "Precompiled" or not _is_damaged(part)
        ]
    else:
        root["normalizer"] = None


RULE = Rule("L14", "normalizer", "error", check, __doc__, Fix(_fix, keeps_ids=True))
