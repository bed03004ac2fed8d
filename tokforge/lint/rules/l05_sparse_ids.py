"""L05: Ids that are not dense, or far above the number of tokens.

What it finds:
Holes between 0 and the highest id (a warning), and a highest id of at least twice the number of tokens plus
1,024 (an error). Holes between the ranks of a tiktoken file are legal and not reported; tekken's must be
contiguous. Ids that no vocabulary can have (negative, not below 2^32) are L26's.

Why it matters:
`len(tokenizer)` counts tokens, so an embedding sized by it lacks the rows above: an index error, on a GPU an
assertion. cl100k and o200k have such holes by design. Readers that allocate by the highest id need gigabytes
for one absurd id (qxotic#3); holes come from removals (huggingface/tokenizers#1216).

How to fix:
Size embeddings by the highest id + 1. Before training, renumber: `--fix` does so where no model weights stand
beside the file, keeps the order, and prints the old and new ids.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place, step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]

_SLACK = 1024


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding: the worse of the two."""
    if artefact.format == "tekken":
        yield from _check_tekken(artefact)
    ids = sorted(artefact.ids)
    if not ids or ids[0] < 0 or ids[-1] + 1 == len(ids):
        return
    highest, count = ids[-1], len(ids)
    key = artefact.ids[highest]
    place = (
        artefact.bpe.token_place(key)
        if artefact.bpe and key in artefact.bpe.vocab
        else _added_place(artefact, key)
    )
    if highest >= 2 * count + _SLACK:
        yield RULE.finding(
            place,
            highest,
            f"id {highest:,} for {count:,} tokens: readers that allocate by it may not survive",
            "renumber the tokens densely",
            fixable=_safe(artefact),
        )
        return
    hole = next((a + 1 for a, b in pairwise([-1, *ids]) if b > a + 1), 0)
    yield RULE.finding(
        place,
        highest,
        f"{highest + 1 - count:,} ids below {highest + 1:,} have no token, the first is {hole:,}",
        f"size embeddings by {highest + 1:,}, not by len(tokenizer), which is {count:,}",
        severity="warning",
        fixable=_safe(artefact),
    )


def _added_place(artefact: Artefact, content: str) -> Place:
    return next((one.place for one in artefact.added if one.content == content), Place(artefact.file))


def _check_tekken(artefact: Artefact) -> Iterator[Finding]:
    for index, one in enumerate(artefact.ranks):
        if one.rank != index:
            yield RULE.finding(
                Place(artefact.file).at("vocab", one.number, "rank"),
                one.rank,
                f"rank {one.rank} stands where {index} must: mistral-common asserts contiguous ranks",
                "sort the entries and number them from 0",
                fixable=False,
            )
            return


def _safe(artefact: Artefact) -> bool:
    """Renumbering is safe while no weights depend on the ids."""
    return (
        artefact.tokenizer is not None and not artefact.embeddings and "config.json" not in artefact.documents
    )


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    if not _safe(artefact):
        return
    new = {old: number for number, old in enumerate(sorted(artefact.ids))}
    root = documents[artefact.file]
    vocab = step(root, "model", "vocab")
    if isinstance(vocab, dict):
        for token, old in vocab.items():
            vocab[token] = new.get(old, old)
    for entry in root.get("added_tokens") or []:
        entry["id"] = new.get(entry["id"], entry["id"])
    _renumber_references(root, new)
    moved = [(old, number) for old, number in new.items() if old != number]
    shown = ", ".join(f"{old} -> {number}" for old, number in moved[:5])
    yield Change("L05", artefact.file, "/model/vocab", f"{len(moved)} ids moved: {shown}")


def _renumber_references(root: Documents, new: dict[int, int]) -> None:
    """Renumbers what names ids outside the vocabulary: post-processors and padding."""
    if isinstance(pad := step(root, "padding", "pad_id"), int):
        root["padding"]["pad_id"] = new.get(pad, pad)
    waiting = [root.get("post_processor")]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict):
            continue
        waiting += part.get("processors") or []
        for name in ("sep", "cls"):
            if isinstance(step(part, name, 1), int):
                part[name][1] = new.get(part[name][1], part[name][1])
        for entry in (part.get("special_tokens") or {}).values():
            entry["ids"] = [new.get(one, one) for one in entry.get("ids") or []]


RULE = Rule("L05", "sparse-ids", "error", check, __doc__, Fix(_fix, keeps_ids=False, renumbers=True))
