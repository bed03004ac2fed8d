"""A byte-level vocabulary that lacks byte tokens, completed: for an audit, never to encode with.

Published vocabularies lack some (SmolLM2 21), and such a byte is lost from text. An audit asks what the other
tokens are, so the bytes get ids past the end.
"""

from dataclasses import replace
from pathlib import Path

from tokforge.tokenizer import BpeModel, Tokenizer, TokenTable
from tokforge.tokenizer.model.table import Kind

__all__ = ["load_complete"]


def load_complete(path: str | Path) -> tuple[Tokenizer, int]:
    """Returns the tokenizer at ``path`` and how many byte tokens were put behind its ids, nearly always 0.

    Raises as `Tokenizer.load`.
    """
    tokenizer = Tokenizer.load(path)
    model, table = tokenizer.definition.model, tokenizer.table
    missing = table.missing_bytes() if isinstance(model, BpeModel) and model.atoms == "bytes" else b""
    if not missing:
        return tokenizer, 0
    tokens = (*table.tokens, *(bytes((value,)) for value in missing))
    byte: Kind = "byte"
    whole = TokenTable(tokens, (*table.kinds, *[byte] * len(missing)))
    return Tokenizer(replace(tokenizer.definition, table=whole)), len(missing)
