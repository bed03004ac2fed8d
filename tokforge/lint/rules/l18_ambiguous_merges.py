"""L18: Merges as strings where a token holds a space.

What it finds:
Legacy merges (``"a b"``) with more or fewer than one space: which of the spaces separates the two sides is
lost. In merges.txt, lines that are no pair; a GGUF keeps merges as such strings by its format.

Why it matters:
Hugging Face refuses the file ("Merges text file invalid"). The pair form came with tokenizers 0.20 for this
very reason; when such merges go into a GGUF, the space must be respelled (ggml-org/llama.cpp#9692).

How to fix:
Write merges as pairs. `--fix` does, where exactly one reading has both sides and the product in the
vocabulary; other lines are left for you.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from tokforge.lint.artefact import Artefact
from tokforge.lint.bpe import Bpe
from tokforge.lint.documents import step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check", "to_pairs"]

_LISTED = 20


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields the first ambiguous merges."""
    bpe = artefact.bpe
    raw = step(artefact.tokenizer.value, "model", "merges") if artefact.tokenizer else None
    if bpe and isinstance(raw, list):
        strings = ((number, merge) for number, merge in enumerate(raw) if isinstance(merge, str))
        broken = ((number, merge) for number, merge in strings if bpe.merges[number] is None)
        for number, merge in islice(broken, _LISTED):
            readings = _readings(merge, bpe)
            yield RULE.finding(
                bpe.merges_place.at(number),
                merge,
                f"{merge.count(' ')} spaces, so the two sides are not known: Hugging Face refuses the file",
                "write the merge as a pair of strings",
                fixable=len(readings) == 1,
            )
    elif bpe and artefact.merges_text is not None:
        for number, pair in enumerate(bpe.merges[1:], 1):
            if pair is None:
                place = bpe.merges_place.at(number + 1)
                yield RULE.finding(
                    place, number, "this line is no pair of tokens", "correct it", fixable=False
                )
                return


def _readings(merge: str, bpe: Bpe) -> list[tuple[str, str]]:
    """Returns the ways to cut ``merge`` whose sides and product are all tokens."""
    cuts = [at for at, char in enumerate(merge) if char == " "]
    pairs = [(merge[:at], merge[at + 1 :]) for at in cuts]
    return [pair for pair in pairs if all(part in bpe.vocab for part in (*pair, bpe.merged(pair)))]


def to_pairs(artefact: Artefact, documents: Documents) -> int:
    """Rewrites every merge that can be read as a pair; returns how many. L27 uses it too."""
    bpe, merges = artefact.bpe, step(documents[artefact.file], "model", "merges")
    if bpe is None or not isinstance(merges, list):
        return 0
    changed = 0
    for number, merge in enumerate(merges):
        if isinstance(merge, str):
            readings = [pair] if (pair := bpe.merges[number]) is not None else _readings(merge, bpe)
            if len(readings) == 1:
                merges[number], changed = list(readings[0]), changed + 1
    return changed


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    changed = to_pairs(artefact, documents)
    if changed:
        yield Change("L18", artefact.file, "/model/merges", f"{changed:,} merges are pairs now")


RULE = Rule("L18", "ambiguous-merges", "error", check, __doc__, Fix(_fix, keeps_ids=True))
