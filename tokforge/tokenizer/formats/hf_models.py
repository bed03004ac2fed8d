"""The model section of tokenizer.json: vocabulary and merges, scores or words, read into ids and bytes."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.hf_vocabulary import Spelling
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.model import (
    BpeModel,
    Kind,
    MergeList,
    Model,
    UnigramModel,
    WordLevelModel,
    WordPieceModel,
)

if TYPE_CHECKING:
    from tokforge._core import Keys

__all__ = ["UNK_PENALTY", "Entries", "ReadModel", "read_entries", "read_model"]

UNK_PENALTY = 10.0
"""What an unknown character costs beside the lowest score; Hugging Face and sentencepiece alike."""


T = TypeVar("T")


class Entries(NamedTuple):
    """The vocabulary as the file has it; `Keys` where the engine read it."""

    vocab: "dict[str, int] | Keys"
    type: str
    node: Node


class ReadModel(NamedTuple):
    """Ordinary tokens in id order, None for other ids, their kinds, and the model."""

    tokens: list[bytes | None]
    kinds: list[Kind]
    model: Model


def read_entries(model: Node) -> Entries:
    """Returns key -> id and the model's type; refuses a vocabulary that gives an id twice."""
    node, name = model.need("vocab"), _type(model)
    vocab = _scored_vocab(node) if name == "Unigram" else _vocab(node)
    if not vocab:
        raise node.error("the vocabulary is empty")
    return Entries(vocab, name, node)


def _type(model: Node) -> str:
    # Old files name no type; Hugging Face then goes by the fields.
    if model.has("type"):
        name = model.child("type").string()
    elif isinstance(model.child("vocab").value, list):
        name = "Unigram"
    elif model.has("merges"):
        name = "BPE"
    else:
        name = "WordPiece" if model.has("continuing_subword_prefix") else "WordLevel"
    if name not in _READERS:
        raise model.child("type").error(
            f"the model {quoted(name)} is not supported here", f"use one of: {', '.join(_READERS)}"
        )
    return name


def _vocab(node: Node) -> "dict[str, int] | Keys":
    from tokforge import _core

    if isinstance(node.value, _core.Keys):
        return node.value
    vocab: dict[str, int] = node.object()
    values = vocab.values()
    if set(map(type, values)) <= {int} and len(set(values)) == len(vocab) and min(values, default=0) >= 0:
        return vocab
    owners: dict[int, str] = {}
    for key, value in vocab.items():
        node.child(key).id()
        if owners.setdefault(value, key) != key:
            raise node.child(key).error(
                f"id {value} is that of {quoted(owners[value])} already", "give each token its own id"
            )
    return vocab


def _scored_vocab(node: Node) -> dict[str, int]:
    vocab: dict[str, int] = {}
    for number, value in enumerate(node.array()):
        if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
            raise _item(node, number).error("expected a piece and its score", 'write ["piece", -1.5]')
        if vocab.setdefault(value[0], number) != number:
            raise _item(node, number).error(
                f"{quoted(value[0])} is entry {vocab[value[0]]} already", "keep one of them"
            )
    return vocab


def _item(node: Node, number: int) -> Node:
    return Node(node.value[number], node.source, f"{node.trail}[{number}]")


def read_model(
    model: Node, entries: Entries, added: dict[str, bool], size: int, *, byte_level: bool
) -> ReadModel:
    """Reads the model. ``added``: text -> special, for the added tokens; ``size``: of the table."""
    if byte_level and entries.type != "BPE":
        raise model.error(f"{entries.type} over ByteLevel is not supported here", "ask for it in an issue")
    return _READERS[entries.type](model, entries, added, size, byte_level)


def _read_bpe(
    model: Node, entries: Entries, added: dict[str, bool], size: int, byte_level: bool
) -> ReadModel:
    _refuse_dropout(model.child("dropout"))
    prefix, suffix = (_text(model, name) for name in ("continuing_subword_prefix", "end_of_word_suffix"))
    fallback = not byte_level and model.child("byte_fallback").boolean(default=False)
    merges, takes_part = _read_merges(model.need("merges"), entries.vocab, prefix)
    whole = [key for key in added if key in entries.vocab and not takes_part[entries.vocab[key]]]
    tokens, kinds = _ordinary(entries, Spelling(byte_level, fallback, prefix, suffix), whole, size)
    if byte_level:
        _refuse_unk_for_bytes(model, entries, tokens)
    unk_id = None if byte_level else _unk(model, entries, required=False)
    return ReadModel(
        tokens,
        kinds,
        BpeModel(
            merges,
            ignore_merges=model.child("ignore_merges").boolean(default=False),
            atoms="bytes" if byte_level else "characters",
            byte_fallback=fallback,
            unk_id=unk_id,
            fuse_unk=not byte_level and model.child("fuse_unk").boolean(default=False),
            continuing_subword_prefix=prefix,
            end_of_word_suffix=suffix,
        ),
    )


def _refuse_unk_for_bytes(model: Node, entries: Entries, tokens: list[bytes | None]) -> None:
    """Refuses an unknown token where bytes are missing: Hugging Face puts it in their place."""
    if _unk(model, entries, required=False) is None:
        return
    missing = 256 - len({token for token in tokens if token and len(token) == 1})
    if missing:
        raise model.child("unk_token").error(
            f"it would stand for a byte, and {missing} bytes have no token",
            "add the byte tokens, or set it to null",
        )


def _refuse_dropout(node: Node) -> None:
    if node.value is not None and node.value != 0:
        raise node.error(
            "dropout makes ids random", "set it to null: training-time dropout is no part of a tokenizer"
        )


def _text(model: Node, name: str) -> str:
    return model.child(name).string() if model.has(name) else ""


def _unk(model: Node, entries: Entries, *, required: bool) -> int | None:
    node = model.child("unk_token")
    if node.value is None and not required:
        return None
    text = node.string()
    if text not in entries.vocab:
        raise node.error(f"{quoted(text)} is not in the vocabulary", "name a token of it")
    return entries.vocab[text]


def _ordinary(
    entries: Entries, spelling: Spelling, whole: Iterable[str], size: int, *, atoms: bool = True
) -> tuple[list[bytes | None], list[Kind]]:
    """Returns bytes and kind of each id; None for those in ``whole``, matched in text and
    never produced, unless (``atoms``) merging starts from it."""
    vocab = entries.vocab
    keys = list(vocab) if isinstance(vocab, dict) else vocab
    tokens, kinds = spelling.read_all(keys)
    odd = [key for key, token in zip(vocab, tokens, strict=True) if token is None] if None in tokens else []
    in_order = False if isinstance(vocab, dict) else vocab.is_in_order()
    ids = None if in_order else list(vocab.values())
    tokens, kinds = _placed(tokens, ids, size, None), _placed(kinds, ids, size, "unused")
    skipped = {key for key in whole if key in entries.vocab}
    for key in odd:
        if key not in skipped:
            raise spelling.refuse(entries.node, key)
    for key in skipped:
        token_id = entries.vocab[key]
        token = tokens[token_id]
        if not (atoms and token and _is_atom(token, byte_level=spelling.byte_level)):
            tokens[token_id], kinds[token_id] = None, "unused"
    return tokens, kinds


def _placed(values: list[T], ids: list[int] | None, size: int, nothing: T) -> list[T]:
    """Returns each value at its id, its place without ``ids``; ``nothing`` elsewhere."""
    placed = values + [nothing] * (size - len(values))
    if ids is not None:
        placed = [nothing] * size
        for token_id, value in zip(ids, values, strict=True):
            placed[token_id] = value
    return placed


def _is_atom(token: bytes, *, byte_level: bool) -> bool:
    if len(token) == 1 or byte_level:
        return len(token) == 1
    return len(token) <= 4 and len(token.decode("utf-8", "ignore")) == 1


def _read_merges(node: Node, vocab: Mapping[str, int], prefix: str) -> tuple[MergeList, bytes]:
    """Returns the merges as ids, and by id 1 where it takes part in one.

    A product is spelled as its parts end to end, the right one without its ``prefix``. The node holds an
    array, or the text of one that `hf_json` left unparsed.
    """
    from tokforge import _core

    merges = node.value if isinstance(node.value, bytes) else node.array()
    read = _core.read_merges(merges, vocab, len(prefix.encode()))
    if read is None:
        raise _refused_merge(node, vocab, len(prefix))
    return MergeList(read[0]), read[1]


def _refused_merge(node: Node, vocab: Mapping[str, int], cut: int) -> FormatError:
    if isinstance(node.value, bytes):
        return node.error("a merge is malformed")
    for number, value in enumerate(node.array()):
        left, right = _sides(node, number, value)
        if len(right) < cut:
            return _item(node, number).error(f"{quoted(right)} lacks the prefix", "drop the merge")
        for part in (left, right, left + right[cut:]):
            if part not in vocab:
                return _item(node, number).error(
                    f"{quoted(part)} is not in the vocabulary", "add the token, or drop the merge"
                )
    return node.error("a merge holds a lone surrogate")


def _sides(node: Node, number: int, value: Any) -> tuple[str, str]:
    match value.split(" ") if isinstance(value, str) else value:
        case [str(left), str(right)] if left and right:
            return left, right
    raise _item(node, number).error(
        "a merge is two tokens: a pair of strings, or one string with a space between"
    )


def _read_unigram(model: Node, entries: Entries, added: dict[str, bool], size: int, _: bool) -> ReadModel:
    fallback = model.child("byte_fallback").boolean(default=False)
    scores = [_score(entries.node, number, value[1]) for number, value in enumerate(entries.node.array())]
    unk = model.child("unk_id")
    unk_id = None if unk.value is None else unk.id()
    if unk_id is not None and unk_id >= len(scores):
        raise unk.error(f"there are only {len(scores)} pieces", "name one of them")
    if unk_id is None and not (fallback and all(f"<0x{value:02X}>" in entries.vocab for value in range(256))):
        raise unk.error("an unknown character would have no id, and Hugging Face fails on it", "name a piece")
    tokens, kinds = _ordinary(entries, Spelling(False, fallback), added, size, atoms=False)
    return ReadModel(
        tokens,
        kinds,
        UnigramModel((*scores, *[None] * (size - len(scores))), min(scores) - UNK_PENALTY, unk_id, fallback),
    )


def _score(node: Node, number: int, value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _item(node, number).error("the score is no number", "write a log probability")
    return float(value)


def _read_word_piece(model: Node, entries: Entries, added: dict[str, bool], size: int, _: bool) -> ReadModel:
    prefix = _text(model, "continuing_subword_prefix")
    longest = model.child("max_input_chars_per_word")
    whole = [key for key in added if key in entries.vocab]
    tokens, kinds = _ordinary(entries, Spelling(False, prefix=prefix), whole, size, atoms=False)
    unk_id = _unk(model, entries, required=True) or 0
    limit = 100 if longest.value is None else longest.id()
    special_ids = tuple(sorted(entries.vocab[key] for key in whole))
    return ReadModel(tokens, kinds, WordPieceModel(unk_id, limit, prefix, special_ids))


def _read_word_level(model: Node, entries: Entries, added: dict[str, bool], size: int, _: bool) -> ReadModel:
    whole = [key for key in added if key in entries.vocab]
    tokens, kinds = _ordinary(entries, Spelling(False), whole, size, atoms=False)
    unk_id = _unk(model, entries, required=True) or 0
    special_ids = tuple(sorted(entries.vocab[key] for key in whole))
    return ReadModel(tokens, kinds, WordLevelModel(unk_id, special_ids))


_READERS: dict[str, Callable[[Node, Entries, dict[str, bool], int, bool], ReadModel]] = {
    "BPE": _read_bpe,
    "Unigram": _read_unigram,
    "WordPiece": _read_word_piece,
    "WordLevel": _read_word_level,
}
