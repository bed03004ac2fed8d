"""Where the sections of an executable begin: ELF, PE and Mach-O headers, read and never run.

Every offset is checked against the bytes there are, and a malformed header gives no sections: the names
are a help to the reader of a hex view, not a claim. Sources: System V ABI, chapter 4 (ELF); Microsoft's
PE format; Apple's mach-o/loader.h. Fat (universal) Mach-O files are not opened.
"""

import struct
from typing import NamedTuple

__all__ = ["SECTION_KINDS", "Section", "code_section", "section_kind", "sections"]

SECTION_KINDS = (
    *(
        "code",
        "read-only data",
        "strings",
        "data",
        "symbols",
        "relocations",
        "unwinding",
        "debug",
        "resources",
    ),
    *("other", "unparsed file", "headers and gaps", "zero padding"),
)
"""What a byte of an executable may be; the last three are no section's own."""
_NAMED = (
    ("debug", (".debug", ".zdebug", "__debug", ".stab", ".gnu_debug", "/")),
    (
        "unwinding",
        (".eh_frame", ".pdata", ".xdata", ".gcc_except", ".ARM.ex", "__unwind", "__eh_frame", "__gcc_exc"),
    ),
    (
        "relocations",
        (".rel", ".got", ".plt.got", "__got", "__la_sym", "__nl_sym", "__auth_got", ".idata", ".edata"),
    ),
    ("symbols", (".symtab", ".dynsym", ".gnu.hash", ".hash", ".gnu.version", ".gopclntab", "__gopclntab")),
    (
        "strings",
        (
            ".strtab",
            ".dynstr",
            ".shstrtab",
            ".rodata.str",
            ".comment",
            "__cstring",
            "__objc_meth",
            "__ustring",
        ),
    ),
    ("resources", (".rsrc",)),
)
"""Kind -> beginnings of section names, in this order."""

_MOST = 256
_MACHINE_CODE = 0x80000400
"""Mach-O: the section holds only, or some, instructions."""


class Section(NamedTuple):
    """A part of an executable's file."""

    name: str
    start: int
    """Its first byte in the file."""
    bytes: int
    kind: str
    """One of SECTION_KINDS."""

    def place(self, base: int) -> tuple[str, int]:
        """Returns name with kind, and the first byte as counted from ``base``."""
        return f"{self.name or 'unnamed'} ({self.kind})", self.start - base


def sections(data: bytes) -> list[Section]:
    """Returns the sections with bytes in the file, by offset; none where there is no header."""
    readers = {b"\x7fELF": _elf, b"MZ": _pe, b"\xcf\xfa\xed\xfe": _mach_o}
    reader = next((reader for magic, reader in readers.items() if data.startswith(magic)), None)
    if reader is None:
        return []
    try:
        found = reader(data)
    except (struct.error, IndexError, ValueError, OverflowError):
        return []
    return sorted(
        (one for one in found if one.bytes and 0 < one.start < len(data)), key=lambda one: one.start
    )


def section_kind(name: str, *, executable: bool, writable: bool) -> str:
    """Returns the kind of a section by its name, else by what may be done with its bytes.

    Example:
        >>> section_kind(".eh_frame", executable=False, writable=False)
        'unwinding'
        >>> section_kind(".text.hot", executable=True, writable=False)
        'code'
    """
    if not executable:
        for kind, beginnings in _NAMED:
            if name.startswith(beginnings):
                return kind
    if executable:
        return "code"
    if writable or name in (".data", "__data"):
        return "data"
    return "other" if name.startswith((".note", ".modinfo", ".go.build", "__info")) else "read-only data"


def code_section(data: bytes) -> int:
    """Returns where the machine code begins; 0 where that is not known."""
    return next((start for name, start, *_ in sections(data) if name in (".text", "__text")), 0)


def _elf(data: bytes) -> list[Section]:
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    table = struct.unpack_from(order + ("Q" if wide else "I"), data, 0x28 if wide else 0x20)[0]
    size, count, names = struct.unpack_from(order + "HHH", data, 0x3A if wide else 0x2E)
    entries = []
    for at in range(min(count, _MOST)):
        base = table + at * size
        name, kind = struct.unpack_from(order + "II", data, base)
        flags = struct.unpack_from(order + ("Q" if wide else "I"), data, base + 8)[0]
        start, length = struct.unpack_from(
            order + ("QQ" if wide else "II"), data, base + (24 if wide else 16)
        )
        entries.append((name, kind, start, length, flags))
    strings = entries[names][2]
    return [
        _section(_text(data, strings + name), start, length, flags & 4, flags & 1)
        for name, kind, start, length, flags in entries
        if kind != 8
    ]


def _pe(data: bytes) -> list[Section]:
    header = struct.unpack_from("<I", data, 0x3C)[0]
    if data[header : header + 4] != b"PE\0\0":
        return []
    count, optional = struct.unpack_from("<H12xH", data, header + 6)
    first = header + 24 + optional
    found = []
    for at in range(min(count, _MOST)):
        name, length, start = struct.unpack_from("<8s8xII", data, first + 40 * at)
        flags = struct.unpack_from("<I", data, first + 40 * at + 36)[0]
        found.append(_section(_name(name), start, length, flags & 0x20000000, flags & 0x80000000))
    return found


def _mach_o(data: bytes) -> list[Section]:
    count = struct.unpack_from("<I", data, 16)[0]
    at, found = 32, []
    for _ in range(min(count, _MOST)):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x19:  # LC_SEGMENT_64
            inside = min(struct.unpack_from("<I", data, at + 64)[0], _MOST)
            for number in range(inside):
                base = at + 72 + 80 * number
                length, start = struct.unpack_from("<QI", data, base + 40)
                flags = struct.unpack_from("<I", data, base + 64)[0]
                writable = (
                    data[base + 16 : base + 22] == b"__DATA" and data[base + 22 : base + 28] != b"_CONST"
                )
                name = _name(data[base : base + 16])
                found.append(_section(name, start, length, flags & _MACHINE_CODE, writable))
        at += max(size, 8)
    return found


def _section(name: str, start: int, size: int, executable: int, writable: int) -> Section:
    kind = section_kind(name, executable=bool(executable), writable=bool(writable))
    return Section(name, start, size, kind)


def _text(data: bytes, at: int) -> str:
    return _name(data[at : at + 64])


def _name(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("ascii", "backslashreplace")
