"""L26: A part of the wrong shape, or a key that stands twice.

What it finds:
Ids and merges of the wrong type; a model without vocabulary; entries of added_tokens without text; companions
that are not JSON; a key twice in one object; entries of tekken.json without rank or bytes; GGUF arrays of
different lengths.

Why it matters:
Hugging Face stops with "data did not match any variant of untagged enum ModelWrapper", which names neither
the field nor the value (huggingface/tokenizers#1297, #566). Of a key that stands twice, readers take the
first or the last. llama.cpp reads past the end where scores are fewer than tokens
(ggml-org/llama.cpp#20735).

How to fix:
Correct the part that the pointer names.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Document, Place, step
from tokforge.lint.pipeline import SECTIONS
from tokforge.lint.ranks import tekken_ranks
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_LISTED = 20
_HINT = "correct it by hand, or export the file again"


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields the first faults of each document."""
    for document in artefact.documents.values():
        if document.fault:
            yield RULE.finding(document.place, document.file, document.fault, _HINT)
        for place, key in islice(document.repeated(), _LISTED):
            message = "the key stands twice in one object: readers differ on which one counts"
            yield RULE.finding(place.at(key), key, message, "keep one of the two")
    if artefact.tokenizer:
        yield from islice(_check_json(artefact.tokenizer), _LISTED)
    elif artefact.format == "tekken":
        for place, problem in tekken_ranks(artefact.documents[artefact.file])[1][:_LISTED]:
            yield RULE.finding(place, "entry", problem, _HINT)
    elif artefact.gguf:
        yield from _check_gguf(artefact.gguf.values, Place(artefact.file))


def _check_json(document: Document) -> Iterator[Finding]:
    root, model = document.value, step(document.value, "model")
    vocab, merges = step(model, "vocab"), step(model, "merges")
    place = document.place.at("model")
    if not isinstance(vocab, dict | list) or not vocab:
        yield RULE.finding(place.at("vocab"), vocab, "the model has no vocabulary", _HINT)
    for token, token_id in vocab.items() if isinstance(vocab, dict) else ():
        if type(token_id) is not int or not 0 <= token_id < 2**32:
            message = "a token id is a whole number from 0 to 4294967295"
            yield RULE.finding(place.at("vocab", token), token_id, message, _HINT)
    if step(model, "type") in ("BPE", None) and not isinstance(merges, list):
        yield RULE.finding(place.at("merges"), merges, "a BPE model needs an array of merges", _HINT)
    added = step(root, "added_tokens")
    if added is not None and not isinstance(added, list):
        yield RULE.finding(document.place.at("added_tokens"), added, "added_tokens is an array", _HINT)
    for number, entry in enumerate(added if isinstance(added, list) else ()):
        if not isinstance(step(entry, "content"), str) or type(step(entry, "id")) is not int:
            place = document.place.at("added_tokens", number)
            yield RULE.finding(place, entry, "an added token has an id and a text as content", _HINT)
    for section in SECTIONS:
        part = step(root, section)
        if part is not None and not isinstance(step(part, "type"), str):
            yield RULE.finding(document.place.at(section), part, "a step is an object with a type", _HINT)


def _check_gguf(values: dict[str, Any], place: Place) -> Iterator[Finding]:
    tokens = values.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list):
        yield RULE.finding(
            place, None, "the file has no tokenizer.ggml.tokens", "give a GGUF with a vocabulary"
        )
        return
    for key in ("tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
        other = values.get(key)
        if isinstance(other, list) and len(other) < len(tokens):
            message = f"{len(other):,} entries for {len(tokens):,} tokens"
            yield RULE.finding(Place(place.file, f"/{key}"), len(other), message, _HINT)


RULE = Rule("L26", "malformed", "error", check, __doc__)
