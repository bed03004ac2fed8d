"""The recipe behind the vocabularies that ship: fetches their corpus, trains, packs, and compares."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tokforge_corpora import FetchedCorpus, fetch

from tokforge.bpe import BpeConfig, CurationConfig, train
from tokforge.tokenizer.released import RELEASED, RELEASED_FILE, pack

CORPUS = "binaries-large"


OPTIONS = {
    "preset": "binary",
    "vocab_size": max(RELEASED.values()),
    "min_frequency": 2,
    "max_token_bytes": 32,
    "curation": {"duplicates": "near", "similarity": 0.8, "seed": 0},
}
"""How the released vocabularies are trained: these alone are stored, so that a new option changes no file."""


def config() -> BpeConfig:
    """Returns the same as the trainer takes it."""
    return BpeConfig(**OPTIONS | {"curation": CurationConfig(**OPTIONS["curation"])})


def build(corpus: FetchedCorpus, folder: Path) -> bytes:
    """Returns the file of merges; ``folder`` takes an export of the corpus."""
    result = train([str(corpus.export(folder / CORPUS))], config())
    stats = corpus.stats
    provenance = {
        "order": "hf",
        "options": OPTIONS,
        "corpus_bytes": result.corpus_bytes,
        "stopped": result.stopped,
        "curation": result.curation.as_dict(),
        "source_shares": {group.group: round(group.bytes / stats.bytes, 6) for group in stats.groups},
        "notes": [f"trained on the corpus {stats.name} {stats.version}, SHA-256 {stats.sha256}"],
    }
    return pack(result.tokenizer, provenance)


def release_binary(arguments: Sequence[str]) -> str:
    """Rebuilds the released vocabularies, and says whether they are those of the tree."""
    parser = argparse.ArgumentParser(
        prog="python -m benches release-binary", description=release_binary.__doc__
    )
    parser.add_argument(
        "--folder", type=Path, help="where the corpus is exported; a temporary one if not set"
    )
    parser.add_argument("--offline", action="store_true", help="use the cache alone")
    parser.add_argument("--write", action="store_true", help="replace those of the tree")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder) as folder:
        data = build(fetch(CORPUS, offline=options.offline), Path(folder))
    if options.write:
        RELEASED_FILE.write_bytes(data)
    same = data == RELEASED_FILE.read_bytes()
    return f"{len(data)} bytes, {'the same as' if same else 'other than'} {RELEASED_FILE}"
