"""What a model would say: the last word of a text, and which of several continuations is the true one.

Both are judged by strings, so that tokenizers compare: the probability of a continuation is that of context
and continuation together over that of the context, each in the tokenizer's own segmentation, although a token
may reach across the border. A choice is the continuation of fewest bits per byte. A word is guessed
where no token that reaches beyond the context has a more probable rival: greedy decoding would have said it.
Questions come from the windows themselves, or from a file.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.errors import FormatError, InputError
from tokforge.transplant.evaluate.causal import Causal, Progress, Spelled
from tokforge.transplant.evaluate.windows import Window

__all__ = ["Guess", "Question", "ask", "questions_of", "read_questions"]

CHOICES = 4
_CONTINUATION = 64
"""Bytes of a continuation, up to the end of a word."""


@dataclass(frozen=True, slots=True)
class Question:
    """A context, and what may follow it: one string (cloze), or several of which one is right."""

    source: str
    context: str
    choices: tuple[str, ...]
    answer: int = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """A question's outcome."""

    right: bool
    bits: float
    """Bits of the right continuation, given the context."""
    bytes: int


def questions_of(windows: Sequence[Window], seed: int = 0) -> list[Question]:
    """Returns for each window its last word as a cloze, and a choice between the continuation of its first
    half and those of three other windows of the same input, as far as windows have words and company.
    """
    rng = np.random.default_rng(seed)
    return [*_clozes(windows), *_choices(windows, rng)]


def _clozes(windows: Sequence[Window]) -> Iterator[Question]:
    for window in windows:
        whole = window.text.removesuffix(_last_word(window.text)).rstrip()  # a window may end inside a word
        context = whole.removesuffix(_last_word(whole)).rstrip()
        if context and context != whole:
            yield Question(window.source, context, (whole[len(context) :],))


def _last_word(text: str) -> str:
    """Returns the word that the text ends in; none after a blank."""
    return "" if not text or text[-1].isspace() else text.split()[-1]


def _choices(windows: Sequence[Window], rng: np.random.Generator) -> Iterator[Question]:
    halves = [(window.source, *_halves(window.text)) for window in windows]
    halves = [half for half in halves if half[1] and half[2].strip()]
    for at, (source, context, continuation) in enumerate(halves):
        others = [n for n, (name, _, text) in enumerate(halves) if name == source and text != continuation]
        if len(others) < CHOICES - 1:
            continue
        drawn = [halves[n][2] for n in rng.choice(others, CHOICES - 1, replace=False).tolist()]
        answer = int(rng.integers(CHOICES))
        yield Question(source, context, (*drawn[:answer], halves[at][2], *drawn[answer:]), answer)


def _halves(text: str) -> tuple[str, str]:
    """Returns the text up to a blank in its middle, and some words from there."""
    middle = text.rfind(" ", 0, len(text) // 2 + 1)
    if middle <= 0:
        return "", ""
    rest = text[middle : middle + _CONTINUATION]
    return text[:middle], rest[: rest.rfind(" ")] if " " in rest[1:] else rest


def read_questions(path: str | Path) -> list[Question]:
    """Reads JSON lines: ``context`` with ``choices`` and ``answer`` (from 0), or with ``continuation``.

    Raises InputError for a file that cannot be read, FormatError for a line that is neither.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"it cannot be read: {error}", "name a file of JSON lines", str(path)) from error
    found = [_question(line, f"{path}:{n}") for n, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise InputError("there is no question in it", "write one a line, as JSON", str(path))
    return [Question(str(path), *one) for one in found]


def _question(line: str, where: str) -> tuple[str, tuple[str, ...], int]:
    hint = (
        'write {"context": ..., "choices": [..., ...], "answer": 0} or {"context": ..., "continuation": ...}'
    )
    try:
        row: dict[str, Any] = json.loads(line)
        choices = (row["continuation"],) if "continuation" in row else tuple(row["choices"])
        context, answer = row["context"], row.get("answer", 0 if "continuation" in row else None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"this is no question: {error!r}", hint, where) from error
    strings = all(isinstance(text, str) and text for text in choices) and isinstance(context, str)
    if not strings or type(answer) is not int or not 0 <= answer < len(choices):
        raise FormatError("its fields are not as they should be", hint, where)
    return context, choices, answer


def ask(
    causal: Causal,
    questions: Sequence[Question],
    *,
    progress: Progress = lambda phase, done, total: None,
) -> list[Guess]:
    """Returns the outcome of each question, in order."""
    texts = [text for one in questions for text in (one.context, *(one.context + c for c in one.choices))]
    spelled = iter(causal.spell(texts, progress=progress))
    guesses = []
    for one in questions:
        before = float(next(spelled).bits.sum())
        after = [next(spelled) for _ in one.choices]
        bits = [float(text.bits.sum()) - before for text in after]
        sizes = [len(choice.encode()) for choice in one.choices]
        if len(one.choices) == 1:
            right = _said(causal, after[0], sizes[0])
        else:
            right = int(np.argmin(np.array(bits) / sizes)) == one.answer
        guesses.append(Guess(right, bits[one.answer], sizes[one.answer]))
    return guesses


def _said(causal: Causal, spelled: Spelled, size: int) -> bool:
    """Whether greedy decoding gives all tokens that reach into the last ``size`` bytes."""
    lengths = np.array(causal.vocabulary.byte_lengths(spelled.ids), np.int64)
    behind = lengths[::-1].cumsum()[::-1] - lengths
    return bool(spelled.first[behind < size].all())
