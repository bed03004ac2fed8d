"""The released vocabularies by section of held-out executables, kinds of tokens, and against instructions."""

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tokforge_corpora import FetchedCorpus, fetch

from benches.measure import RESULTS
from tokforge import Tokenizer
from tokforge.binaries import inspect_documents

COLUMNS = ("code", "read-only data", "strings", "data", "symbols", "relocations", "unwinding")


def binary_sections(arguments: Sequence[str]) -> str:
    """Runs `inspect-binaries` on files of each platform of a corpus, chosen by their hash."""
    parser = argparse.ArgumentParser(
        prog="python -m benches binary-sections", description=binary_sections.__doc__
    )
    parser.add_argument("--corpus", default="binaries-heldout")
    parser.add_argument("--tokenizer", default="binary-16k")
    parser.add_argument("--megabytes", type=float, default=6.0, help="of each platform")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args(arguments)
    corpus = fetch(options.corpus, offline=options.offline)
    documents = chosen(corpus, int(options.megabytes * 1e6))
    figures = inspect_documents(Tokenizer.load(options.tokenizer), documents).as_dict()
    path = RESULTS / f"binary-sections-{options.tokenizer}.json"
    path.write_text(json.dumps({"corpus": corpus.stats.sha256, **figures}, indent=1) + "\n")
    return "\n".join([*_sections(figures), "", *_boundaries(figures), "", *_kinds(figures)])


def chosen(corpus: FetchedCorpus, size: int) -> Iterator[tuple[str, bytes]]:
    """Yields files of each group, lowest hash first, until they hold ``size`` bytes."""
    groups: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for group, name, data in corpus.documents():
        groups[group].append((hashlib.sha256(data).hexdigest(), len(data), name))
    wanted = set()
    for group, files in groups.items():
        held = 0
        for _, length, name in sorted(files):
            if held < size:
                held += length
                wanted.add((group, name))
    return ((f"{group}/{name}", data) for group, name, data in corpus.documents() if (group, name) in wanted)


def _sections(figures: Mapping[str, Any]) -> Iterator[str]:
    """One row a platform, its file kinds together: bytes per token, with NUL runs in brackets, and zstd."""
    sums: defaultdict[tuple[str, str], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in figures["sections"]:
        for place in (row["section"], "all"):
            for key, value in row.items():
                if isinstance(value, int | float) and (place != "all" or row["section"] != "zero padding"):
                    sums[row["platform"], place][key] += value
    yield f"{figures['files']} files, {figures['bytes'] / 1e6:.1f} MB, {len(figures['unparsed'])} unparsed\n"
    yield "| platform | MB | " + " | ".join(("all", *COLUMNS)) + " |"
    yield "|---|---|" + "---|" * (len(COLUMNS) + 1)
    for platform in sorted({platform for platform, _ in sums}):
        cells = [_cell(sums[platform, section]) for section in ("all", *COLUMNS)]
        yield f"| {platform} | {sums[platform, 'all']['whole_bytes'] / 1e6:.1f} | {' | '.join(cells)} |"


def _cell(one: Mapping[str, float]) -> str:
    if one.get("bytes", 0) < 10_000:
        return ""
    whole = one["whole_bytes"] / one["whole_tokens"]
    return f"{one['bytes'] / one['tokens']:.2f} ({whole:.2f}), {one['bytes'] / one['zstd_bytes']:.2f}"


def _boundaries(figures: Mapping[str, Any]) -> Iterator[str]:
    keys = ("starts", "ends", "both")
    yield "| platform | tokens | " + " | ".join(keys) + " |"
    yield "|---|---|" + "---|" * len(keys)
    for row in figures["boundaries"]:
        cells = [f"{row[key]:.1%} ({row['random_' + key]:.1%})" for key in keys]
        yield f"| {row['platform']} | {row['tokens']:,} | {' | '.join(cells)} |"


def _kinds(figures: Mapping[str, Any]) -> Iterator[str]:
    bands, used = figures["kinds"], sum(figures["occurrences"].values())
    yield f"| kind | {' | '.join(bands)} | of all that occur |"
    yield "|---|" + "---|" * (len(bands) + 1)
    for kind in sorted({kind for band in bands.values() for kind in band}):
        counts = [f"{band.get(kind, 0) / sum(band.values()):.1%}" for band in bands.values()]
        yield f"| {kind} | {' | '.join(counts)} | {figures['occurrences'].get(kind, 0) / used:.1%} |"
    dead = [f"{figures['dead'].get(band, 0) / sum(found.values()):.1%}" for band, found in bands.items()]
    yield f"| never used | {' | '.join(dead)} | {figures['used']:,} of {figures['vocab_size']:,} occur |"
