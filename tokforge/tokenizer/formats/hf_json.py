"""tokenizer.json of Hugging Face, read into a `Definition`; `hf_write` writes it.

Reading accepts the field's files: all four models, merges as pairs or as ``"a b"``, added tokens in or
after the vocabulary, holes in the ids up to `MAX_SPARSENESS`; what cannot be carried out exactly is
refused by name and place. Linear in the file.
"""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tokforge.errors import ConfigError, FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.hf_models import read_entries, read_model
from tokforge.tokenizer.formats.hf_pipeline import read_pipeline
from tokforge.tokenizer.formats.hf_write import write_definition
from tokforge.tokenizer.formats.serde_float import read_float
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import AddedToken, Definition, table_of

if TYPE_CHECKING:
    from tokforge._core import Keys

__all__ = ["MAX_SPARSENESS", "read_definition", "write_definition"]

MAX_SPARSENESS = 16
"""Ids may reach this many times the number of tokens: one absurd id must not size the table."""

_HOLE = {"vocab": b"{}", "merges": b"[]"}
"""What stands in the text for a part that the engine reads."""


def read_definition(data: bytes, source: str) -> Definition:
    """Reads tokenizer.json; raises FormatError with ``source``, the field and the value at fault."""
    try:
        with _no_collection():
            root = _by_parts(data, source)
            if root is not None:
                with suppress(FormatError):
                    return _read_root(root)
            return _read_root(parse_json(data, source, read_float))
    except RecursionError as error:  # a Sequence of Sequences, as deep as the parser allows
        raise FormatError(
            "the JSON is nested too deeply", "check that the file is complete", source
        ) from error


def _by_parts(data: bytes, source: str) -> Node | None:
    """Parses a file but for its vocabulary and merges, which the engine reads; None where that is not plain.

    They are most of a file, and Python's objects for their strings would be most of the time. A fault makes
    the whole file be parsed, so that it is named by its place.
    """
    from tokforge import _core

    parts = _core.read_parts(data)
    if parts is None:
        return None
    vocab, merges = parts
    spans = {"vocab": vocab and vocab[1], "merges": merges}
    holes = sorted((*span, name) for name, span in spans.items() if span is not None)
    rest, end = [], 0
    for start, behind, name in holes:
        rest += [data[end:start], _HOLE[name]]
        end = behind
    try:
        root = parse_json(b"".join((*rest, data[end:])), source, read_float)
    except FormatError:
        return None
    model = root.child("model").value if isinstance(root.value, dict) else None
    if not isinstance(model, dict) or any(model.get(name) != json.loads(_HOLE[name]) for *_, name in holes):
        return None
    whole = {"vocab": vocab and vocab[0], "merges": merges and data[slice(*merges)]}
    model.update((name, value) for name, value in whole.items() if value is not None)
    return root


@contextmanager
def _no_collection() -> Iterator[None]:
    """Holds the garbage collector back: it would walk the half million objects being made several times."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_root(root: Node) -> Definition:
    model = root.need("model")
    entries = read_entries(model)
    around = read_pipeline(root)
    added = (
        [_read_added(node) for node in root.child("added_tokens").items()] if root.has("added_tokens") else []
    )
    size = _highest_id(root, entries.vocab, added) + 1
    texts = {token.text: token.special for token in added}
    tokens, kinds, made = read_model(model, entries, texts, size, byte_level=around.is_byte_level)
    try:
        return Definition(table_of(tokens, added, kinds), made, around.pipeline, tuple(added))
    except FormatError as error:
        place = f"{root.source}: {error.where}" if error.where else root.source
        raise FormatError(error.problem, error.hint, place) from error


def _read_added(node: Node) -> AddedToken:
    special = node.child("special").boolean(default=False)
    token_id, text = node.need("id").id(), node.need("content").string()
    lstrip, rstrip = (node.child(name).boolean(default=False) for name in ("lstrip", "rstrip"))
    single_word = node.child("single_word").boolean(default=False)
    normalized = node.child("normalized").boolean(default=not special)
    try:
        return AddedToken(token_id, text, (), special, lstrip, rstrip, normalized, single_word)
    except ConfigError as error:
        raise node.child("content").error(error.problem, error.hint) from error


def _end(vocab: "dict[str, int] | Keys") -> int:
    return max(vocab.values(), default=-1) + 1 if isinstance(vocab, dict) else vocab.end()


def _highest_id(root: Node, vocab: "dict[str, int] | Keys", added: list[AddedToken]) -> int:
    """Returns the highest id; refuses one that is absurdly high, or that two tokens claim."""
    owners = {token.id: token.text for token in reversed(added)}
    taken = set() if all(token.text in vocab for token in added) else set(vocab.values())
    for number, token in enumerate(added):
        node = Node(token.id, root.source, f"added_tokens[{number}].id")
        if vocab.get(token.text, token.id) != token.id:
            raise node.error(
                f"{quoted(token.text)} has id {token.id} here and {vocab[token.text]} in the vocabulary",
                "use one id",
            )
        owner = owners[token.id]
        if token.text not in vocab and token.id in taken:
            owner = next(key for key, token_id in vocab.items() if token_id == token.id)
        if owner != token.text:
            raise node.error(
                f"id {token.id} is that of {quoted(owner)} already", "give each token its own id"
            )
    count = len(vocab) + sum(token.text not in vocab for token in added)
    highest, limit = max(_end(vocab) - 1, *owners, 0), MAX_SPARSENESS * count
    if highest > limit:
        key = owners.get(highest) or next(key for key, token_id in vocab.items() if token_id == highest)
        node = root.child("model").child("vocab").child(key) if key in vocab else root.child("added_tokens")
        raise node.error(
            f"{quoted(key)} has id {highest}, above {limit} for {count} tokens",
            "number the tokens densely",
        )
    return highest
