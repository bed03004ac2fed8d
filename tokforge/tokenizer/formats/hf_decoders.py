"""Decoders of tokenizer.json: read into data, written from it."""

from collections.abc import Sequence
from typing import Any

from tokforge.errors import ExportError
from tokforge.tokenizer.decoders import (
    BpeSuffix,
    ByteFallback,
    Decoder,
    Fuse,
    MetaspaceDecoder,
    Replace,
    Spaces,
    StripTokens,
    WordPieceDecoder,
)
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.hf_normalizers import literal_or_regex, read_pattern, sequence
from tokforge.tokenizer.formats.strict_json import Node

__all__ = ["is_byte_level", "prepend_scheme", "read_decoders", "write_decoders"]


def is_byte_level(node: Node) -> bool:
    """Tells whether the decoder is ByteLevel, and nothing else that changes text."""
    return [part.need("type").string() for part in _flat(node) if part.child("type").value != "Fuse"] == [
        "ByteLevel"
    ]


def read_decoders(node: Node) -> tuple[Decoder, ...]:
    """Reads the section; where there is none, Hugging Face joins tokens with spaces."""
    if node.value is None:
        return (Spaces(),)
    return tuple(_read(part) for part in _flat(node))


def _flat(node: Node) -> list[Node]:
    if node.value is None:
        return []
    if node.need("type").string() != "Sequence":
        return [node]
    return [inner for part in node.need("decoders").items() for inner in _flat(part)]


def _read(node: Node) -> Decoder:
    name = node.need("type").string()
    match name:
        case "ByteFallback":
            return ByteFallback()
        case "Fuse":
            return Fuse()
        case "Metaspace":
            return MetaspaceDecoder(node.need("replacement").string(), prepend_scheme(node))
        case "Replace":
            pattern, is_regex = read_pattern(node.need("pattern"))
            return Replace(pattern, node.need("content").string(), is_regex)
        case "Strip":
            content = node.need("content").string()
            return StripTokens(content, node.need("start").id(), node.need("stop").id())
        case "WordPiece":
            cleanup = node.child("cleanup").boolean(default=True)
            return WordPieceDecoder(node.need("prefix").string(), cleanup)
        case "BPEDecoder":
            return BpeSuffix(node.need("suffix").string())
    raise node.error(f"the decoder {quoted(name)} is not supported here", "ask for it in an issue")


def prepend_scheme(node: Node) -> Any:
    """Returns Metaspace's scheme; older files say ``add_prefix_space`` instead."""
    if node.has("prepend_scheme"):
        scheme = node.child("prepend_scheme").string()
        if scheme not in ("always", "first", "never"):
            raise node.child("prepend_scheme").error(
                f"there is no scheme {quoted(scheme)}", "use always, first or never"
            )
        return scheme
    return "always" if node.child("add_prefix_space").boolean(default=True) else "never"


def write_decoders(decoders: Sequence[Decoder]) -> dict[str, Any] | None:
    """Returns the section."""
    if list(decoders) == [Spaces()]:
        return None
    return sequence("decoders", [_write(decoder) for decoder in decoders or (Fuse(),)])


def _write(decoder: Decoder) -> dict[str, Any]:
    match decoder:
        case Spaces():
            raise ExportError(
                "Hugging Face joins with spaces only where it has no decoder", "drop the others"
            )
        case ByteFallback() | Fuse():
            return {"type": type(decoder).__name__}
        case MetaspaceDecoder():
            scheme = decoder.prepend_scheme
            return {
                "type": "Metaspace",
                "replacement": decoder.replacement,
                "prepend_scheme": scheme,
                "split": True,
            }
        case Replace():
            pattern = literal_or_regex(decoder.pattern, is_regex=decoder.regex)
            return {"type": "Replace", "pattern": pattern, "content": decoder.content}
        case StripTokens():
            return {"type": "Strip", "content": decoder.content, "start": decoder.start, "stop": decoder.stop}
        case WordPieceDecoder():
            return {"type": "WordPiece", "prefix": decoder.prefix, "cleanup": decoder.cleanup}
        case BpeSuffix():
            return {"type": "BPEDecoder", "suffix": decoder.suffix}
