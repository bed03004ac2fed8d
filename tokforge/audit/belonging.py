"""Whether the rows of a model are those of a tokenizer's ids: what is said of a row is said of its id.

Definition: a model that carries a tokenizer (beside its weights, or in the GGUF file) gives each id a token;
ids differ where that token has other bytes or is missing on one side. Few may (a chat model renames reserved
tokens, an extension adds some): that is a warning. Where more than `MOST` differ, the rows are of another
vocabulary. A model that carries none can only be asked for its number of rows.
"""

from collections.abc import Sequence
from pathlib import Path

from tokforge.audit.complete import load_complete
from tokforge.errors import FormatError, TokforgeError
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import printable
from tokforge.tokenizer.files import read_file
from tokforge.tokenizer.formats.byte_alphabet import unspell
from tokforge.tokenizer.formats.gguf_metadata import read_metadata

__all__ = ["MOST", "check_belongs"]

MOST = 0.1
"""Largest share of ids that may differ from those of the model's own tokenizer."""
_PADDING = 1024
"""Rows that a model may have beyond its ids, and a tenth of them more: none known has as many."""
_HINT = "give the tokenizer that the model was trained with"
_TOKENS = "tokenizer.ggml.tokens"

Tokens = Sequence[bytes | None]
"""The bytes of each id, None where it has no token."""


def check_belongs(vocabulary: Vocabulary, size: int, model: Path, rows: int) -> tuple[str, ...]:
    """Returns what is doubtful about reading the ``rows`` of ``model`` by the first ``size`` ids, or nothing.

    Raises FormatError where ids and rows cannot correspond.
    """
    if rows < size:
        raise FormatError(f"the model has {rows} rows, the tokenizer {size} ids", _HINT, str(model))
    own = _own_tokens(model)
    if own is not None:
        return _compared(_tokens(vocabulary, size), own, model)
    if rows > size + size // 10 + _PADDING:
        problem = f"the model has {rows} rows, the tokenizer {size} ids: too many to be padding"
        raise FormatError(problem, _HINT, str(model))
    return ("the model carries no tokenizer: only its number of rows says that these ids are its own",)


def _compared(tokens: Tokens, own: Tokens, model: Path) -> tuple[str, ...]:
    longest = max(len(tokens), len(own))
    pairs = [(_at(tokens, i), _at(own, i)) for i in range(longest)]
    differing = [i for i, (mine, theirs) in enumerate(pairs) if mine != theirs]
    if not differing:
        return ()
    mine, theirs = pairs[differing[0]]
    first = (
        f"the first is {differing[0]}, {_shown(mine)} here and {_shown(theirs)} to the model's own tokenizer"
    )
    if len(differing) > MOST * longest:
        problem = f"the model belongs to another tokenizer: {len(differing)} of {longest} ids differ; {first}"
        raise FormatError(problem, _HINT, str(model))
    return (f"{len(differing)} of {longest} ids differ from the model's own tokenizer; {first}",)


def _at(tokens: Tokens, i: int) -> bytes | None:
    return tokens[i] if i < len(tokens) else None


def _shown(token: bytes | None) -> str:
    return "nothing" if token is None else repr(printable(token))


def _tokens(vocabulary: Vocabulary, size: int) -> Tokens:
    kinds = vocabulary.tokenizer.table.kinds[:size]
    return [None if kind == "unused" else vocabulary.tokens[i] for i, kind in enumerate(kinds)]


def _own_tokens(model: Path) -> Tokens | None:
    """Returns the tokens of the tokenizer that ``model`` carries; None where it has none that can be read."""
    try:
        tokenizer, missing = load_complete(model)
    except TokforgeError:
        return _spelled_tokens(model) if model.suffix.lower() == ".gguf" else None
    return _tokens(Vocabulary(str(model), tokenizer), tokenizer.vocab_size - missing)


def _spelled_tokens(model: Path) -> Tokens | None:
    """Reads the tokens of a GGUF file whose vocabulary is refused, such as one that lacks bytes."""
    try:
        texts = read_metadata(read_file(model), str(model), lambda key: key == _TOKENS).get(_TOKENS)
    except TokforgeError:
        return None
    if not isinstance(texts, list):
        return None
    return [spelled if (spelled := unspell(text)) is not None else text.encode() for text in texts]
