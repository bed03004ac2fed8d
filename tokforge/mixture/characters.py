"""SentencePiece's BPE in the terms of byte-level counting: Llama 2, Gemma and their kin.

Its atoms are characters. Words are counted as bytes all the same; merges that build every character of the
vocabulary out of its bytes come first, are applied and never judged, and from there on the steps are the
tokenizer's own. U+2581 stands for the space it was. A character outside the vocabulary stays bytes, which
nothing merges, as in training (byte fallback comes after it).

A pair that the trainer could never merge would be a competitor that no shares explain, so it is barred: one
that crosses a boundary (space, script, digits) which no token crosses, is longer than the longest token, or
holds a character that is not in the vocabulary. Which boundaries hold is read from the vocabulary itself.
Runs of one whitespace character were put in by hand (Gemma's first 1,395 merges), and are left out.
Source: google/sentencepiece, bpe_model_trainer.cc and trainer_interface.cc (IsValidSentencePiece).
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer.model import Merge

__all__ = ["SPACE", "Barred", "CharacterMerges", "character_merges"]

SPACE = "\u2581"
WORDS = r"regex: ?[^\s]+|\s"
"""What SentencePiece merges within: no piece crosses a space, no sentence holds a line end."""
_BYTES = 256
_RARE = 1e-4
"""Part of the tokens below which a crossing is taken for one put in by hand."""

Barred = Callable[[npt.NDArray[np.uint32]], npt.NDArray[np.bool_]]
"""(P, 2) pairs of ids -> (P,) whether the trainer could never merge each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CharacterMerges:
    """A merge list whose first ``built`` merges make characters."""

    merges: tuple[Merge, ...]
    built: int
    lens: tuple[int, ...]
    byte_ids: tuple[int, ...]
    tokens: tuple[bytes, ...]
    barred: Barred


def character_merges(
    merges: Sequence[Merge], tokens: Sequence[bytes], fallback: Iterable[int]
) -> CharacterMerges:
    """Returns the list of ``merges``, one a token, over ``tokens`` that are UTF-8 with U+2581 for a space.

    ``fallback`` are the ids that stand for single bytes, and not for characters.
    """
    texts = {one: _text(tokens[one]) for merge in merges for one in merge}
    bytes_alone = set(fallback) - texts.keys()
    for one, token in enumerate(tokens):
        if one not in bytes_alone and len(text := _text(token)) == 1 and text != "\ufffd":
            texts[one] = text
    kept = [merge for merge in merges if texts[merge[2]].strip(" \n\t")]
    alphabet = {text: one for one, text in texts.items() if len(text) == 1}
    builder = _Builder(tokens, alphabet)
    pieces = {one: text for one, text in texts.items() if len(text) > 1 or alphabet.get(text) == one}
    made: list[bytes] = [b""] * len(tokens)
    for one, text in pieces.items():
        made[one] = text.encode()
    made += builder.made
    return CharacterMerges(
        merges=(*builder.merges, *kept),
        built=len(builder.merges),
        lens=tuple(map(len, made)),
        byte_ids=tuple(builder.byte_ids),
        tokens=tuple(made),
        barred=_barred(pieces, [texts[merged] for _, _, merged in kept], len(made)),
    )


def _text(token: bytes) -> str:
    return token.decode("utf-8", "replace").replace(SPACE, " ")


class _Builder:
    """Ids of bytes and of beginnings of characters, behind those of the tokenizer."""

    def __init__(self, tokens: Sequence[bytes], alphabet: dict[str, int]) -> None:
        self._next = len(tokens)
        self.made: list[bytes] = []
        self.merges: list[Merge] = []
        ascii_ids = {ord(text): one for text, one in alphabet.items() if text.isascii()}
        self.byte_ids = [
            ascii_ids[byte] if byte in ascii_ids else self._new(bytes((byte,))) for byte in range(_BYTES)
        ]
        self._ids = {bytes((byte,)): one for byte, one in enumerate(self.byte_ids)}
        whole = {text.encode(): one for text, one in alphabet.items() if not text.isascii()}
        for length in (2, 3, 4):
            for encoded in sorted(whole):
                if len(encoded) >= length:
                    self._extend(encoded[:length], whole)

    def _new(self, content: bytes) -> int:
        self.made.append(content)
        self._next += 1
        return self._next - 1

    def _extend(self, content: bytes, whole: dict[bytes, int]) -> None:
        if content in self._ids:
            return
        self._ids[content] = whole[content] if content in whole else self._new(content)
        self.merges.append((self._ids[content[:-1]], self._ids[content[-1:]], self._ids[content]))


def _barred(pieces: dict[int, str], made: Sequence[str], ids: int) -> Barred:
    """Judges pairs by what the tokens in ``made`` show to be possible."""
    met = Counter((_kind(left), _kind(right)) for text in made for left, right in pairwise(text))
    crossed = {pair for pair, count in met.items() if count >= max(_RARE * len(made), 1)}
    kinds = sorted({_kind(text[at]) for text in pieces.values() for at in (0, -1)})
    number = {kind: at for at, kind in enumerate(kinds)}
    allowed = np.array([[(left, right) in crossed for right in kinds] for left in kinds])
    first, last, length = (np.full(ids, -1, np.int64) for _ in "abc")
    for one, text in pieces.items():
        first[one], last[one], length[one] = number[_kind(text[0])], number[_kind(text[-1])], len(text)
    longest = max(map(len, made), default=0)

    def barred(pairs: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        left, right = pairs[:, 0], pairs[:, 1]
        known = (length[left] > 0) & (length[right] > 0)
        legal = allowed[last[left], first[right]] & (length[left] + length[right] <= longest)
        return np.asarray(~(known & legal))

    return barred


@cache
def _kind(character: str) -> str:
    """Space, number, mark, other signs, or the script of a letter; Han and the kanas are one."""
    category = unicodedata.category(character)
    if character == " ":
        return "space"
    if category[0] != "L":
        return {"N": "number", "M": "mark"}.get(category[0], "sign")
    script = unicodedata.name(character, "UNKNOWN").split()[0]
    return "CJK" if script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH") else script
