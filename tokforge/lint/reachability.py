"""Which tokens the merges can make: exact, for broken vocabularies too, in one batch of the engine.

Definition: a token is reachable if its own text, as one pretoken, encodes to itself by merging alone.
The engine works on bytes and wants all 256 and consistent merges; a foreign vocabulary may lack bytes, name
missing products, or be spelled in characters (SentencePiece-like BPE). So the vocabulary is restated:
bytes get ids of their own, and each longer character is put together by merges that rank before all others.
UTF-8 is prefix-free and those merges only join bytes of one character, so they are all done before the
first merge of the file, which then sees characters, as Hugging Face does. Merges that name a token the
vocabulary lacks are left out; of two merges of one pair the later counts, as in Hugging Face.
Linear in the bytes of the vocabulary and the merges.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from tokforge.lint.bpe import Bpe, byte_of_piece

Pair: TypeAlias = tuple[bytes, bytes]

__all__ = ["unreachable_bytes", "unreachable_tokens"]


def unreachable_tokens(bpe: Bpe) -> list[str]:
    """Returns the tokens of ``bpe`` that its merges cannot make, by id.

    Left out: added tokens, ``<0xNN>`` pieces of byte fallback, and what is spelled outside the alphabet.
    """
    data = {
        token: spelled
        for token in bpe.vocab
        if (spelled := bpe.data(token))
        and token not in bpe.special
        and not (bpe.byte_fallback and byte_of_piece(token) is not None)
    }
    rank = {pair: number for number, pair in enumerate(bpe.merges) if pair is not None}
    merges = [
        (data[left], data[right])
        for left, right in sorted(rank, key=rank.__getitem__)
        if left in data and right in data and left + right in data
    ]
    missed = unreachable_bytes(list(data.values()), merges, characters=not bpe.byte_level)
    return sorted((token for token, spelled in data.items() if spelled in missed), key=bpe.vocab.__getitem__)


def unreachable_bytes(
    tokens: Sequence[bytes], merges: Iterable[Pair], *, characters: bool = False
) -> set[bytes]:
    """Returns those of ``tokens`` that ``merges``, in rank order, do not make of their own bytes.

    With ``characters`` merging starts from the characters of UTF-8, else from bytes. No token is empty, no
    pair stands twice, and sides and products are tokens.
    """
    from tokforge import _core

    alphabet = [bytes((value,)) for value in range(256)]
    built = _characters(tokens) if characters else []
    ids = {
        token: number for number, token in enumerate(dict.fromkeys([*alphabet, *_products(built), *tokens]))
    }
    joined = [(ids[left], ids[right], ids[left + right]) for left, right in [*built, *merges]]
    encoder = _core.Encoder(list(ids), joined, byte_ids=list(range(256)))
    raw_ids, raw_ends = encoder.encode_batch(list(tokens), 1)
    found, ends = np.frombuffer(raw_ids, np.uint32), np.frombuffer(raw_ends, np.uint64).astype(np.int64)
    expected = np.array([ids[token] for token in tokens], np.uint32)
    reached = (np.diff(ends) == 1) & (
        found[ends[:-1]] == expected
    )  # no token is empty, so each has a first id
    return {tokens[at] for at in np.flatnonzero(~reached).tolist()}


def _characters(tokens: Iterable[bytes]) -> list[Pair]:
    """Returns the merges that make every character of ``tokens`` of its bytes, one more byte at a time."""
    text = {char for token in tokens for char in token.decode("utf-8", "surrogateescape")}
    spelled = [char.encode("utf-8", "surrogateescape") for char in sorted(text)]
    # Characters share beginnings, and a pair may be merged by one rule only.
    return list(
        dict.fromkeys((one[:end], one[end : end + 1]) for one in spelled for end in range(1, len(one)))
    )


def _products(merges: Iterable[Pair]) -> list[bytes]:
    return [left + right for left, right in merges]
