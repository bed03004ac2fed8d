"""Renames added tokens: their ids, flags and roles stay, and so does every template that names them."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from tokforge.errors import ConfigError, UnknownNameError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.edit.add import check_new_text
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import Edited, edited, moved
from tokforge.tokenizer.model import ORDINARY, AddedToken, Definition, TokenTable
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["rename"]


def rename(tokenizer: Tokenizer, names: Mapping[str, str]) -> Edited:
    """Returns the tokenizer with added tokens renamed, old text -> new text, all at once: two may swap.

    Raises:
        UnknownNameError: there is no added token of an old text.
        ConfigError: a new text is empty, is a token already, or the old one is an ordinary token too.
    """
    if not names:
        raise ConfigError("there is nothing to rename", "give OLD=NEW")
    definition = tokenizer.definition
    texts = {token.text for token in definition.added_tokens}
    for old in names:
        if old not in texts:
            close = get_close_matches(old, texts, 1)
            guess = (
                f"did you mean {close[0]}?" if close else f"use one of: {', '.join(sorted(texts)) or 'none'}"
            )
            raise UnknownNameError(f"there is no added token {quoted(old)}", guess)
    _check_new_texts(definition, texts, names)
    added = tuple(_renamed(definition, token, names) for token in definition.added_tokens)
    id_map = IdMap.identity(tokenizer.vocab_size)
    tokens = list(definition.table.tokens)
    for token in added:
        tokens[token.id] = token.text.encode()
    parts = moved(definition, id_map, names)
    table = TokenTable(tuple(tokens), definition.table.kinds)
    renamed = replace(parts, table=table, added_tokens=added)
    return edited(tokenizer, renamed, id_map, {"operation": "rename", "names": dict(names)})


def _check_new_texts(definition: Definition, texts: set[str], names: Mapping[str, str]) -> None:
    staying = texts - set(names)
    new_texts = list(names.values())
    for number, new in enumerate(new_texts):
        if new in staying or new in new_texts[:number]:
            raise ConfigError(f"{quoted(new)} would be two tokens", "choose another text")
        if new not in texts:
            check_new_text(definition, new)


def _renamed(definition: Definition, token: AddedToken, names: Mapping[str, str]) -> AddedToken:
    if token.text not in names:
        return token
    if definition.table.kinds[token.id] in ORDINARY:
        raise ConfigError(
            f"the added token {quoted(token.text)} is an ordinary token too", "its bytes cannot change"
        )
    return replace(token, text=names[token.text])
