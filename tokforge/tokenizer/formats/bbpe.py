"""bbpe's two spellings of a binary vocabulary, both in the shape of a tokenizer.json.

``bbpe-latin1`` (to 0.6.1): byte b is the character U+00b, no pre-tokenizer, decoder Fuse; callers pass
Latin-1 text. ``bbpe`` (from 0.6.2): the GPT-2 byte alphabet, ByteLevel before and after. Both say
``byte_fallback``, which never acts since all 256 bytes are tokens. Both are re-spelled to and from the
tokenizer.json that tokforge reads and writes, so ids and merges stay as they are.
Source: mjbommar/binary-bpe, and files written by bbpe 0.6.3.
"""

import json
from collections.abc import Callable
from typing import Any

from tokforge.errors import ExportError, FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import spell, unspell
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition
from tokforge.tokenizer.formats.reading import Reading, SourceFile
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import Definition

__all__ = ["is_bbpe", "is_latin1", "read_bbpe", "read_latin1", "write_bbpe", "write_latin1"]

_LATIN1 = [chr(code) for code in range(256)]
_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def is_latin1(root: Node) -> bool:
    """Tells whether a tokenizer.json spells all 256 bytes as Latin-1 and has no pre-tokenizer."""
    if root.child("pre_tokenizer").value is not None:
        return False
    vocab = _vocab(root)
    return vocab is not None and all(char in vocab for char in _LATIN1)


def is_bbpe(root: Node) -> bool:
    """Tells whether a tokenizer.json is byte-level without a regex and says byte_fallback: bbpe's mark."""
    before, model = root.child("pre_tokenizer").value, root.child("model").value
    if not isinstance(before, dict) or not isinstance(model, dict) or model.get("byte_fallback") is not True:
        return False
    return before.get("type") == "ByteLevel" and before.get("use_regex") is False


def _vocab(root: Node) -> dict[str, Any] | None:
    model = root.child("model").value
    vocab = model.get("vocab") if isinstance(model, dict) else None
    return vocab if isinstance(vocab, dict) else None


def read_bbpe(file: SourceFile) -> Reading:
    """Reads the newer spelling as a binary vocabulary: any bytes, unsplit."""
    root = parse_json(file.data, file.where)
    if not is_bbpe(root):
        raise FormatError(
            "this is no bbpe file: it is not byte-level without a regex", "read it as hf", file.where
        )
    content = root.object() | {"pre_tokenizer": None}
    return Reading(read_definition(_dump(content), file.where))


def read_latin1(file: SourceFile) -> Reading:
    """Reads the older spelling as a binary vocabulary; raises FormatError for a token outside Latin-1."""
    root = parse_json(file.data, file.where)
    if not is_latin1(root):
        raise FormatError("not all 256 bytes are spelled in Latin-1", "read it as hf", file.where)
    content = _respelled(root, _from_latin1)
    # In ASCII, for a lone surrogate is the reader's to refuse.
    respelled = json.dumps(content | {"decoder": {"type": "ByteLevel"}}).encode()
    return Reading(read_definition(respelled, file.where))


def _from_latin1(text: str, node: Node) -> str:
    try:
        return spell(text.encode("latin-1"))
    except UnicodeEncodeError as error:
        raise node.error(f"{quoted(text)} is outside Latin-1", "read it as hf") from error


def _to_latin1(text: str, node: Node) -> str:
    token = unspell(text)
    if token is None:
        raise node.error(f"{quoted(text)} is no byte string")
    return token.decode("latin-1")


def _respelled(root: Node, spelling: Callable[[str, Node], str]) -> dict[str, Any]:
    """Returns the file's content with ordinary tokens re-spelled; added tokens keep their text."""
    content = dict(root.object())
    model_node = root.need("model")
    vocab_node = model_node.need("vocab")
    whole = (
        {node.need("content").string() for node in root.child("added_tokens").items()}
        if root.has("added_tokens")
        else set()
    )
    vocab = {key if key in whole else spelling(key, vocab_node): i for key, i in vocab_node.object().items()}
    merges = [[spelling(part, node) for part in _sides(node)] for node in model_node.need("merges").items()]
    if len(vocab) != len(vocab_node.object()):
        raise vocab_node.error("an added token is spelled like an ordinary one", "rename the added token")
    return content | {"model": model_node.object() | {"vocab": vocab, "merges": merges}}


def _sides(node: Node) -> list[str]:
    """Returns both sides of a merge. A space is a byte here, so the old ``a b`` form splits only where
    exactly one split is possible."""
    if (
        isinstance(node.value, list)
        and len(node.value) == 2
        and all(isinstance(part, str) for part in node.value)
    ):
        return list(node.value)
    if isinstance(node.value, str):
        cuts = [i for i, char in enumerate(node.value) if char == " " and 0 < i < len(node.value) - 1]
        if len(cuts) == 1:
            return [node.value[: cuts[0]], node.value[cuts[0] + 1 :]]
    raise node.error("a merge is two tokens: a pair of strings")


def write_bbpe(definition: Definition) -> bytes:
    """Returns bbpe's newer file; raises ExportError for a vocabulary that splits or normalises text."""
    content = json.loads(_binary(definition, "bbpe"))
    content["model"]["byte_fallback"] = True
    return _dump(content | {"pre_tokenizer": _BYTE_LEVEL})


def write_latin1(definition: Definition) -> bytes:
    """Returns bbpe's older file; raises ExportError as `write_bbpe` does."""
    root = parse_json(_binary(definition, "bbpe-latin1"), "bbpe-latin1")
    try:
        content = _respelled(root, _to_latin1)
    except FormatError as error:
        raise ExportError(error.problem, error.hint) from error
    content["model"]["byte_fallback"] = True
    return _dump(content | {"pre_tokenizer": None, "decoder": {"type": "Fuse"}})


def _binary(definition: Definition, name: str) -> bytes:
    if definition.pipeline.pretokenizers or definition.pipeline.normalizers:
        raise ExportError(
            f"{name} holds vocabularies that take bytes unsplit, and this one splits text",
            "choose tokenizer.json",
        )
    return write_definition(definition)


def _dump(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
