"""A corpus as the tokens that are left cut it piece by piece: what pruning Unigram and WordPiece goes by.

Any token may go, and each piece that holds it is cut again as a whole. Invariant: `_holding` names, for each
token that may go, every piece whose cut may change without it. For Unigram these are the pieces that hold
it: a candidate off the best path does not move it. A word that WordPiece cannot cover is listed under the
tokens that it tried, since without one of them another cover may be found.

WordPiece cuts words. Unigram often has whole texts, which are cut first at *seams*: places that no token of
the vocabulary crosses in this text, and that do not part unknown characters, which fuse. The best way passes
through every seam, so both sides are independent, and tokens that go open no new way across. (In float32 a
sum begins anew at a seam, so that a near tie may be counted otherwise than sentencepiece would cut it.)
Complexity: for each removal the pieces that hold the token, each a look-up a place and length.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple, Protocol

import numpy as np

from tokforge.tokenizer._engine import first_tokens, inner_tokens, scored_tokens
from tokforge.tokenizer.model import Definition, TokenTable, UnigramModel, WordPieceModel

__all__ = ["PiecewiseUse"]


class _Cut(NamedTuple):
    """What a piece falls into."""

    ids: list[int]
    tried: Collection[int]
    """The tokens without which it might fall otherwise."""


class _Cutter(Protocol):
    """A model whose tokens go."""

    def pieces(self, text: str) -> Iterable[str]:
        """Yields the parts of a text that are cut independently."""

    def cut(self, piece: str) -> _Cut:
        """Returns what a piece falls into."""

    def drop(self, token_id: int) -> None:
        """Removes a token."""

    def priority(self, token_id: int) -> float:
        """Of tokens that occur alike, the highest goes first."""


class PiecewiseUse:
    """The use of a Unigram or WordPiece vocabulary, while its tokens go."""

    def __init__(self, definition: Definition, texts: Mapping[bytes, int], fixed: Collection[int]) -> None:
        size = len(definition.table)
        self._cutter = _cutter_of(definition)
        self._may_go = [token_id not in fixed for token_id in range(size)]
        weights: Counter[str] = Counter()
        for text, weight in texts.items():
            for piece in self._cutter.pieces(text.decode("utf-8", "surrogateescape")):
                weights[piece] += weight
        self._pieces, self._weights = list(weights), list(weights.values())
        self._counts, self.tokens = [0] * size, 0
        self._cuts = [_Cut([], ())] * len(self._pieces)
        self._holding: dict[int, list[int]] = defaultdict(list)
        for number in range(len(self._pieces)):
            self._cut(number)

    def count(self, token_id: int) -> int:
        """Returns how often the corpus holds a token."""
        return self._counts[token_id]

    def may_go(self, token_id: int) -> bool:
        """Tells whether a token is there and need not stay."""
        return self._may_go[token_id]

    def priority(self, token_id: int) -> float:
        """Of tokens that occur alike, the highest goes first."""
        return self._cutter.priority(token_id)

    def drop(self, token_id: int) -> set[int]:
        """Removes a token and cuts again what may change; returns the tokens whose counts changed."""
        self._may_go[token_id] = False
        self._cutter.drop(token_id)
        changed: set[int] = set()
        for number in dict.fromkeys(self._holding.pop(token_id, ())):
            if token_id in self._cuts[number].tried:
                changed |= self._cut(number)
        return changed

    def _cut(self, number: int) -> set[int]:
        old, new = self._cuts[number], self._cutter.cut(self._pieces[number])
        for ids, weight in ((old.ids, -self._weights[number]), (new.ids, self._weights[number])):
            self.tokens += weight * len(ids)
            for token_id in ids:
                self._counts[token_id] += weight
        for token_id in {*new.tried} - {*old.tried}:
            if self._may_go[token_id]:
                self._holding[token_id].append(number)
        self._cuts[number] = new
        return {*old.ids, *new.ids}


def _cutter_of(definition: Definition) -> _Cutter:
    model = definition.model
    if isinstance(model, UnigramModel):
        return _Unigram(definition.table, model)
    if isinstance(model, WordPieceModel):
        return _WordPiece(definition.table, model)
    raise TypeError(model)


class _Unigram:
    """Viterbi over characters, as `core/src/encode/unigram.rs` defines it."""

    def __init__(self, table: TokenTable, model: UnigramModel) -> None:
        self._model = model
        self._is_single = model.arithmetic == "float32"
        self._texts = {
            i: token.decode("utf-8", "surrogateescape")
            for i, token in enumerate(scored_tokens(table, model))
            if token
        }
        self._found: dict[str, tuple[float, int]] = {}
        for token_id, text in self._texts.items():
            self._found.setdefault(text, (self._round(model.scores[token_id] or 0.0), token_id))
        for token_id in model.user_defined:  # above every score, a long token above its parts
            above = np.float32(len(table.tokens[token_id]) - 1) * np.float32(0.1)
            self._found[self._texts[token_id]] = (float(above), token_id)
        self._longest = max(map(len, self._found), default=1)
        self._byte_ids = table.byte_ids() if model.byte_fallback else [-1] * 256

    def pieces(self, text: str) -> Iterator[str]:
        unk = self._texts.get(-1 if self._model.unk_id is None else self._model.unk_id)
        if unk and unk in text:  # it fuses with unknown text beside it
            yield text
            return
        start = reach = 0
        follows_unknown = False
        for at, character in enumerate(text):
            is_unknown = character not in self._found
            if start < at >= reach and not (is_unknown and follows_unknown):
                yield text[start:at]
                start = at
            reach = max(reach, at + self._longest_at(text, at))
            follows_unknown = is_unknown
        yield text[start:]

    def _longest_at(self, text: str, at: int) -> int:
        ends = range(min(at + self._longest, len(text)), at, -1)
        return next((end - at for end in ends if text[at:end] in self._found), 1)

    def cut(self, piece: str) -> _Cut:
        sums: list[float | None] = [0.0, *[None] * len(piece)]
        last: list[tuple[int, int | None]] = [(0, None)] * (len(piece) + 1)
        for start in range(len(piece)):
            for end in range(start + 1, min(start + self._longest, len(piece)) + 1):
                score, token_id = self._found.get(piece[start:end], (None, None))
                if score is None:
                    if end > start + 1:
                        continue
                    score = self._round(self._model.unk_score)  # this character is no token
                reached, total = sums[end], self._round((sums[start] or 0.0) + score)
                if reached is None or total > reached:
                    sums[end], last[end] = total, (start, token_id)
        ids = list(self._read_back(piece, last))
        return _Cut(ids, ids)

    def _read_back(self, piece: str, last: list[tuple[int, int | None]]) -> Iterator[int]:
        parts: list[tuple[str, int | None]] = []
        end = len(piece)
        while end > 0:
            start, token_id = last[end]
            parts.append((piece[start:end], token_id))
            end = start
        unk_id = self._model.unk_id
        for is_unknown, group in groupby(reversed(parts), lambda part: part[1] in (None, unk_id)):
            stretch = list(group)
            if not is_unknown:
                yield from (token_id for _, token_id in stretch if token_id is not None)
            elif self._model.fuse_unk:
                yield from self._unknown("".join(text for text, _ in stretch))
            else:
                for text, _ in stretch:
                    yield from self._unknown(text)

    def _unknown(self, text: str) -> list[int]:
        unk_id = self._model.unk_id
        ids = [self._byte_ids[byte] for byte in text.encode("utf-8", "surrogateescape")]
        if min(ids) >= 0 and self._found.get(text, (0.0, -1))[1] != unk_id:
            return ids
        return [] if unk_id is None else [unk_id]

    def drop(self, token_id: int) -> None:
        text = self._texts.get(token_id)
        if text is not None and self._found[text][1] == token_id:
            del self._found[text]

    def priority(self, token_id: int) -> float:
        return -(self._model.scores[token_id] or 0.0)

    def _round(self, value: float) -> float:
        return float(np.float32(value)) if self._is_single else value


class _WordPiece:
    """The longest token from the left, as `core/src/encode/word_piece.rs` defines it."""

    def __init__(self, table: TokenTable, model: WordPieceModel) -> None:
        self._model = model
        self._first = _by_text(first_tokens(table, model))
        self._inner = _by_text(inner_tokens(table))
        self._longest = max(map(len, (*self._first, *self._inner)), default=1)
        self._texts = {token_id: text for text, token_id in self._first.items()}
        self._inner_texts = {token_id: text for text, token_id in self._inner.items()}

    def pieces(self, text: str) -> Iterable[str]:
        return (text,)

    def cut(self, piece: str) -> _Cut:
        unknown = [self._model.unk_id]
        if len(piece) > self._model.max_input_chars_per_word:
            return _Cut(unknown, ())
        ids: list[int] = []
        at, tokens = 0, self._first
        while at < len(piece):
            ends = range(min(at + self._longest, len(piece)), at, -1)
            end = next((end for end in ends if piece[at:end] in tokens), None)
            if end is None:
                return _Cut(unknown, ids)
            ids.append(tokens[piece[at:end]])
            at, tokens = end, self._inner
        return _Cut(ids, ids)

    def drop(self, token_id: int) -> None:
        if token_id in self._texts:
            del self._first[self._texts[token_id]]
        if token_id in self._inner_texts:
            del self._inner[self._inner_texts[token_id]]

    def priority(self, token_id: int) -> float:
        del token_id
        return 0.0


def _by_text(tokens: Iterable[bytes | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for token_id, token in enumerate(tokens):
        if token:
            found.setdefault(token.decode("utf-8", "surrogateescape"), token_id)
    return found
