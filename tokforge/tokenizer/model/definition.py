"""The definition of a tokenizer: everything that decides ids, and nothing else.

Invariants, checked when one is made: ordinary tokens differ in bytes or kind, and none is empty; a
byte-level model has all 256 bytes; every merge joins two
ordinary tokens into a third whose bytes are theirs end to end, no pair is merged twice, ranks ascend;
scores are finite and one an id; ids that a model names exist. Linear in the table and the merges.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.model.added import ROLES, AddedToken
from tokforge.tokenizer.model.checks import check_model, check_table
from tokforge.tokenizer.model.models import BpeModel, Model
from tokforge.tokenizer.model.pipeline import Pipeline
from tokforge.tokenizer.model.table import TokenTable

__all__ = ["Definition", "lost_bytes", "with_roles"]


@dataclass(frozen=True, slots=True)
class Definition:
    """The model part: everything that decides ids, and nothing else."""

    table: TokenTable
    model: Model
    pipeline: Pipeline
    added_tokens: tuple[AddedToken, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "added_tokens", tuple(sorted(self.added_tokens, key=lambda token: token.id)))
        check_table(self.table)
        check_model(self.table, self.model)
        if self.pipeline.kind == "binary":
            self.table.every_byte_id()  # text may lose a byte as in Hugging Face, binaries none
        _check_added(self.table, self.added_tokens)


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
    matched = sum(table.kinds[token_id] in ("special", "added") for token_id in claimed)
    if table.kinds.count("special") + table.kinds.count("added") == matched:
        return
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


def lost_bytes(definition: Definition) -> bytes:
    """Returns the bytes of which a byte-level vocabulary has no token, so that text loses them; ascending."""
    model = definition.model
    is_byte_level = isinstance(model, BpeModel) and model.is_byte_level
    return definition.table.missing_bytes() if is_byte_level else b""


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
    changed = copy(definition)  # the rest was checked when it was made
    object.__setattr__(changed, "added_tokens", tuple(added))
    _check_added(changed.table, changed.added_tokens)
    return changed
