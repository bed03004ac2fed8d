"""What is in a tokenizer: sizes, lengths, kinds of tokens, merges, and tokens that nothing produces."""

import codecs
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tokforge.tokenizer import Tokenizer, printable
from tokforge.tokenizer.model import Merge, lost_bytes
from tokforge.tokenizer.pretokenizers import stage_patterns
from tokforge.tokenizer.reach import unreachable_tokens

__all__ = ["CONTENTS", "InspectedMerge", "InspectedToken", "Inspection", "content_of", "inspect_tokenizer"]

_TEXT_CONTROLS = "\t\n\v\f\r"
_LISTED = 20


@dataclass(frozen=True, slots=True)
class InspectedToken:
    """One token. ``text`` is its printable form, ``bytes`` its length."""

    id: int
    text: str
    bytes: int
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectedMerge:
    """One merge, by rank; the sides and the product in printable form."""

    rank: int
    left: str
    right: str
    merged: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect_tokenizer` found. Counts are of ordinary tokens: bytes and products of merges."""

    kind: Literal["text", "binary"]
    vocab_size: int
    merges: int
    ignore_merges: bool
    kinds: dict[str, int]
    """Table entries by kind: normal, byte, special, added, unused."""
    added_tokens: tuple[InspectedToken, ...]
    token_bytes: dict[int, int]
    """Length in bytes -> tokens of that length."""
    mean_token_bytes: float
    longest: tuple[InspectedToken, ...]
    content_shares: dict[str, float]
    """Class of content (`CONTENTS`) -> share of the ordinary tokens, 0 to 1."""
    first_merges: tuple[InspectedMerge, ...]
    last_merges: tuple[InspectedMerge, ...]
    unreachable: tuple[InspectedToken, ...]
    missing_bytes: tuple[str, ...]
    """Of a byte-level vocabulary, the bytes (``0xNN``) without a token: text loses them in silence."""
    normalizers: tuple[str, ...]
    pretokenizers: tuple[str, ...]
    patterns: tuple[str, ...]
    """The regexes behind ``pretokenizers``, in sequence."""
    provenance: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        fields = asdict(self)
        fields["token_bytes"] = {str(length): count for length, count in self.token_bytes.items()}
        return fields


def inspect_tokenizer(
    tokenizer: Tokenizer, *, listed: int = _LISTED, threads: int | None = None
) -> Inspection:
    """Returns the numbers of ``tokenizer``; ``listed`` bounds the longest, first and last entries."""
    tokens = {i: token for i, token in enumerate(tokenizer.table.ordinary()) if token is not None}
    lengths = Counter(map(len, tokens.values()))
    contents = Counter(map(content_of, tokens.values()))
    longest = sorted(tokens, key=lambda token_id: (-len(tokens[token_id]), token_id))[:listed]
    ranked = list(enumerate(tokenizer.merges))
    stages = tokenizer.pipeline.pretokenizers
    return Inspection(
        kind=tokenizer.kind,
        vocab_size=tokenizer.vocab_size,
        merges=len(tokenizer.merges),
        ignore_merges=getattr(tokenizer.definition.model, "ignore_merges", False),
        kinds=dict(sorted(Counter(tokenizer.table.kinds).items())),
        added_tokens=tuple(
            InspectedToken(token.id, token.text, len(token.text.encode()), token.roles)
            for token in tokenizer.added_tokens
        ),
        token_bytes=dict(sorted(lengths.items())),
        mean_token_bytes=sum(length * count for length, count in lengths.items()) / len(tokens),
        longest=_tokens(tokenizer, longest),
        content_shares={name: contents[name] / len(tokens) for name in CONTENTS},
        first_merges=_merges(tokenizer, ranked[:listed]),
        last_merges=_merges(tokenizer, ranked[-listed:] if listed else []),
        unreachable=_tokens(tokenizer, unreachable_tokens(tokenizer, threads)),
        missing_bytes=tuple(f"0x{byte:02X}" for byte in lost_bytes(tokenizer.definition)),
        normalizers=tuple(map(str, tokenizer.pipeline.normalizers)),
        pretokenizers=tokenizer.pipeline.splitter_names(),
        patterns=tuple(
            pattern for stage in stages if isinstance(stage, str) for pattern in stage_patterns(stage)
        ),
        provenance=tokenizer.provenance,
    )


def content_of(token: bytes) -> str:
    """Returns the class of a token's content: the first name of `CONTENTS` that describes it."""
    return next(name for name, holds in CONTENTS.items() if holds(token))


def _is_utf8(token: bytes) -> bool:
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return False
    return all(char in _TEXT_CONTROLS or not (char < " " or "\x7f" <= char < "\xa0") for char in text)


def _is_partial_utf8(token: bytes) -> bool:
    """Tells whether ``token`` can be cut out of text: up to 3 trailing bytes of one character before,
    the beginning of one after, whole characters between."""
    inner = token
    for _ in range(3):
        if inner[:1] and 0x80 <= inner[0] < 0xC0:
            inner = inner[1:]
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        whole = decoder.decode(inner)
    except UnicodeDecodeError:
        return False
    return _is_utf8(whole.encode())


CONTENTS: dict[str, Callable[[bytes], bool]] = {
    "whitespace": lambda token: _is_utf8(token) and token.decode().isspace(),
    "digits": lambda token: _is_utf8(token) and token.decode().isdigit(),
    "ascii": lambda token: token.isascii() and _is_utf8(token),
    "utf8": _is_utf8,
    "partial_utf8": _is_partial_utf8,
    "binary": lambda token: True,
}
"""Class of content -> test, tried in this order: white space alone, digits alone, other printable ASCII,
text with other characters, a part of such text cut inside a character, everything else."""


def _tokens(tokenizer: Tokenizer, ids: Iterable[int]) -> tuple[InspectedToken, ...]:
    table = tokenizer.table.tokens
    return tuple(
        InspectedToken(token_id, printable(table[token_id]), len(table[token_id])) for token_id in ids
    )


def _merges(tokenizer: Tokenizer, ranked: Iterable[tuple[int, Merge]]) -> tuple[InspectedMerge, ...]:
    table = tokenizer.table.tokens
    return tuple(InspectedMerge(rank, *(printable(table[part]) for part in merge)) for rank, merge in ranked)
