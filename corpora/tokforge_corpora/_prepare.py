"""The prepared form of a corpus: its documents in one plain tar, sorted, each once, with their statistics
beside it.

Invariants: the tar depends on nothing but its documents (no times, no owners), so its SHA-256 is the digest
of the corpus. Documents stand in the order of (group, name); equal contents stand once; two names of a group
differ in more than upper and lower case, so that a folder on any system can hold them.
Memory: the documents that are kept, all at once.
"""

import hashlib
import heapq
import io
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tokforge_corpora._documents import Document


class Selection:
    """Collects documents: equal contents once, and of the rest a sample of at most ``max_bytes``.

    With ``by_group`` each group has a sample of that size. ``left_out`` names contents that are not taken, by
    the first 16 digits of their SHA-256. Time O(n log n).
    """

    def __init__(
        self, max_bytes: int | None, *, by_group: bool = False, left_out: Iterable[str] = ()
    ) -> None:
        self.duplicates = self.near_duplicates = 0
        self._by_group, self._left_out = by_group, frozenset(left_out)
        self._contents: set[bytes] = set()
        self._samples: defaultdict[str, _Sample] = defaultdict(lambda: _Sample(max_bytes))

    def add(self, document: Document) -> None:
        """Takes a document, unless its content is there already or its rank is beyond the sample."""
        content = hashlib.blake2b(document[2], digest_size=16).digest()
        if content in self._contents:
            self.duplicates += 1
            return
        self._contents.add(content)
        if self._left_out and hashlib.sha256(document[2]).hexdigest()[:16] in self._left_out:
            self.near_duplicates += 1
            return
        self._samples[document[0] if self._by_group else ""].add(document)

    @property
    def beyond_sample(self) -> int:
        """How many documents no sample had room for."""
        return sum(sample.beyond for sample in self._samples.values())

    def documents(self) -> list[Document]:
        """Returns the documents sorted by group and name, with names made distinct."""
        found = (document for sample in self._samples.values() for _, document in sample.heap)
        return list(_distinct_names(sorted(found)))


class _Sample:
    """The longest prefix that fits into ``max_bytes``, in the order of a hash of the documents' names.

    So the documents are the same in whatever order they come.
    """

    def __init__(self, max_bytes: int | None) -> None:
        self.max_bytes, self.beyond = max_bytes, 0
        self.heap: list[tuple[int, Document]] = []
        self._bytes = 0
        # Ranks from here on did not fit, or came after one that did not.
        self._limit = -(1 << 128)

    def add(self, document: Document) -> None:
        rank = -_name_hash(document)  # negative: heapq's smallest is then the last one of the sample
        if rank <= self._limit:
            self.beyond += 1
            return
        heapq.heappush(self.heap, (rank, document))
        self._bytes += len(document[2])
        while self.max_bytes is not None and self._bytes > self.max_bytes:
            self._limit, dropped = heapq.heappop(self.heap)
            self._bytes -= len(dropped[2])
            self.beyond += 1


def _name_hash(document: Document) -> int:
    name = f"{document[0]}/{document[1]}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=16).digest(), "big")


def _distinct_names(documents: Iterable[Document]) -> Iterator[Document]:
    """Adds ``~2``, ``~3``... before the suffix of a name that differs from an earlier one in case only."""
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for group, name, data in documents:
        path, number, free = PurePosixPath(name), 1, name
        while free.casefold() in taken[group]:
            number += 1
            free = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
        taken[group].add(free.casefold())
        yield group, free, data


def write_tar(documents: Iterable[Document], path: Path) -> None:
    """Writes documents as members ``GROUP/NAME`` of a plain tar, equal bytes for equal documents."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for group, name, data in documents:
            info = tarfile.TarInfo(f"{group}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def read_tar(stream: BinaryIO) -> Iterator[Document]:
    """Yields the documents that ``write_tar`` wrote, in the same order."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            group, _, name = info.name.partition("/")
            content = archive.extractfile(info)
            if content is not None:
                yield group, name, content.read()


def count_groups(documents: Iterable[Document]) -> dict[str, tuple[int, int]]:
    """Returns each group's number of documents and of bytes, by name of group."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for group, _, data in documents:
        counts[group] += 1
        sizes[group] += len(data)
    return {group: (counts[group], sizes[group]) for group in sorted(counts)}
