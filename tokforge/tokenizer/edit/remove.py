"""Removes tokens, and closes the gaps they leave in the ids.

Definition: a token *depends* on another if every merge that makes it has that other as a side, or a
token that depends on it. Removing a token drops its merges, so what depends on it could never be made
again: it goes too (``cascade``), or the removal is refused by name. Linear in the merges.
"""

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np

from tokforge.errors import ConfigError, TokenIdError, UnknownNameError
from tokforge.tokenizer.display import printable, quoted, read_printable
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import Edited, edited, moved
from tokforge.tokenizer.edit.references import referenced_ids
from tokforge.tokenizer.model import ORDINARY, BpeModel, Definition, Merge, TokenTable
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["compacting", "dependents", "find_token", "remove"]


def remove(tokenizer: Tokenizer, ids: Iterable[int], *, cascade: bool = False) -> Edited:
    """Returns the tokenizer without ``ids``; the others keep their order and close the gaps.

    ``cascade``: tokens that only these can make go as well; otherwise such a removal is refused.

    Raises:
        TokenIdError: an id is outside the table.
        ConfigError: a token is needed: one of the 256 bytes, the unknown token, one that the
            post-processor or the padding names, or (without ``cascade``) a part of others.
    """
    definition = tokenizer.definition
    asked = _checked(ids, tokenizer.vocab_size)
    gone = asked | dependents(tokenizer.merges, asked)
    _refuse_needed(definition, gone)
    if gone > asked and not cascade:
        raise _has_dependents(definition, asked, gone)
    id_map = compacting(tokenizer.vocab_size, gone)
    step = {"operation": "remove", "asked": len(asked), "cascade": len(gone) - len(asked)}
    return edited(tokenizer, moved(definition, id_map), id_map, step)


def find_token(tokenizer: Tokenizer, text: str) -> int:
    """Returns the id of an added token's text, or of the ordinary token that `printable` shows so.

    Raises UnknownNameError if there is none, ConfigError if there are several.
    """
    for token in tokenizer.added_tokens:
        if token.text == text:
            return token.id
    wanted = read_printable(text)
    found = [i for i, token in enumerate(tokenizer.table.ordinary()) if token == wanted]
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise ConfigError(f"{quoted(text)} has the ids {listed}", "name the one you mean by its id")
    if not found:
        close = get_close_matches(text, [token.text for token in tokenizer.added_tokens], 1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise UnknownNameError(
            f"there is no token {quoted(text)}", f"{guess}spell it as inspect shows it: ␣ is a space"
        )
    return found[0]


def dependents(merges: Iterable[Merge], removed: Iterable[int]) -> set[int]:
    """Returns the tokens that could not be made any more without ``removed``, those not among them."""
    merges = list(merges)
    made_by: dict[int, int] = defaultdict(int)
    uses: dict[int, set[int]] = defaultdict(set)
    for number, (left, right, merged) in enumerate(merges):
        made_by[merged] += 1
        uses[left].add(number)
        uses[right].add(number)
    gone, queue = set(removed), list(removed)
    dropped: set[int] = set()
    found: set[int] = set()
    while queue:
        for number in uses[queue.pop()] - dropped:
            dropped.add(number)
            merged = merges[number][2]
            made_by[merged] -= 1
            if not made_by[merged] and merged not in gone:
                gone.add(merged)
                found.add(merged)
                queue.append(merged)
    return found


def compacting(vocab_size: int, gone: Iterable[int]) -> IdMap:
    """Returns the map that drops ``gone`` and moves the others down, in order."""
    kept = np.ones(vocab_size, bool)
    kept[list(gone)] = False
    return IdMap(np.where(kept, np.cumsum(kept) - 1, -1), int(kept.sum()))


def _checked(ids: Iterable[int], vocab_size: int) -> set[int]:
    asked = set()
    for token_id in ids:
        if isinstance(token_id, bool) or not isinstance(token_id, int | np.integer):
            raise ConfigError(f"{quoted(token_id)} is no id", "give whole numbers")
        if not 0 <= token_id < vocab_size:
            raise TokenIdError(f"there is no id {token_id}", f"ids run from 0 to {vocab_size - 1}")
        asked.add(int(token_id))
    if not asked:
        raise ConfigError("there is nothing to remove", "name a token")
    return asked


def _refuse_needed(definition: Definition, gone: set[int]) -> None:
    table, named = definition.table, referenced_ids(definition.pipeline)
    for token_id in sorted(gone):
        reason = None
        if table.kinds[token_id] == "byte":
            reason = "is one of the 256 bytes, without which some inputs have no ids"
        elif token_id == definition.model.unk_id:
            reason = "is the unknown token, which the model needs"
        elif token_id in named:
            reason = f"is named by the {named[token_id]} section"
        if reason:
            raise ConfigError(f"{_name(table, token_id)} {reason}", "leave it in, or drop that use first")


def _has_dependents(definition: Definition, asked: set[int], gone: set[int]) -> ConfigError:
    """Names a removed token and one that is made of it."""
    others = gone - asked
    merges = definition.model.merges if isinstance(definition.model, BpeModel) else ()
    part, whole = next(
        (side, merged)
        for left, right, merged in merges
        for side in (left, right)
        if merged in others and side in asked
    )
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return ConfigError(
        f"{_name(definition.table, part)} is a part of {_name(definition.table, whole)}{more}",
        "remove what is made of it as well with cascade, or leave it",
    )


def _name(table: TokenTable, token_id: int) -> str:
    kind = "" if table.kinds[token_id] in ORDINARY else f"{table.kinds[token_id]} "
    return f"{kind}token '{printable(table.tokens[token_id])}' (id {token_id})"
