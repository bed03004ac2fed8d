"""Ids to text through decoders: the definition, token by token, since decoders look at whole tokens.

Linear in the tokens. Every decoder maps the list of tokens to another; what is left is joined. Where a
pipeline has no decoders the engine joins bytes (`batch.decode_ids`). Source of the rules: Hugging Face
`tokenizers`, decoders/; a run of byte tokens gives its bytes here, U+FFFD there if it is no UTF-8.
"""

import re
from itertools import groupby

from tokforge.tokenizer._engine import spelled_tokens
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
from tokforge.tokenizer.model import BpeModel, Definition, WordPieceModel

__all__ = ["decode_tokens", "decoder_spellings"]

_BYTE = re.compile(rb"<0x[0-9A-Fa-f]{2}>")
_CLEANUPS = (
    *((b" .", b"."), (b" ?", b"?"), (b" !", b"!"), (b" ,", b","), (b" ' ", b"'"), (b" n't", b"n't")),
    *((b" 'm", b"'m"), (b" do not", b" don't"), (b" 's", b"'s"), (b" 've", b"'ve"), (b" 're", b"'re")),
)


def decoder_spellings(definition: Definition) -> list[bytes]:
    """Returns what decoders see for each id: a continuing token with its prefix, a byte as ``<0xNN>``."""
    model, table = definition.model, definition.table
    prefix = model.continuing_subword_prefix if isinstance(model, BpeModel | WordPieceModel) else ""
    suffix = model.end_of_word_suffix if isinstance(model, BpeModel) else ""
    is_fallback = not isinstance(model, BpeModel) or model.atoms == "characters"
    spelled = spelled_tokens(table, prefix, suffix)
    for token_id, kind in enumerate(table.kinds):
        if kind in ("special", "added"):
            spelled[token_id] = table.tokens[token_id]
        elif kind == "byte" and is_fallback:
            spelled[token_id] = b"<0x%02X>" % table.tokens[token_id][0]
    return [token or b"" for token in spelled]


def decode_tokens(tokens: list[bytes], decoders: tuple[Decoder, ...]) -> bytes:
    """Returns the text of ``tokens``, spelled as `decoder_spellings` gives them.

    Example:
        >>> decode_tokens(["▁a".encode(), b"<0xFF>"], (Replace("▁", " "), ByteFallback(), Fuse()))
        b' a\\xff'
    """
    for decoder in decoders:
        tokens = _decode(decoder, tokens)
    return b"".join(tokens)


def _decode(decoder: Decoder, tokens: list[bytes]) -> list[bytes]:
    match decoder:
        case Fuse():
            return [b"".join(tokens)]
        case Spaces():
            return [b" ".join(tokens)]
        case ByteFallback():
            return _join_bytes(tokens)
        case Replace():
            return _replace(decoder, tokens)
        case StripTokens():
            return [_strip(decoder, token) for token in tokens]
        case MetaspaceDecoder():
            mark = decoder.replacement.encode()
            first = b"" if decoder.prepend_scheme != "never" else b" "
            return [token.replace(mark, b" " if at else first) for at, token in enumerate(tokens)]
        case BpeSuffix():
            suffix, last = decoder.suffix.encode(), len(tokens) - 1
            return [token.replace(suffix, b" " if at < last else b"") for at, token in enumerate(tokens)]
        case WordPieceDecoder():
            return _join_words(decoder, tokens)


def _join_bytes(tokens: list[bytes]) -> list[bytes]:
    runs = groupby(tokens, key=lambda token: _BYTE.fullmatch(token) is not None)
    return [
        part
        for is_byte, run in runs
        for part in ([bytes(int(token[3:5], 16) for token in run)] if is_byte else run)
    ]


def _replace(decoder: Replace, tokens: list[bytes]) -> list[bytes]:
    if decoder.regex:
        from tokforge import _core

        engine = _core.Normalizer([("replace", decoder.pattern, True, decoder.content)])
        return [engine.apply(token) for token in tokens]
    pattern, content = decoder.pattern.encode(), decoder.content.encode()
    return [token.replace(pattern, content) for token in tokens]


def _strip(decoder: StripTokens, token: bytes) -> bytes:
    content = decoder.content.encode()
    for _ in range(decoder.start):
        token = token.removeprefix(content)
    for _ in range(decoder.stop):
        token = token.removesuffix(content)
    return token


def _join_words(decoder: WordPieceDecoder, tokens: list[bytes]) -> list[bytes]:
    prefix = decoder.prefix.encode()
    words = tokens[:1]
    words += [
        token.removeprefix(prefix) if token.startswith(prefix) else b" " + token for token in tokens[1:]
    ]
    if not decoder.cleanup:
        return words
    for old, new in _CLEANUPS:
        words = [word.replace(old, new) for word in words]
    return words
