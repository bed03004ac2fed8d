"""tokenizer.json of Hugging Face, read into a `Definition`; `hf_write` writes it.

Reading accepts the field's files: all four models, merges as pairs or as ``"a b"``, added tokens in or
after the vocabulary, holes in the ids up to `MAX_SPARSENESS`; what cannot be carried out exactly is
refused by name and place. Linear in the file.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from tokforge.errors import ConfigError, FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.hf_models import read_entries, read_model
from tokforge.tokenizer.formats.hf_pipeline import read_pipeline
from tokforge.tokenizer.formats.hf_write import write_definition
from tokforge.tokenizer.formats.serde_float import read_float
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import AddedToken, Definition, table_of

__all__ = ["MAX_SPARSENESS", "read_definition", "write_definition"]

MAX_SPARSENESS = 16
"""Ids may reach this many times the number of tokens: one absurd id must not size the table."""


def read_definition(data: bytes, source: str) -> Definition:
    """Reads tokenizer.json; raises FormatError with ``source``, the field and the value at fault."""
    try:
        with _no_collection():
            return _read_root(parse_json(data, source, read_float))
    except RecursionError as error:  # a Sequence of Sequences, as deep as the parser allows
        raise FormatError(
            "the JSON is nested too deeply", "check that the file is complete", source
        ) from error


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


def _highest_id(root: Node, vocab: dict[str, int], added: list[AddedToken]) -> int:
    """Returns the highest id; refuses one that is absurdly high, or that two tokens claim."""
    owners = dict(zip(vocab.values(), vocab, strict=True))
    for number, token in enumerate(added):
        node = Node(token.id, root.source, f"added_tokens[{number}].id")
        if vocab.get(token.text, token.id) != token.id:
            raise node.error(
                f"{quoted(token.text)} has id {token.id} here and {vocab[token.text]} in the vocabulary",
                "use one id",
            )
        if owners.setdefault(token.id, token.text) != token.text:
            raise node.error(
                f"id {token.id} is that of {quoted(owners[token.id])} already", "give each token its own id"
            )
    highest, limit = max(owners), MAX_SPARSENESS * len(owners)
    if highest > limit:
        key = owners[highest]
        node = root.child("model").child("vocab").child(key) if key in vocab else root.child("added_tokens")
        raise node.error(
            f"{quoted(key)} has id {highest}, above {limit} for {len(owners)} tokens",
            "number the tokens densely",
        )
    return highest
