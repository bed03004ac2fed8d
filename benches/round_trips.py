"""Every tokenizer of a folder to every format: equal ids, or refused with nothing written.

Each cell is a `tokforge convert`, proven on its probes by the source's library, tokforge and the target's
library; what was written is read again by tokforge and must give the source's ids on TEXT, too, which no
probe holds. A refusal is a number, explained below the table.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benches.oracle import FILES, SPLITTERS, text_documents
from tokforge.errors import TokforgeError
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.conversion import WRITABLE, Conversion, ConvertConfig, try_convert

__all__ = ["round_trips"]


def round_trips(arguments: Sequence[str]) -> str:
    """Returns the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches round-trips", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds tokenizers, each in a folder of its name")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="folders of text")
    parser.add_argument("--megabytes", type=float, default=1)
    parser.add_argument("--only", nargs="*", default=(), help="names of tokenizers")
    options = parser.parse_args(arguments)
    documents = list(text_documents(options.text, int(options.megabytes * 1e6)))
    reasons: dict[str, int] = {}
    rows = []
    for path in sorted(path for name in FILES for path in options.folder.rglob(name)):
        name = str(path.relative_to(options.folder).parent)
        if not options.only or name in options.only:
            cells = [_cell(name, path, to, documents, reasons) for to in WRITABLE]
            rows.append(f"| {name} | {' | '.join(cells)} |\n")
            print(rows[-1], end="", flush=True)
    header = f"| tokenizer | {' | '.join(WRITABLE)} |\n{'|---' * (len(WRITABLE) + 1)}|\n"
    notes = "".join(f"{number}. {reason}\n" for reason, number in reasons.items())
    return f"{header}{''.join(rows)}\n{notes}"


def _cell(name: str, path: Path, to: str, documents: Sequence[str], reasons: dict[str, int]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "out" if to == "vocab-merges" else f"out.{to}")
        try:
            found = try_convert(path, output, ConvertConfig(to=to, pretokenizer=SPLITTERS.get(name)))
        except TokforgeError as error:
            return f"ERROR {error.problem}"
        if found.refusal is not None:
            left = "" if not any(Path(folder).iterdir()) else " AND LEFT FILES"
            return f"{reasons.setdefault(_general(found.refusal, to), len(reasons) + 1)}{left}"
        return _again(found, name, path, output, documents)


def _general(refusal: str, to: str) -> str:
    """Drops what is this tokenizer's own, so that a reason is one in the table."""
    return " ".join(
        "..." if word != to and any(char.isdigit() for char in word) else word
        for word in refusal.split(";")[0].split()
    )


def _again(found: Conversion, name: str, path: Path, output: Path, documents: Sequence[str]) -> str:
    if not all(one.differing == 0 for one in found.comparisons):
        return "WRITTEN, DIFFERS"
    before = Tokenizer.load(path, pretokenizer=SPLITTERS.get(name))
    splitters = before.pipeline.pretokenizers
    named = str(splitters[0]) if found.target_format == "tiktoken" and splitters else None
    after = Tokenizer.load(output, pretokenizer=named)
    same = all(before.encode(text).tolist() == after.encode(text).tolist() for text in documents)
    return "equal" if same else "DIFFERS ON TEXT"
