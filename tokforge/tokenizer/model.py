"""The parts of a tokenizer that decide ids. Tokens are bytes here; spellings belong to `formats/`.

Invariants, checked when a `Definition` is made: each of the 256 bytes has exactly one id, no two
ordinary tokens hold the same bytes, every merge joins two ordinary tokens into a third whose bytes are
theirs end to end, and no pair is merged twice. Checking is linear in the table and the merges.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tokforge.errors import ConfigError, FormatError, pick
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.pretokenizers import canonical_stages

__all__ = [
    "ROLES",
    "AddedToken",
    "BpeModel",
    "Definition",
    "Kind",
    "Merge",
    "Pipeline",
    "TokenTable",
    "table_of",
    "with_roles",
]

Kind = Literal["normal", "byte", "special", "added", "unused"]
Merge = tuple[int, int, int]
"""(left, right, merged) ids."""

ROLES = ("bos", "eos", "pad", "unk", "mask", "sep", "cls")
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
NORMALIZERS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")
PRESERVED = ("padding", "post_processor", "truncation")


@dataclass(frozen=True, slots=True)
class TokenTable:
    """id -> (bytes, kind). Kinds: ``normal``; ``byte``, one of the 256; ``special``, control;
    ``added``, matched whole in text but not control; ``unused``, an id without a token."""

    tokens: tuple[bytes, ...]
    kinds: tuple[Kind, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def ordinary(self) -> list[bytes | None]:
        """Returns the bytes of each id that merging may produce, None for the others."""
        return [
            token if kind in ("normal", "byte") else None
            for token, kind in zip(self.tokens, self.kinds, strict=True)
        ]

    def byte_ids(self) -> list[int]:
        """Returns the id of each of the 256 bytes."""
        ids = [-1] * 256
        for token_id, kind in enumerate(self.kinds):
            if kind == "byte":
                ids[self.tokens[token_id][0]] = token_id
        return ids


@dataclass(frozen=True, slots=True)
class BpeModel:
    """Byte-pair encoding: the lowest-ranked adjacent pair is merged first, leftmost on a tie.

    ``merges`` stands in rank order. With ``ignore_merges`` a pretoken that is a whole token takes that
    token's id at once (Llama 3 needs it: some of its tokens cannot be reached by merges).
    """

    merges: tuple[Merge, ...]
    ignore_merges: bool = False


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is matched whole in text, before splitting and merging.

    A ``special`` one is control: it is matched only when the caller allows it. The other flags are
    Hugging Face's; ``normalized`` tokens are looked for after normalisation.
    """

    id: int
    text: str
    roles: tuple[str, ...] = ()
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False

    def __post_init__(self) -> None:
        if not self.text:
            raise ConfigError(f"the added token with id {self.id} is empty", "give it a text")
        if any("\ud800" <= char <= "\udfff" for char in self.text):
            raise ConfigError(
                f"the added token {quoted(self.text)} holds a lone surrogate", "use valid Unicode text"
            )
        for role in self.roles:
            pick("an added token's role", role, dict.fromkeys(ROLES))
        object.__setattr__(self, "roles", tuple(sorted(set(self.roles))))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What happens around the model.

    A ``binary`` tokenizer takes bytes as they are: no normaliser and no splitter. ``pretokenizers`` are
    the engine's stages (`pretokenizers`), in canonical form. ``preserved`` holds (section, JSON text)
    of the parts of a tokenizer.json that ids do not depend on and that are carried through verbatim.
    """

    kind: Literal["text", "binary"]
    pretokenizers: tuple[str, ...] = ()
    normalizers: tuple[Form, ...] = ()
    preserved: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        pick("the pipeline's kind", self.kind, dict.fromkeys(("text", "binary")))
        for name in self.normalizers:
            pick("the normaliser", name, dict.fromkeys(NORMALIZERS))
        for section, _ in self.preserved:
            pick("the preserved section", section, dict.fromkeys(PRESERVED))
        object.__setattr__(self, "pretokenizers", canonical_stages(self.pretokenizers))
        if self.kind == "binary" and (self.pretokenizers or self.normalizers):
            raise ConfigError(
                "a binary tokenizer has neither pre-tokenizer nor normaliser", "use kind 'text', or drop them"
            )


@dataclass(frozen=True, slots=True)
class Definition:
    """The model part: everything that decides ids, and nothing else."""

    table: TokenTable
    model: BpeModel
    pipeline: Pipeline
    added_tokens: tuple[AddedToken, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "added_tokens", tuple(sorted(self.added_tokens, key=lambda token: token.id)))
        _check_table(self.table)
        _check_merges(self.table, self.model.merges)
        _check_added(self.table, self.added_tokens)


def table_of(tokens: Iterable[bytes | None], added: Iterable[AddedToken]) -> TokenTable:
    """Builds the table from ordinary tokens in id order (None elsewhere) and the added tokens."""
    filled = list(tokens)
    kinds: list[Kind] = [_ordinary_kind(token) for token in filled]
    for token in added:
        if not 0 <= token.id < len(filled):
            raise FormatError(
                f"added token {quoted(token.text)} has id {token.id}", f"ids end at {len(filled) - 1}"
            )
        if filled[token.id] is None:
            filled[token.id] = token.text.encode()
            kinds[token.id] = "special" if token.special else "added"
    return TokenTable(tuple(token or b"" for token in filled), tuple(kinds))


def _ordinary_kind(token: bytes | None) -> Kind:
    if token is None:
        return "unused"
    return "byte" if len(token) == 1 else "normal"


def _check_table(table: TokenTable) -> None:
    seen: dict[bytes, int] = {}
    for token_id, token in enumerate(table.ordinary()):
        if token is None:
            continue
        if not token:
            raise FormatError(
                "an ordinary token is empty", "give it bytes, or leave its id unused", f"id {token_id}"
            )
        if token in seen:
            raise FormatError(
                f"ids {seen[token]} and {token_id} hold the same bytes {quoted(token)}",
                "keep one of them",
                f"id {token_id}",
            )
        seen[token] = token_id
    missing = [value for value in range(256) if bytes((value,)) not in seen]
    if missing:
        raise FormatError(
            f"{len(missing)} of the 256 byte tokens are missing, first 0x{missing[0]:02X}",
            "a byte-level vocabulary needs all of them, or some inputs have no ids",
        )


def _check_merges(table: TokenTable, merges: tuple[Merge, ...]) -> None:
    tokens = table.ordinary()
    seen: dict[tuple[int, int], int] = {}
    for rank, (left, right, merged) in enumerate(merges):
        where = f"merge {rank}"
        parts = [tokens[i] if 0 <= i < len(tokens) else None for i in (left, right, merged)]
        if parts[0] is None or parts[1] is None or parts[2] is None:
            raise FormatError(
                f"({left}, {right}) -> {merged} names an id that is no ordinary token",
                "drop the merge",
                where,
            )
        if parts[0] + parts[1] != parts[2]:
            raise FormatError(
                f"({left}, {right}) is {quoted(parts[0] + parts[1])}, but {merged} is {quoted(parts[2])}",
                "correct the merge",
                where,
            )
        if (left, right) in seen:
            raise FormatError(f"({left}, {right}) is merge {seen[left, right]} already", "keep one", where)
        seen[left, right] = rank


def _check_added(table: TokenTable, added: tuple[AddedToken, ...]) -> None:
    texts: dict[str, int] = {}
    roles: dict[str, str] = {}
    for number, token in enumerate(added):
        where = f"added token {quoted(token.text)}"
        if number and added[number - 1].id == token.id:
            raise FormatError(
                f"id {token.id} is that of {quoted(added[number - 1].text)} already", "renumber one", where
            )
        if token.text in texts:
            raise FormatError(
                f"it has two ids, {texts[token.text]} and {token.id}", "keep one of them", where
            )
        texts[token.text] = token.id
        for role in token.roles:
            if role in roles:
                raise FormatError(
                    f"role {role!r} is held by {quoted(roles[role])} already", "give it to one token", where
                )
            roles[role] = token.text
        _check_added_entry(table, token, where)
    claimed = {token.id for token in added}
    for token_id, kind in enumerate(table.kinds):
        if kind in ("special", "added") and token_id not in claimed:
            raise FormatError(
                f"id {token_id} is {kind}, but no added token has it", "list it, or call it unused"
            )


def _check_added_entry(table: TokenTable, token: AddedToken, where: str) -> None:
    if not 0 <= token.id < len(table):
        raise FormatError(f"id {token.id} lies outside the table", f"ids end at {len(table) - 1}", where)
    if table.tokens[token.id] != token.text.encode():
        raise FormatError(
            f"id {token.id} holds {quoted(table.tokens[token.id])}", "use the id of its own text", where
        )
    if token.special and table.kinds[token.id] != "special":
        raise FormatError(
            f"id {token.id} is an ordinary token too, so plain text could become this special token",
            "choose another text for the special token", where,
        )  # fmt: skip


def with_roles(definition: Definition, roles: Mapping[str, str], source: str) -> Definition:
    """Returns ``definition`` with role -> text of an added token; raises FormatError for an unknown text."""
    texts = {token.text for token in definition.added_tokens}
    for role, text in roles.items():
        if role not in ROLES:
            raise FormatError(
                f"there is no role {role!r}", f"use one of: {', '.join(ROLES)}", f"{source}: roles"
            )
        if text not in texts:
            raise FormatError(
                f"role {role!r} names {quoted(text)}, which is no added token", "name one", f"{source}: roles"
            )
    added = [
        replace(token, roles=tuple(role for role, text in roles.items() if text == token.text))
        for token in definition.added_tokens
    ]
    return replace(definition, added_tokens=tuple(added))
