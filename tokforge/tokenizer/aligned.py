"""Text that remembers where it came from, through normalisers and stages that rewrite it.

Invariant: every character has a span (start, end) of original characters. The rules are Hugging Face's: what
replaces a character takes its span, what is put behind one shares it, what is put in front of all text
takes the first one's; a composed character keeps the span of its first part alone. sentencepiece's own
normaliser has sentencepiece's rule instead: a character's span ends where the next one's begins.
The twin is the engine's normaliser, which gives the text: where the two differ there is no alignment, and
ConfigError says so. Linear, in Python: for spans that are shown or stored, not for training runs.
Source: huggingface/tokenizers, tokenizer/normalizer.rs (`transform_range`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tokforge.errors import ConfigError
from tokforge.tokenizer._engine import make_normalizer, make_stage_spec, make_step_spec
from tokforge.tokenizer.model import Pipeline
from tokforge.tokenizer.normalizers import Normalizer, Precompiled, Prepend, Replace, SentencePiece, Strip
from tokforge.tokenizer.stages import AddPrefixSpace, Metaspace, Split, Stage

__all__ = ["Aligned", "aligned_pieces", "byte_to_character", "normalize_aligned"]

_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


class Aligned(NamedTuple):
    """Characters, and the (start, end) of each in the original."""

    text: str
    spans: list[tuple[int, int]]

    def part(self, start: int, end: int) -> "Aligned":
        """Returns the characters from ``start`` to ``end``."""
        return Aligned(self.text[start:end], self.spans[start:end])


def byte_to_character(text: str) -> list[int]:
    """Returns for each byte of ``text`` in UTF-8, and for its end, the character that it is of."""
    places = [at for at, character in enumerate(text) for _ in character.encode()]
    return [*places, len(text)]


def normalize_aligned(pipeline: Pipeline, text: Aligned) -> Aligned:
    """Applies the normalisers; raises ConfigError, by name, where an alignment cannot be known."""
    for step in pipeline.normalizers:
        if isinstance(step, SentencePiece):
            text = _sentencepieces(step, text)
            continue
        engine = make_normalizer(replace(pipeline, normalizers=(step,)))
        expected = engine.apply(text.text.encode()).decode() if engine else text.text
        if expected == text.text:
            continue
        name = step if isinstance(step, str) else type(step).__name__
        text = _normalized(step, text)
        if text.text != expected:
            raise ConfigError(f"what {name} makes of this text cannot be aligned", "use encode")
    return text


def _normalized(step: Normalizer, text: Aligned) -> Aligned:
    match step:
        case Prepend():
            return _in_front(step.text, text)
        case Replace():
            return _replaced(step, text)
        case Strip():
            start = len(text.text) - len(text.text.lstrip(_WHITE_SPACE)) if step.left else 0
            end = len(text.text.rstrip(_WHITE_SPACE)) if step.right else len(text.text)
            return text.part(start, max(start, end))
        case str() | Precompiled():
            from tokforge._core import normalizer_changes

            return _changed(text, normalizer_changes(make_step_spec(step), text.text) or [])
        case _:
            return _by_character(step, text)


def _sentencepieces(step: SentencePiece, text: Aligned) -> Aligned:
    """sentencepiece's rule: what stands for a character reaches to where the next one comes from."""
    from tokforge._core import sentencepiece_places

    made, sources = sentencepiece_places(make_step_spec(step), text.text.encode())
    found, characters = made.decode(), byte_to_character(text.text)
    begins = [start for start, _ in text.spans] + [end for _, end in text.spans[-1:]]
    firsts = [at for at, byte in enumerate(made) if byte & 0xC0 != 0x80]
    places = [begins[characters[sources[at]]] for at in (*firsts, len(made))] if text.text else []
    return Aligned(found, list(pairwise(places)))


def _in_front(front: str, text: Aligned) -> Aligned:
    return Aligned(front + text.text, text.spans[:1] * len(front) + text.spans) if text.text else text


def _changed(text: Aligned, changes: Iterable[tuple[str, int]]) -> Aligned:
    """0 replaces a character, 1 comes behind the last one, -n replaces one and n after it."""
    at, spans, characters = 0, list[tuple[int, int]](), list[str]()
    for character, change in changes:
        if change > 0:
            spans.append(text.spans[at - 1] if at else (text.spans[0][0],) * 2)
        else:
            spans.append(text.spans[at])
            at += 1 - change
        characters.append(character)
    return Aligned("".join(characters), spans)


def _replaced(step: Replace, text: Aligned) -> Aligned:
    """What replaces a match takes the span of its last character."""
    parts, spans, done = list[str](), list[tuple[int, int]](), 0
    for start, end in _matches(step, text.text):
        parts += text.text[done:start], step.content
        spans += text.spans[done:start] + text.spans[end - 1 : end] * len(step.content)
        done = end
    return Aligned("".join((*parts, text.text[done:])), spans + text.spans[done:])


def _matches(step: Replace, text: str) -> list[tuple[int, int]]:
    """Returns the matches that are not empty: all pieces but the gaps."""
    both = Split(step.pattern, "isolated", regex=step.regex)
    gaps = Split(step.pattern, "removed", regex=step.regex)
    return sorted(set(_spans(both, text)) - set(_spans(gaps, text)))


def _by_character(step: Normalizer, text: Aligned) -> Aligned:
    engine = make_normalizer(Pipeline("text", normalizers=(step,)))
    rewrite: Callable[[str], str] = lru_cache(None)(
        lambda c: engine.apply(c.encode()).decode() if engine else c
    )
    parts = [rewrite(character) for character in text.text]
    spans = [span for part, span in zip(parts, text.spans, strict=True) for _ in part]
    return Aligned("".join(parts), spans)


def aligned_pieces(stages: Iterable[Stage], text: Aligned) -> list[Aligned]:
    """Cuts by every stage in turn, as the engine does; no piece is empty."""
    pieces = [text]
    for stage in stages:
        pieces = [piece for before in pieces if before.text for piece in _cut(stage, before)]
    return [piece for piece in pieces if piece.text]


def _cut(stage: Stage, text: Aligned) -> Iterator[Aligned]:
    if isinstance(stage, AddPrefixSpace):
        yield text if text.text.startswith(" ") else _in_front(" ", text)
        return
    if isinstance(stage, Metaspace):
        mark = stage.replacement
        text = text._replace(text=text.text.replace(" ", mark))
        wanted = stage.prepend_scheme == "always" or (
            stage.prepend_scheme == "first" and text.spans[0][0] == 0
        )
        if wanted and not text.text.startswith(mark):
            text = _in_front(mark, text)
        if not stage.split:
            yield text
            return
        stage = Split(mark, "merged_with_next", regex=False)
    for start, end in _spans(stage, text.text):
        yield text.part(start, end)


def _spans(stage: Stage, text: str) -> list[tuple[int, int]]:
    from tokforge._core import cut_spans

    places = byte_to_character(text)
    found = cut_spans(make_stage_spec(stage), text.encode())
    return [(places[start], places[end]) for start, end in found]
