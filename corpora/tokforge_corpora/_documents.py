"""From members to documents: which members count, what their text is, and under which name they stand.

Invariant: the documents of a manifest depend on nothing but the manifest and the downloads that it names.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from tokforge_corpora._archives import read_members
from tokforge_corpora._help_pages import page_blocks
from tokforge_corpora._manifest import Item, Manifest

Document = tuple[str, str, bytes]
"""The document's group, its name (a relative path with ``/``), and its bytes."""

Tick = Callable[[int], object]
"""Called with the number of archive bytes read so far."""

ELF = b"\x7fELF"
# 64-bit and 32-bit Mach-O, both byte orders. A fat binary's magic is also that of a Java class file, which has a
# version of 45 or more where a fat binary has its small number of architectures.
MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
FAT = b"\xca\xfe\xba\xbe"


def is_executable(data: bytes) -> bool:
    """Returns whether ``data`` is an ELF, PE or Mach-O file, told by its magic numbers and not by its name."""
    if data.startswith(b"MZ"):
        header = int.from_bytes(data[0x3C:0x40], "little")
        return data[header : header + 4] == b"PE\0\0"
    if data.startswith(FAT):
        return int.from_bytes(data[4:8], "big") < 45
    return data.startswith((ELF, *MACH_O))


def read_documents(
    manifest: Manifest, files: Sequence[Path], skipped: Counter[str], tick: Tick = lambda done: None
) -> Iterator[Document]:
    """Yields the documents of a manifest whose items' downloads are ``files``, in the same order.

    ``skipped`` counts links and, for help pages, pages of which nothing was left.
    """
    pairs = list(zip(manifest.items, files, strict=True))
    if manifest.reader == "help-pages":
        yield from _help_documents(manifest, pairs, skipped, tick)
        return
    for item, name, data in _members(pairs, skipped, tick):
        if manifest.reader == "files" or is_executable(data):
            yield _placed(item, name, data)


def _members(
    pairs: Sequence[tuple[Item, Path]], skipped: Counter[str], tick: Tick
) -> Iterator[tuple[Item, str, bytes]]:
    """Yields the selected members of each archive under their stripped names."""
    read = 0
    for item, path in pairs:
        with path.open("rb") as stream:
            for name, data in read_members(stream, item.file, _selector(item), skipped, item.inner):
                tick(read + stream.tell())
                yield item, _stripped(item, name), data
        read += item.bytes
        tick(read)


def _selector(item: Item) -> Callable[[str], bool]:
    def wanted(name: str) -> bool:
        selected = any(fnmatchcase(name, pattern) for pattern in item.select)
        return selected and not any(fnmatchcase(name, pattern) for pattern in item.exclude)

    return wanted


def _stripped(item: Item, name: str) -> str:
    return "/".join(name.split("/")[item.strip :])


def _placed(item: Item, name: str, data: bytes) -> Document:
    """Gives a member its group and its name within the group."""
    group = item.group
    if group is None:
        folder, slash, rest = name.partition("/")
        group, name = (folder, rest) if slash else ("top", name)
    prefix = item.package.replace(":", "/") if item.prefix is None else item.prefix
    return group, f"{prefix}/{name}" if prefix else name, data


def _help_documents(
    manifest: Manifest, pairs: list[tuple[Item, Path]], skipped: Counter[str], tick: Tick
) -> Iterator[Document]:
    """Yields one document a help page: the blocks that no earlier page of its group has, and no English page.

    The untranslated group is read first, whatever its place in the manifest.
    """
    pairs.sort(key=lambda pair: pair[0].group != manifest.untranslated_group)
    untranslated: set[str] = set()
    seen: dict[str, set[str]] = {}
    for group, name, blocks in _help_pages(pairs, skipped, tick):
        known = seen.setdefault(group, set())
        new = [block for block in dict.fromkeys(blocks) if block not in known]
        known.update(new)
        if group == manifest.untranslated_group:
            untranslated.update(new)
        else:
            new = [block for block in new if block not in untranslated]
        if new:
            yield group, name, ("\n".join(new) + "\n").encode()
        else:
            skipped["empty"] += 1


def _help_pages(
    pairs: Sequence[tuple[Item, Path]], skipped: Counter[str], tick: Tick
) -> Iterator[tuple[str, str, list[str]]]:
    """Yields each page's group, name and blocks, package by package, in the order of the names."""
    done = 0
    for item, path in pairs:
        members = _members([(item, path)], skipped, lambda read, done=done: tick(done + read))  # type: ignore[misc]
        # By name, not by place in the archive: which page keeps a repeated block must not depend on packing.
        pages = sorted((_placed(item, name, data) for item, name, data in members), key=lambda page: page[:2])
        for group, name, data in pages:
            yield group, name.removesuffix(".html") + ".txt", page_blocks(data)
        done += item.bytes
