"""vocab.json + merges.txt: the pair of files of GPT-2, in which a byte-level BPE was first published.

vocab.json maps spelling -> id, merges.txt lists ``left right`` in rank order. The first line of merges.txt
is a header only if it begins with ``#version``: a merge may begin with ``#``, and files without a header
exist, so line 1 is never dropped blindly. Neither file names a splitter: GPT-2's is meant, unless the
user says otherwise. Special tokens come from added_tokens.json, special_tokens_map.json or
tokenizer_config.json beside them; without these, a token like ``<pad>`` that no merge makes is special.
Source: openai/gpt-2, src/encoder.py; huggingface/transformers, GPT2Tokenizer.
"""

import json
import re
from collections.abc import Iterable

from tokforge.errors import ExportError, FormatError, TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import spell, unspell
from tokforge.tokenizer.formats.reading import Reading, SourceFile, placed, special_tokens, splitter_stages
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import ROLES, AddedToken, BpeModel, Definition, Merge, Pipeline, table_of

__all__ = ["is_merges", "is_vocab", "read_vocab_merges", "write_vocab_merges"]

_VERSION = "#version"
_HEADER = "#version: 0.2"
_SPECIAL = re.compile(r"<[^<>\s]+>|\[[A-Z_0-9]+\]")
_MAX_SPARSENESS = 16
_FILES = ("vocab.json", "merges.txt")


def is_vocab(root: Node) -> bool:
    """Tells whether a JSON value maps every key to an integer."""
    return (
        isinstance(root.value, dict) and bool(root.value) and all(type(v) is int for v in root.value.values())
    )


def is_merges(data: bytes) -> bool:
    """Tells whether the text has merges' header, or two words on each of its first lines."""
    lines = data[:4096].split(b"\n")[:20]
    return data.startswith(_VERSION.encode()) or all(
        len(line.split(b" ")) == 2 for line in lines[:-1] or lines
    )


def read_vocab_merges(file: SourceFile) -> Reading:
    """Reads the pair, whichever of the two ``file`` is; raises FormatError with the file and line."""
    vocab_node = parse_json(_part(file, "vocab.json"), _beside(file, "vocab.json"))
    vocab = _read_vocab(vocab_node)
    merges, made = _read_merges(_part(file, "merges.txt"), vocab, _beside(file, "merges.txt"))
    added, notes = _read_added(file, vocab, made)
    stages = splitter_stages(file, "gpt2")
    if not file.options.pretokenizer:
        notes.append("GPT-2's splitter is assumed: the files name none")
    try:
        return Reading(_definition(vocab, merges, added, stages), tuple(notes))
    except TokforgeError as error:
        raise placed(error, vocab_node.source) from error


def _definition(
    vocab: dict[str, int], merges: tuple[Merge, ...], added: list[AddedToken], stages: tuple[str, ...]
) -> Definition:
    claimed = {token.id: token.text for token in added}
    size = max([*vocab.values(), *claimed]) + 1
    if size > _MAX_SPARSENESS * (len(vocab) + len(added)):
        raise FormatError(f"id {size - 1} is absurdly high for {len(vocab)} tokens", "number them densely")
    tokens: list[bytes | None] = [None] * size
    for key, token_id in vocab.items():
        token = unspell(key)
        if token_id in claimed:
            if claimed[token_id] != key:
                both = f"{quoted(key)} and the added token {quoted(claimed[token_id])}"
                raise FormatError(f"id {token_id} is that of {both}", "give one of them another id")
            continue
        if not token:
            raise FormatError(
                f"{quoted(key)} is not spelled in the GPT-2 byte alphabet",
                "only byte-level vocabularies come as vocab.json and merges.txt",
            )
        tokens[token_id] = token
    pipeline = Pipeline("text", stages)
    return Definition(table_of(tokens, added), BpeModel(merges), pipeline, tuple(added))


def _part(file: SourceFile, name: str) -> bytes:
    """Returns one of the two files: ``file`` itself, or its neighbour of that name."""
    own = file.data.lstrip()[:1] == b"{"
    if own == (name == "vocab.json"):
        return file.data
    found = file.neighbour(name)
    if found is None:
        raise FormatError(
            f"there is no {name} beside it", "vocab.json and merges.txt come together", file.where
        )
    return found


def _beside(file: SourceFile, name: str) -> str:
    own = file.data.lstrip()[:1] == b"{"
    return file.where if own == (name == "vocab.json") else f"{file.where}: {name} beside it"


def _read_vocab(root: Node) -> dict[str, int]:
    owners: dict[int, str] = {}
    vocab: dict[str, int] = root.object()
    if not vocab:
        raise root.error("the vocabulary is empty")
    for key in vocab:
        token_id = root.child(key).id()
        if owners.setdefault(token_id, key) != key:
            raise root.child(key).error(
                f"id {token_id} is that of {quoted(owners[token_id])} already", "keep one"
            )
    return vocab


def _read_merges(data: bytes, vocab: dict[str, int], where: str) -> tuple[tuple[Merge, ...], set[str]]:
    """Returns the merges as ids and the spellings that they make."""
    merges: list[Merge] = []
    made: set[str] = set()
    for number, line in _merge_lines(data, where):
        left, separator, right = line.partition(" ")
        place = f"{where}: line {number}"
        if not (left and separator and right) or " " in right:
            raise FormatError(
                f"{quoted(line)} is no merge", "a merge is two tokens with one space between", place
            )
        for part in (left, right, left + right):
            if part not in vocab:
                raise FormatError(f"{quoted(part)} is not in vocab.json", "add it, or drop the merge", place)
        merges.append((vocab[left], vocab[right], vocab[left + right]))
        made.add(left + right)
    return tuple(merges), made


def _merge_lines(data: bytes, where: str) -> Iterable[tuple[int, str]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", "merges.txt is text", where) from error
    lines = text.split("\n")  # not splitlines: a token may hold U+0085, which is no line end here
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        if line and not (number == 1 and line.startswith(_VERSION)):
            yield number, line


def _read_added(
    file: SourceFile, vocab: dict[str, int], made: set[str]
) -> tuple[list[AddedToken], list[str]]:
    ids = dict(vocab)
    extra = file.neighbour("added_tokens.json")
    if extra is not None:
        node = parse_json(extra, f"{file.where}: added_tokens.json beside it")
        ids |= {text: node.child(text).id() for text in node.object()}
    given = {token.text: token for token in special_tokens(file.options, max(ids.values(), default=-1) + 1)}
    roles = _read_roles(file)
    texts = {*roles, *(ids.keys() - vocab.keys())}
    notes = []
    if not texts and not given:
        texts = {key for key in vocab if key not in made and _SPECIAL.fullmatch(key)}
        if texts:
            named = ", ".join(sorted(texts, key=vocab.__getitem__))
            notes.append(f"taken as special, since no merge makes them: {named}")
    added = [
        AddedToken(ids[text], text, roles.get(text, ()))
        for text in texts
        if text in ids and text not in given
    ]
    return [*added, *(_renumbered(token, ids) for token in given.values())], notes


def _renumbered(token: AddedToken, ids: dict[str, int]) -> AddedToken:
    """A special token that the vocabulary holds has its id there, whatever would come next."""
    return AddedToken(ids.get(token.text, token.id), token.text)


def _read_roles(file: SourceFile) -> dict[str, tuple[str, ...]]:
    """Returns text -> roles from the files beside, and no role for other special tokens that they name."""
    found: dict[str, tuple[str, ...]] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        data = file.neighbour(name)
        if data is None:
            continue
        root = parse_json(data, f"{file.where}: {name} beside it")
        for role in ROLES:
            node = root.child(f"{role}_token")
            if node.value is not None:
                text = node.need("content").string() if isinstance(node.value, dict) else node.string()
                if role not in found.get(text, ()):
                    found[text] = (*found.get(text, ()), role)
    return found


def write_vocab_merges(definition: Definition) -> dict[str, bytes]:
    """Returns the two files, and those that say which tokens are special; raises ExportError by name."""
    model, table, pipeline = definition.model, definition.table, definition.pipeline
    if not isinstance(model, BpeModel) or not model.is_byte_level or model.ignore_merges:
        raise ExportError(
            "vocab.json and merges.txt hold byte-level BPE by merges alone", "choose tokenizer.json"
        )
    if pipeline.normalizers or pipeline.pretokenizers != ("gpt2",):
        raise ExportError(
            "vocab.json and merges.txt mean GPT-2's splitter and no normaliser", "choose tokenizer.json"
        )
    vocab = {spell(token): i for i, token in enumerate(table.ordinary()) if token is not None}
    names = {token_id: key for key, token_id in vocab.items()}
    lines = [f"{names[left]} {names[right]}" for left, right, _ in model.merges]
    header_like = next((line for line in lines if line.startswith(_VERSION)), None)
    if header_like is not None:
        raise ExportError(
            f"the merge {quoted(header_like)} would be read as a header", "choose tokenizer.json"
        )
    added = {token.text: token.id for token in definition.added_tokens}
    clash = next((text for text in added if vocab.get(text, added[text]) != added[text]), None)
    if clash is not None:
        raise ExportError(f"{quoted(clash)} is spelled like another token", "rename the added token")
    roles = {f"{role}_token": token.text for token in definition.added_tokens for role in token.roles}
    ordered = dict(sorted((vocab | added).items(), key=lambda item: item[1]))
    return {
        "vocab.json": _json(ordered),
        "merges.txt": "\n".join([_HEADER, *lines, ""]).encode(),
        "added_tokens.json": _json(added),
        "special_tokens_map.json": _json(roles),
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()
