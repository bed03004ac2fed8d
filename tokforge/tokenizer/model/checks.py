"""What a table and its model must hold; see `definition` for the invariants."""

import math

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.model.merges import merge_list
from tokforge.tokenizer.model.models import BpeModel, Model, UnigramModel, WordLevelModel, WordPieceModel
from tokforge.tokenizer.model.table import ORDINARY, TokenTable

__all__ = ["check_model", "check_table"]


_KIND_NUMBERS = {kind: number for number, kind in enumerate((*ORDINARY, "special", "added", "unused"))}


def check_table(table: TokenTable) -> None:
    """Raises FormatError for an empty ordinary token, and for two that are the same."""
    from tokforge import _core

    kinds = bytes(map(_KIND_NUMBERS.__getitem__, table.kinds))
    if not _core.tokens_differ(table.tokens, kinds, _KIND_NUMBERS["byte"], len(ORDINARY)):
        _refuse_token(table)


def _refuse_token(table: TokenTable) -> None:
    seen: dict[tuple[bytes, str], int] = {}
    for token_id, (token, kind) in enumerate(zip(table.tokens, table.kinds, strict=True)):
        if kind not in ORDINARY:
            continue
        if not token or (kind == "byte" and len(token) > 1):
            raise FormatError(
                f"an ordinary token of kind {kind} is empty, or too long: {quoted(token)}",
                "give it bytes, a byte token one; or leave its id unused",
                f"id {token_id}",
            )
        if seen.setdefault((token, kind), token_id) != token_id:
            raise FormatError(
                f"ids {seen[token, kind]} and {token_id} hold the same bytes {quoted(token)}",
                "keep one of them",
                f"id {token_id}",
            )


def check_model(table: TokenTable, model: Model) -> None:
    """Raises FormatError where the model names what the table does not hold."""
    match model:
        case BpeModel():
            _check_atoms(table, model)
            _check_named(table, model.user_defined, "user-defined token")
            _check_merges(table, model)
        case UnigramModel():
            _check_named(table, model.user_defined, "user-defined token")
            _check_scores(table, model)
        case WordPieceModel() | WordLevelModel():
            for token_id in model.special_ids:
                if not 0 <= token_id < len(table) or table.kinds[token_id] not in ("special", "added"):
                    raise FormatError(f"id {token_id} is no added token", "drop it from special_ids")
    unk_id = model.unk_id
    if unk_id is not None and not 0 <= unk_id < len(table):
        raise FormatError(f"the unknown token's id {unk_id} lies outside the table", "name one of its ids")


def _check_atoms(table: TokenTable, model: BpeModel) -> None:
    if model.atoms == "characters":
        return
    if model.ranks is not None or model.continuing_subword_prefix or model.end_of_word_suffix:
        table.every_byte_id()
    for token_id in [i for i, size in enumerate(map(len, table.tokens)) if size == 1]:
        if table.kinds[token_id] != "normal":
            continue
        token = quoted(table.tokens[token_id])
        raise FormatError(
            f"{token} has the same bytes as the byte token", "keep one of them", f"id {token_id}"
        )


def _check_named(table: TokenTable, ids: tuple[int, ...], what: str) -> None:
    for token_id in ids:
        if not 0 <= token_id < len(table) or table.kinds[token_id] not in ORDINARY:
            raise FormatError(f"the {what} {token_id} is no ordinary token", "drop it from the list")


def _check_scores(table: TokenTable, model: UnigramModel) -> None:
    if len(model.scores) != len(table):
        raise FormatError(f"{len(model.scores)} scores for {len(table)} ids", "give one an id")
    for token_id, score in enumerate(model.scores):
        if score is not None and not math.isfinite(score):
            raise FormatError(f"the score of id {token_id} is {score}", "give a finite number")
        if score is None and table.kinds[token_id] in ("normal", "continuing", "ending"):
            raise FormatError(f"id {token_id} has no score", "give one, or leave the id unused")
    if not math.isfinite(model.unk_score):
        raise FormatError(f"the unknown token's score is {model.unk_score}", "give a finite number")


def _check_merges(table: TokenTable, model: BpeModel) -> None:
    from tokforge import _core

    _check_ranks(model)
    tokens = table.ordinary()
    if not _core.merges_hold(tokens, merge_list(model.merges).flat):
        _refuse_merge(tokens, model)


def _refuse_merge(tokens: list[bytes | None], model: BpeModel) -> None:
    seen: dict[tuple[int, int], int] = {}
    for rank, (left, right, merged) in enumerate(model.merges):
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


def _check_ranks(model: BpeModel) -> None:
    ranks = model.ranks
    if ranks is None:
        return
    if len(ranks) != len(model.merges):
        raise FormatError(f"{len(ranks)} ranks for {len(model.merges)} merges", "give one a merge")
    if any(low > high for low, high in zip((0, *ranks), ranks, strict=False)):
        raise FormatError("the merges' ranks do not ascend from 0", "put the merges in rank order")
