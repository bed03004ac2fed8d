"""The released vocabularies on executables that they were not trained on: a table by platform."""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from tokforge_corpora import fetch

from benches.measure import RESULTS
from tokforge import Tokenizer
from tokforge.inputs.stretches import nul_run_spans
from tokforge.tokenizer.released import RELEASED

NUL_RUN_BYTES = 16
"""Runs of as many NULs are padding: a table without them says what a vocabulary does for the rest."""


def binary_platforms(arguments: Sequence[str]) -> str:
    """Bytes per token of the released sizes on a corpus, with and without runs of 16 NULs, beside zstd -3.

    Without: such runs are left out, bytes and tokens, and no token crosses them. Used: tokens of the
    vocabulary that occur at all.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benches binary-platforms", description=binary_platforms.__doc__
    )
    parser.add_argument("--corpus", default="binaries-heldout")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args(arguments)
    corpus = fetch(options.corpus, offline=options.offline)
    tokenizers = {name: Tokenizer.load(name) for name in RELEASED}
    tallies: defaultdict[str, Counter[str]] = defaultdict(Counter)
    used = {name: np.zeros(size, bool) for name, size in RELEASED.items()}
    for group, _, data in corpus.documents():
        tallies[group].update(_tally(data, tokenizers, used))
    rows = {group: dict(tally) for group, tally in tallies.items()}
    share = {name: float(seen.mean()) for name, seen in used.items()}
    found = {"corpus": corpus.stats.sha256, "groups": rows, "used": share}
    (RESULTS / f"binary-{options.corpus}.json").write_text(json.dumps(found, indent=1) + "\n")
    return "\n".join(_table(rows, share))


def _tally(data: bytes, tokenizers: dict[str, Tokenizer], used: dict[str, np.ndarray]) -> dict[str, int]:
    """Returns bytes and tokens of one document, whole and without its runs of NUL."""
    from zstandard import ZstdCompressor

    pieces = [
        data[start:end]
        for start, end in nul_run_spans(data, (0, len(data)), NUL_RUN_BYTES)
        if any(data[start:end])
    ]
    tally = {"bytes": len(data), "solid bytes": sum(map(len, pieces))}
    tally["zstd"] = len(ZstdCompressor(level=3).compress(data))
    for name, tokenizer in tokenizers.items():
        ids = tokenizer.encode(data)
        used[name][ids] = True
        tally[name] = len(ids)
        if pieces:
            tally[f"solid {name}"] = len(tokenizer.encode_batch(pieces)[0])
    return tally


def _table(rows: dict[str, dict[str, int]], share: dict[str, float]) -> Iterator[str]:
    yield "| platform | MB | NUL runs | " + " | ".join(f"{name[7:]}" for name in RELEASED) + " | zstd |"
    yield "|---|---|---|" + "---|" * (len(RELEASED) + 1)
    total: Counter[str] = Counter()
    for tally in rows.values():
        total.update(tally)
    for group, tally in [*rows.items(), ("all", dict(total))]:
        cells = [
            f"{tally['solid bytes'] / tally[f'solid {name}']:.2f} ({tally['bytes'] / tally[name]:.2f})"
            for name in RELEASED
        ]
        nul = 1 - tally["solid bytes"] / tally["bytes"]
        head = f"| {group} | {tally['bytes'] / 1e6:.1f} | {nul:.0%} | "
        yield head + " | ".join(cells) + f" | {tally['bytes'] / tally['zstd']:.2f} |"
    yield "| used | | | " + " | ".join(f"{share[name]:.1%}" for name in RELEASED) + " | |"
