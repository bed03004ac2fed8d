"""L08: vocab_size, the tokens and the embedding rows disagree.

What it finds:
``vocab_size`` of config.json (or of its ``text_config``) against the highest id, and both against the rows of
the embeddings, which are read from the headers of the safetensors beside it, or from a GGUF's shapes. Too few
rows is an error; a config that contradicts the weights is an error; rows to spare are a note.

Why it matters:
An id beyond the last row is an index error, on a GPU an assertion that kills the process (CodeLlama:
mergekit#342). Spare rows are common padding, yet three sizes differ in Qwen3 (151,643 in its vocabulary,
151,669 tokens, 151,936 rows: unsloth#3444), and code that resizes by the wrong one destroys rows.

How to fix:
Resize the embeddings to at least the highest id + 1, and set ``vocab_size`` to the rows.
"""

from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place, step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_HINT = "resize to at least the highest id + 1, and set vocab_size to the rows"


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each size that does not fit."""
    if artefact.gguf:
        yield from _check_gguf(artefact)
    needed = max(artefact.ids, default=-1) + 1
    size, place = _declared(artefact)
    if not needed:
        return
    if size is not None and size < needed:
        yield RULE.finding(
            place, size, f"vocab_size is {size:,}, yet the highest id is {needed - 1:,}", _HINT
        )
    for one in artefact.embeddings:
        where = Place(one.file).at(one.tensor)
        if size is not None and size != one.rows:
            message = f"{one.rows:,} rows, while config.json says vocab_size {size:,}"
            yield RULE.finding(where, one.rows, message, _HINT)
        elif one.rows < needed:
            message = f"{one.rows:,} rows, yet the highest id is {needed - 1:,}"
            yield RULE.finding(where, one.rows, message, _HINT)
    yield from _spare(artefact, needed, size, place)


def _spare(artefact: Artefact, needed: int, size: int | None, place: Place) -> Iterator[Finding]:
    rows = min((one.rows for one in artefact.embeddings), default=size)
    if rows is not None and rows > needed:
        yield RULE.finding(
            place,
            rows,
            f"{rows - needed:,} rows have no token (the highest id is {needed - 1:,})",
            "mask them when sampling; never resize to len(tokenizer) without need",
            severity="note",
        )


def _declared(artefact: Artefact) -> tuple[int | None, Place]:
    document = artefact.documents.get("config.json")
    if document is not None:
        for steps in ((), ("text_config",)):
            size = step(document.value, *steps, "vocab_size")
            if type(size) is int:
                return size, document.place.at(*steps, "vocab_size")
    return None, Place(artefact.embeddings[0].file if artefact.embeddings else artefact.file)


def _check_gguf(artefact: Artefact) -> Iterator[Finding]:
    header = artefact.gguf
    tokens = header.values.get("tokenizer.ggml.tokens") if header else None
    for name in ("token_embd.weight", "output.weight"):
        shape = header.shapes.get(name, ()) if header else ()
        if isinstance(tokens, list) and len(shape) == 2 and shape[1] < len(tokens):
            message = f"{shape[1]:,} rows for {len(tokens):,} tokens"
            yield RULE.finding(Place(artefact.file).at(name), shape[1], message, _HINT)


RULE = Rule("L08", "size-mismatch", "error", check, __doc__)
