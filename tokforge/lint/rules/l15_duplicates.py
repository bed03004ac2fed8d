"""L15: Two tokens with one rank or id, or one token twice.

What it finds:
In ranks (tiktoken, tekken): a rank that two lines have, a token that stands twice. In a vocabulary: an id
that two tokens have. In SentencePiece and GGUF: a piece that stands twice.

Why it matters:
tiktoken asserts that it can be inverted and panics (vllm#51135 and #50954, openai/tiktoken#87). In a
tokenizer.json one of the two tokens decodes as the other, so text does not come back.

How to fix:
Keep one of the two; give the other a rank of its own before training.
"""

from collections.abc import Hashable, Iterable, Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_LISTED = 20


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields the first of each kind of repetition."""
    place = Place(artefact.file)
    if artefact.ranks:
        where = "lines" if artefact.format == "tiktoken" else "vocab"
        numbers = [one.number for one in artefact.ranks]
        for what, keys in (
            ("rank", [one.rank for one in artefact.ranks]),
            ("token", [one.data for one in artefact.ranks]),
        ):
            for first, again in _repeats(keys):
                message = (
                    f"the {what} {keys[again]!r} stands at {where} {numbers[first]} and {numbers[again]}"
                )
                yield RULE.finding(
                    place.at(where, numbers[again]), keys[again], message, "keep one of the two"
                )
    elif artefact.bpe or artefact.tokenizer:
        yield from _check_vocabulary(artefact)
    pieces: list[Hashable] = [one.data for one in artefact.pieces.pieces] if artefact.pieces else []
    for first, again in _repeats(pieces or _gguf_tokens(artefact)):
        message = f"the piece stands at {first} and {again}"
        yield RULE.finding(place.at("pieces", again), again, message, "keep one of the two")


def _check_vocabulary(artefact: Artefact) -> Iterator[Finding]:
    tokens = list(artefact.vocabulary)
    for first, again in _repeats([artefact.vocabulary[token] for token in tokens]):
        place = artefact.bpe.token_place(tokens[again]) if artefact.bpe else Place(artefact.file)
        message = f"{tokens[first]!r} has id {artefact.vocabulary[tokens[again]]} too"
        yield RULE.finding(place, tokens[again], message, "give each token its own id")


def _gguf_tokens(artefact: Artefact) -> list[Hashable]:
    tokens = artefact.gguf.values.get("tokenizer.ggml.tokens") if artefact.gguf else None
    return list(tokens) if isinstance(tokens, list) else []


def _repeats(keys: Iterable[Hashable]) -> list[tuple[int, int]]:
    """Returns (first, again) positions of keys that stand more than once, the first `_LISTED`."""
    seen: dict[Hashable, int] = {}
    found = []
    for number, key in enumerate(keys):
        if key in seen:
            found.append((seen[key], number))
        seen.setdefault(key, number)
    return found[:_LISTED]


RULE = Rule("L15", "duplicates", "error", check, __doc__)
