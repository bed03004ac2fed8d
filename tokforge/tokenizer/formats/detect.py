"""Which format a file has, by its content; its name decides nothing but what stands beside it.

Each test is cheap and strict enough that two of them rarely agree; where they do, or none does, the user
is asked to name the format. A tokenizer.json of 30 MB is told by the keys at its head alone: parsing it
twice would double the time to load it.
"""

import re
from collections.abc import Callable

from tokforge.errors import FormatError
from tokforge.tokenizer.formats.bbpe import is_latin1
from tokforge.tokenizer.formats.gguf_metadata import MAGIC
from tokforge.tokenizer.formats.protobuf import BYTES, fields
from tokforge.tokenizer.formats.sidecar import FORMAT
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.formats.tekken import is_tekken
from tokforge.tokenizer.formats.tiktoken_ranks import looks_like
from tokforge.tokenizer.formats.vocab_merges import is_merges, is_vocab

__all__ = ["TRIED", "detect"]

Neighbour = Callable[[str], bytes | None]
TRIED = (
    *("hf", "tokforge", "tekken", "vocab-merges", "bbpe-latin1"),
    *("tiktoken", "sentencepiece", "gguf", "wordpiece"),
)
_HEAD = 4096
_MAX_LATIN1 = 2**24
"""bbpe's older files are small; a larger tokenizer.json is not parsed to see whether it is one."""
_HF_KEYS = re.compile(rb'"(?:added_tokens"\s*:\s*\[|(?:pre_tokenizer|normalizer|model)"\s*:\s*[{n])')
_OURS = re.compile(rb'"format"\s*:\s*"' + FORMAT.encode() + b'"')
_LATIN1_HINT = re.compile(rb'"pre_tokenizer"\s*:\s*null')


def detect(data: bytes, name: str, where: str, neighbour: Neighbour) -> str:
    """Returns the name of the format; raises FormatError where none or several fit.

    ``name`` is the file's own; a file called ``*.json`` in which nothing is recognised is taken for a
    tokenizer.json, whose reader then says what is wrong with it.
    """
    if data.startswith(MAGIC):
        return "gguf"
    if data[:_HEAD].lstrip()[:1] == b"{":
        return _detect_json(data, where)
    found = [kind for kind, test in _TESTS.items() if test(data, neighbour)]
    if not found and name.endswith(".json"):
        return "hf"
    return _only(found, where)


def _detect_json(data: bytes, where: str) -> str:
    if _OURS.search(data, 0, _HEAD):
        return "tokforge"
    if _HF_KEYS.search(data, 0, _HEAD) and not (_may_be_latin1(data)):
        return "hf"
    root = parse_json(data, where)
    found = [kind for kind, test in _JSON_TESTS.items() if test(root)]
    return found[0] if found else "hf"


def _may_be_latin1(data: bytes) -> bool:
    # A plain search first: the regex takes longer than all else here.
    return len(data) < _MAX_LATIN1 and b"pre_tokenizer" in data and _LATIN1_HINT.search(data) is not None


def _only(found: list[str], where: str) -> str:
    if len(found) == 1:
        return found[0]
    problem = (
        f"this may be any of {', '.join(found)}" if found else "this is no tokenizer that tokforge knows"
    )
    raise FormatError(
        f"{problem} (tried: {', '.join(TRIED)})", "name it: --from FORMAT (format= in Python)", where
    )


def _is_sentencepiece(data: bytes, neighbour: Neighbour) -> bool:
    """Looks at the first field: a piece, which begins with its text."""
    del neighbour
    if data[:1] != b"\n":
        return False
    try:
        first = next(fields(data, ""))
        piece = next(fields(bytes(first.value), "")) if isinstance(first.value, bytes) else None
    except (FormatError, StopIteration):
        return False
    return piece is not None and piece.wire == BYTES and piece.number == 1


def _is_merges(data: bytes, neighbour: Neighbour) -> bool:
    return is_merges(data) and neighbour("vocab.json") is not None


def _is_wordpiece(data: bytes, neighbour: Neighbour) -> bool:
    """A vocab.txt has one token a line and BERT's unknown token among them."""
    del neighbour
    lines = data.split(b"\n")
    return b"[UNK]" in {line.rstrip(b"\r") for line in lines} and all(b" " not in line for line in lines)


_TESTS: dict[str, Callable[[bytes, Neighbour], bool]] = {
    "sentencepiece": _is_sentencepiece,
    "tiktoken": lambda data, neighbour: looks_like(data),
    "vocab-merges": _is_merges,
    "wordpiece": _is_wordpiece,
}
_JSON_TESTS: dict[str, Callable[[Node], bool]] = {
    "tokforge": lambda root: root.child("format").value == FORMAT,
    "tekken": is_tekken,
    "bbpe-latin1": lambda root: root.has("model") and is_latin1(root),
    "hf": lambda root: isinstance(root.child("model").value, dict),
    "vocab-merges": is_vocab,
}
"""In this order: the first that fits is meant, as each asks for more than those below it."""
