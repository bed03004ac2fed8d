"""L04: Tokens that the merges cannot make, without ``ignore_merges``.

What it finds:
Ordinary tokens whose own text, taken as one pretoken, merges into something else. The check is exact: every
token is encoded. Added tokens and the ``<0xNN>`` pieces of byte fallback are left out. For ranks (tiktoken,
tekken) the readers look whole pretokens up first, so there it is a note for those who convert. In a
SentencePiece model it is a piece whose text, taken alone, becomes other pieces: by the scores, or because a
user-defined piece stands in it.

Why it matters:
Such a token is never produced, and its embedding row is never trained. When a file was converted from ranks,
it means that ids differ from the source: tiktoken#60, robertknight/rten#453. Llama 3 has 588 such tokens and
works because it sets ``ignore_merges``; a reader that ignores the flag gives other ids.
A few are what training leaves behind (Gemma 3 has 4 of 262,144) and are a warning; from 1 in 1,000 on it is
an error, for that is a lost flag or a broken merge list.

How to fix:
If the source looks whole words up (tiktoken does), set ``"ignore_merges": true``. Else retrain or drop the
tokens. Either changes ids, so `--fix` leaves it to you.
"""

from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place
from tokforge.lint.reachability import unreachable_bytes
from tokforge.lint.report import Finding, Severity
from tokforge.lint.rule import Rule
from tokforge.lint.sentencepiece_raw import PieceModel
from tokforge.tokenizer.display import printable
from tokforge.tokenizer.model import product_merges

__all__ = ["RULE", "check"]

_SHOWN = 5
_ERROR_SHARE = 1 / 1000


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding with the count and the first tokens."""
    bpe = artefact.bpe
    if bpe and not bpe.ignore_merges:
        missed = artefact.unreachable
        if missed:
            shown = " ".join(printable(bpe.data(token) or b"") for token in missed[:_SHOWN])
            yield RULE.finding(
                bpe.token_place(missed[0]),
                shown,
                f"{len(missed):,} of {len(bpe.vocab):,} tokens cannot be made by the merges",
                "set ignore_merges if the source looks whole words up, else they are dead rows",
                severity=_severity(len(missed), len(bpe.vocab)),
            )
    elif artefact.ranks:
        yield from _check_ranks(artefact)
    elif artefact.pieces:
        yield from _check_pieces(artefact, artefact.pieces)


def _severity(missed: int, tokens: int) -> Severity:
    return "error" if missed >= _ERROR_SHARE * tokens else "warning"


def _check_pieces(artefact: Artefact, model: PieceModel) -> Iterator[Finding]:
    missed = artefact.unreachable_pieces
    if missed:
        yield RULE.finding(
            Place(artefact.file).at("pieces", missed[0]),
            " ".join(printable(model.pieces[number].data) for number in missed[:_SHOWN]),
            f"{len(missed):,} of {len(model.pieces):,} pieces are never produced: their text becomes others",
            "they are dead rows: drop them before training, or leave them",
            severity=_severity(len(missed), len(model.pieces)),
        )


def _check_ranks(artefact: Artefact) -> Iterator[Finding]:
    """Replays the ranks: a token is reachable if lower ranks make it, joined pairs in the order of rank."""
    tokens = sorted(
        {one.data: one.rank for one in artefact.ranks if one.data}.items(), key=lambda item: item[1]
    )
    spelled = [token for token, _ in tokens]
    merges, _ = product_merges(spelled, [(at, at) for at in range(len(spelled))])
    missed = unreachable_bytes(spelled, [(spelled[left], spelled[right]) for left, right, _ in merges])
    if missed:
        first = min(missed, key=dict(tokens).__getitem__)
        numbers = {one.data: one.number for one in artefact.ranks}
        yield RULE.finding(
            Place(artefact.file).at("vocab" if artefact.format == "tekken" else "lines", numbers[first]),
            printable(first),
            f"{len(missed):,} of {len(tokens):,} tokens are found by whole-word look-up alone",
            "when you convert, set ignore_merges",
            severity="note",
        )


RULE = Rule("L04", "unreachable-tokens", "error", check, __doc__)
