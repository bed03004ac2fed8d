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
"""Called with a number of archive bytes that were read since the last call."""

ELF = b"\x7fELF"
# 64-bit and 32-bit Mach-O, both byte orders. A fat binary's magic is also that of a Java class file, which
# has a version of 45 or more where a fat binary has its small number of architectures.
MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
FAT = b"\xca\xfe\xba\xbe"
DEX = b"dex\n"


def is_executable(data: bytes) -> bool:
    """Returns whether ``data`` is an ELF, PE, Mach-O or DEX file, told by its magic numbers, not its name."""
    if data.startswith(b"MZ"):
        header = int.from_bytes(data[0x3C:0x40], "little")
        return data[header : header + 4] == b"PE\0\0"
    if data.startswith(FAT):
        return int.from_bytes(data[4:8], "big") < 45
    return data.startswith((ELF, DEX, *MACH_O))


def read_documents(
    manifest: Manifest, files: Sequence[Path], skipped: Counter[str], tick: Tick = lambda count: None
) -> Iterator[Document]:
    """Yields the documents of a manifest whose items' downloads are ``files``, in the same order.

    ``skipped`` counts links and, for help pages, pages of which nothing was left.
    """
    pairs = list(zip(manifest.items, files, strict=True))
    if manifest.reader == "help-pages":
        yield from _help_documents(pairs, manifest.untranslated_group, skipped, tick)
        return
    for item, path in pairs:
        for document in _members(item, path, skipped, tick):
            if (item.reader or manifest.reader) == "files" or is_executable(document[2]):
                yield document


def _members(item: Item, path: Path, skipped: Counter[str], tick: Tick) -> Iterator[Document]:
    """Yields the selected members of one archive, placed in their group."""
    position = 0
    with path.open("rb") as stream:
        for name, data in read_members(stream, item.file, _selector(item), skipped, item.inner):
            # A zip's directory stands at its end, so the place in the file may also go back.
            tick(max(0, stream.tell() - position))
            position = max(position, stream.tell())
            yield _placed(item, name, data)
    tick(item.bytes - position)


def _selector(item: Item) -> Callable[[str], bool]:
    def wanted(name: str) -> bool:
        selected = any(fnmatchcase(name, pattern) for pattern in item.select)
        return selected and not any(fnmatchcase(name, pattern) for pattern in item.exclude)

    return wanted


def _placed(item: Item, name: str, data: bytes) -> Document:
    """Gives a member its group and its name within the group."""
    name = "/".join(name.split("/")[item.strip :]) or name
    group = item.group
    if group is None:
        folder, slash, rest = name.partition("/")
        group, name = (folder, rest) if slash else ("top", name)
    prefix = item.package.replace(":", "/") if item.prefix is None else item.prefix
    return group, f"{prefix}/{name}" if prefix else name, data


def _help_documents(
    pairs: Sequence[tuple[Item, Path]], untranslated_group: str | None, skipped: Counter[str], tick: Tick
) -> Iterator[Document]:
    """Yields one document a help page: the blocks that no earlier page of its group has, nor an English page.

    The untranslated group, which is the English one, is read first, whatever its place in the manifest.
    """
    untranslated: set[str] = set()
    for item, path in sorted(pairs, key=lambda pair: pair[0].group != untranslated_group):
        seen: set[str] = set()
        # By name, not by place in the archive: which page keeps a repeated block must not depend on packing.
        for group, name, page in sorted(_members(item, path, skipped, tick)):
            new = [block for block in dict.fromkeys(page_blocks(page)) if block not in seen]
            seen.update(new)
            own = [block for block in new if block not in untranslated]
            skipped["empty"] += not own
            if own:
                yield group, name.removesuffix(".html") + ".txt", ("\n".join(own) + "\n").encode()
        if item.group == untranslated_group:
            untranslated |= seen
