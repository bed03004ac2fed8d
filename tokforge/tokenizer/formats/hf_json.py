"""tokenizer.json of Hugging Face, byte-level BPE: read into a `Definition`, written from one.

The bytes written depend on the definition alone (roles and provenance stand in the sidecar). Reading
accepts the field's files: merges as pairs or as ``"a b"``, ``ignore_merges``, added tokens in or after
the vocabulary, holes in the ids up to `MAX_SPARSENESS`. Linear in the file.
"""

import json
from typing import Any

from tokforge.errors import ConfigError, ExportError, FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import spell, unspell
from tokforge.tokenizer.formats.hf_pipeline import read_pipeline, write_pipeline
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import AddedToken, BpeModel, Definition, Merge, table_of

__all__ = ["MAX_SPARSENESS", "read_definition", "write_definition"]

MAX_SPARSENESS = 16
"""Ids may reach this many times the number of tokens: one absurd id must not size the table."""

_NOT_YET = "only byte-level BPE is read so far; ask for this model in an issue"


def read_definition(data: bytes, source: str) -> Definition:
    """Reads tokenizer.json; raises FormatError with ``source``, the field and the value at fault."""
    try:
        return _read_root(parse_json(data, source))
    except RecursionError as error:  # a Sequence of Sequences, as deep as the parser allows
        raise FormatError(
            "the JSON is nested too deeply", "check that the file is complete", source
        ) from error


def _read_root(root: Node) -> Definition:
    model = root.need("model")
    _check_model_type(model)
    pipeline = read_pipeline(root)
    vocab = _read_vocab(model.need("vocab"))
    added = (
        [_read_added(node) for node in root.child("added_tokens").items()] if root.has("added_tokens") else []
    )
    merges, merged = _read_merges(model.need("merges"), vocab)
    size = max(_ids(root, vocab, added)) + 1
    tokens = _ordinary_tokens(model.child("vocab"), vocab, {token.text for token in added} - merged, size)
    bpe = BpeModel(merges, model.child("ignore_merges").boolean(default=False))
    try:
        return Definition(table_of(tokens, added), bpe, pipeline, tuple(added))
    except FormatError as error:
        place = f"{root.source}: {error.where}" if error.where else root.source
        raise FormatError(error.problem, error.hint, place) from error


def _check_model_type(model: Node) -> None:
    # Old files name no type; Hugging Face then tries BPE first, as its fields show.
    name = model.child("type").string() if model.has("type") else "BPE"
    if name != "BPE":
        raise model.child("type").error(f"the model {quoted(name)} is not supported yet", _NOT_YET)
    for field in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model.has(field) and model.child(field).string():
            raise model.child(field).error(
                f"{quoted(model.child(field).value)} marks words, not bytes", _NOT_YET
            )
    dropout = model.child("dropout")
    if dropout.value is not None and dropout.value != 0:
        raise dropout.error(
            "dropout makes ids random", "set it to null: training-time dropout is no part of a tokenizer"
        )


def _read_vocab(node: Node) -> dict[str, int]:
    vocab = node.object()
    owners: dict[int, str] = {}
    for key, value in vocab.items():
        if type(value) is not int or value < 0:
            node.child(key).id()
        if owners.setdefault(value, key) != key:
            raise node.child(key).error(
                f"id {value} is that of {quoted(owners[value])} already", "give each token its own id"
            )
    if not vocab:
        raise node.error("the vocabulary is empty")
    return vocab


def _read_added(node: Node) -> AddedToken:
    if node.child("single_word").boolean(default=False):
        raise node.child("single_word").error(
            "matching whole words only is not supported yet", "set it to false"
        )
    special = node.child("special").boolean(default=False)
    token_id, text = node.need("id").id(), node.need("content").string()
    lstrip, rstrip = (node.child(name).boolean(default=False) for name in ("lstrip", "rstrip"))
    normalized = node.child("normalized").boolean(default=not special)
    try:
        return AddedToken(token_id, text, (), special, lstrip, rstrip, normalized)
    except ConfigError as error:
        raise node.child("content").error(error.problem, error.hint) from error


def _ids(root: Node, vocab: dict[str, int], added: list[AddedToken]) -> set[int]:
    """Returns all ids; refuses one that is absurdly high, or that two tokens claim."""
    ids, owners = set(vocab.values()), {token_id: key for key, token_id in vocab.items()}
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
        ids.add(token.id)
    limit = MAX_SPARSENESS * len(ids)
    if max(ids) > limit:
        key = owners[max(ids)]
        node = root.child("model").child("vocab").child(key) if key in vocab else root.child("added_tokens")
        raise node.error(
            f"{quoted(key)} has id {max(ids)}, above {limit} for {len(ids)} tokens",
            "number the tokens densely",
        )
    return ids


def _read_merges(node: Node, vocab: dict[str, int]) -> tuple[tuple[Merge, ...], set[str]]:
    """Returns the merges as ids, and every spelling that takes part in one."""
    merges: list[Merge] = []
    spellings: set[str] = set()
    for number, value in enumerate(node.array()):
        left, right = _sides(node, number, value)
        ids = []
        for part in (left, right, left + right):
            if part not in vocab:
                raise _at(node, number).error(
                    f"{quoted(part)} is not in the vocabulary", "add the token, or drop the merge"
                )
            ids.append(vocab[part])
            spellings.add(part)
        merges.append((ids[0], ids[1], ids[2]))
    return tuple(merges), spellings


def _sides(node: Node, number: int, value: Any) -> tuple[str, str]:
    match value.split(" ") if isinstance(value, str) else value:
        case [str(left), str(right)] if left and right:
            return left, right
    raise _at(node, number).error(
        "a merge is two tokens: a pair of strings, or one string with a space between"
    )


def _at(node: Node, number: int) -> Node:
    return Node(node.value[number], node.source, f"{node.trail}[{number}]")


def _ordinary_tokens(node: Node, vocab: dict[str, int], whole: set[str], size: int) -> list[bytes | None]:
    """Returns the bytes of each id; None for those in ``whole``, matched in text and never merged."""
    tokens: list[bytes | None] = [None] * size
    for key, token_id in vocab.items():
        token = unspell(key)
        if key in whole and not (token and len(token) == 1):
            continue
        if not token:
            odd = next((char for char in key if unspell(char) is None), "")
            reason = f"{quoted(odd)} is outside the GPT-2 byte alphabet" if key else "a token is empty"
            raise node.child(key).error(reason, _NOT_YET)
        tokens[token_id] = token
    return tokens


def write_definition(definition: Definition) -> bytes:
    """Returns tokenizer.json; raises ExportError where its one dictionary cannot hold the tokens."""
    model = definition.model
    if not isinstance(model, BpeModel) or not model.is_byte_level:
        raise ExportError("only byte-level BPE is written so far", _NOT_YET)
    vocab, added = _vocab(definition), [_write_added(token) for token in definition.added_tokens]
    pipeline = write_pipeline(definition.pipeline)
    names = {token_id: key for key, token_id in vocab.items()}
    merges = [[names[left], names[right]] for left, right, _ in model.merges]
    sections = [
        '"version": "1.0"',
        *(_member(name, pipeline[name]) for name in ("truncation", "padding")),
        f'"added_tokens": {_lines("[", [_compact(token) for token in added], "]", "    ")}',
        *(
            _member(name, pipeline[name])
            for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder")
        ),
        f'"model": {_write_model(model, vocab, merges)}',
    ]
    return (_lines("{", sections, "}", "  ") + "\n").encode()


def _vocab(definition: Definition) -> dict[str, int]:
    """Returns spelling -> id, in id order.

    Added tokens that only follow the vocabulary stay out of it, as in the field's files: with
    ``ignore_merges`` Hugging Face would turn plain text into any special token it holds. The others
    must be in it, since Hugging Face numbers a token it does not hold anew.
    """
    table = definition.table
    vocab = {spell(token): i for i, token in enumerate(table.ordinary()) if token is not None}
    for token in definition.added_tokens:
        own = token.id if table.kinds[token.id] in ("normal", "byte") else None
        if vocab.get(token.text) != own:
            raise ExportError(
                f"the added token {quoted(token.text)} is spelled like another token, or unlike its own id",
                "rename the added token: tokenizer.json holds both in one dictionary",
            )
    inner = definition.added_tokens[: len(definition.added_tokens) - _tail(definition)]
    vocab.update((token.text, token.id) for token in inner)
    return dict(sorted(vocab.items(), key=lambda item: item[1]))


def _tail(definition: Definition) -> int:
    """Counts the added tokens that follow everything else without a hole; 0 if any id is unused."""
    kinds = definition.table.kinds
    if "unused" in kinds:
        return 0
    ordinary = max(i for i, kind in enumerate(kinds) if kind in ("normal", "byte"))
    return len(kinds) - 1 - ordinary


def _write_added(token: AddedToken) -> dict[str, Any]:
    flags = {name: getattr(token, name) for name in ("lstrip", "rstrip", "normalized", "special")}
    return {"id": token.id, "content": token.text, "single_word": False, **flags}


def _write_model(model: BpeModel, vocab: dict[str, int], merges: list[list[str]]) -> str:
    fields: dict[str, Any] = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": model.ignore_merges,
    }
    entries = [f"{_compact(key)}: {token_id}" for key, token_id in vocab.items()]
    sections = [
        *(_member(name, value) for name, value in fields.items()),
        f'"vocab": {_lines("{", entries, "}", "      ")}',
        f'"merges": {_lines("[", [_compact(pair) for pair in merges], "]", "      ")}',
    ]
    return _lines("{", sections, "}", "    ")


def _lines(opening: str, items: list[str], closing: str, indent: str) -> str:
    """Lays items out one a line: a diff of two vocabularies then shows tokens, not brackets."""
    if not items:
        return opening + closing
    return f"{opening}\n{indent}" + f",\n{indent}".join(items) + f"\n{indent[:-2]}{closing}"


def _member(name: str, value: Any) -> str:
    return f"{_compact(name)}: {_compact(value)}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
