"""Which tokens encoding can produce: by the merges, past the splitter, and past the normaliser."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer.batch import encode_documents
from tokforge.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokforge._core import Splitter

__all__ = ["cut_tokens", "rewritten_tokens", "unreachable_tokens"]

_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
_BEFORE = tuple(text.encode() for text in ("", "a", "A", "1", " ", "\n", "!", "'", "é", ".a", " 1"))
_AFTER = tuple(
    text.encode() for text in ("", "a", "A", "1", " ", "\n", "!", "'", "s", "t", "m", "d", "ll", "re", " a")
)


def unreachable_tokens(tokenizer: Tokenizer, threads: int | None = None) -> list[int]:
    """Returns the ids of ordinary tokens whose own bytes, as one pretoken, encode to something else.

    Such a token never appears in encoded data: if its bytes ever stood as they are, they would be
    merged in another way. Pieces of byte fallback are left out: they idle, by design, where their character
    has a token of its own. Linear in the bytes of the vocabulary.
    """
    table = tokenizer.table
    kinds = zip(table.ordinary(), table.kinds, strict=True)
    ordinary = [(i, token) for i, (token, kind) in enumerate(kinds) if token is not None and kind != "byte"]
    unsplit = make_encoder(tokenizer.definition, split=False)
    ids, boundaries = encode_documents(unsplit, [token for _, token in ordinary], threads)
    expected = np.array([token_id for token_id, _ in ordinary], np.uint32)
    starts = boundaries[:-1].astype(np.int64)  # no token is empty, so each has a first id
    reached = (np.diff(boundaries) == 1) & (ids[starts] == expected)
    return expected[~reached].tolist()  # type: ignore[no-any-return]


def cut_tokens(stages: Sequence[str], tokens: Iterable[bytes]) -> set[bytes]:
    """Returns those of ``tokens``, whole characters of two bytes and more, that the splitter of ``stages``
    cuts in each of 165 neighbourhoods. Raises PatternError for a regex that the engine does not take."""
    from tokforge import _core

    splitter = _core.Splitter(stages)
    cut = {token for token in tokens if len(token) > 1 and _text(token) is not None}
    for before, after in product(_BEFORE, _AFTER):
        cut = {token for token in cut if _is_cut(splitter, before, token, after)}
    return cut


def rewritten_tokens(normalizers: Iterable[object], tokens: Iterable[bytes]) -> set[bytes]:
    """Returns those of ``tokens`` that no text holds after the Unicode forms among ``normalizers``: parts of
    normalised text are normalised."""
    forms = [form for form in _FORMS if form in normalizers]
    return {
        token
        for token in tokens
        if forms
        and (text := _text(token)) is not None
        and not all(unicodedata.is_normalized(form, text) for form in forms)
    }


def _is_cut(splitter: "Splitter", before: bytes, token: bytes, after: bytes) -> bool:
    """Tells whether a border of pretokens falls inside ``token`` when it stands between the two."""
    start, stop = len(before), len(before) + len(token)
    return any(start < end < stop for _, end in splitter.split(before + token + after))


def _text(token: bytes) -> str | None:
    try:
        return token.decode()
    except UnicodeDecodeError:
        return None
