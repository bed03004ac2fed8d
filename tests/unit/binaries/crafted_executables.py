"""Executables made on the spot: just enough of ELF, PE, Mach-O and DEX for a parser to find sections."""

import struct

CODE = bytes.fromhex("554889e5 4883ec10 c745fc00000000 8b45fc c9 c3".replace(" ", "")) * 16
"""x86-64: push, mov, sub, mov, mov, leave, ret - 18 bytes in 7 instructions, 16 times."""
LENGTHS = (1, 3, 4, 7, 3, 1, 1)


def elf(*, claimed: int | None = None) -> bytes:
    """Returns a shared library for x86-64: .text, .rodata, .rela.dyn, .shstrtab."""
    names = b"\0.text\0.rodata\0.rela.dyn\0.shstrtab\0"
    parts = [(b".text", 1, 6, CODE), (b".rodata", 1, 2, b"hello\0world\0" * 4 + bytes(64))]
    parts += [(b".rela.dyn", 4, 2, bytes(range(48))), (b".shstrtab", 3, 0, names)]
    rows, at = [struct.pack("<IIQQQQIIQQ", *[0] * 10)], 64 + 64 * 5
    for name, kind, flags, data in parts:
        place = names.index(b"\0" + name + b"\0") + 1
        rows.append(struct.pack("<IIQQQQIIQQ", place, kind, flags, at, at, len(data), 0, 0, 1, 0))
        at += len(data)
    count = claimed if claimed is not None else len(rows)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, 64, 0, 64, 56, 0, 64, count, 4)
    return header + b"".join(rows) + b"".join(data for *_, data in parts)


def pe(*, claimed: int = 2) -> bytes:
    """Returns a DLL for x86-64 with .text and .rdata."""
    optional = struct.pack("<HBB9I", 0x20B, 14, 0, 512, 512, 0, 0x1000, 0x1000, 0, 0x80000000, 1, 0x1000)
    optional += struct.pack(
        "<I6H4IHH4Q2I", 512, 6, 0, 0, 0, 6, 0, 0, 0x3000, 512, 0, 3, 0, *[4096] * 4, 0, 16
    )
    optional = optional.ljust(240, b"\0")
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, claimed, 0, 0, 0, len(optional), 0x2022) + optional
    for name, at, flags in ((b".text", 512, 0x60000020), (b".rdata", 1024, 0x40000040)):
        head += name.ljust(8, b"\0") + struct.pack("<6I2HI", 512, at + 3584, 512, at, 0, 0, 0, 0, flags)
    return head.ljust(512, b"\0") + CODE.ljust(512, b"\xcc") + b"read only".ljust(512, b"\x01")


def mach_o() -> bytes:
    """Returns a bundle for x86-64 with __text and __cstring."""
    sections = b""
    for name, at, flags in ((b"__text", 512, 0x80000400), (b"__cstring", 1024, 2)):
        sections += name.ljust(16, b"\0") + b"__TEXT".ljust(16, b"\0")
        sections += struct.pack("<QQ8I", at, 512, at, 0, 0, 0, flags, 0, 0, 0)
    segment = b"__TEXT".ljust(16, b"\0") + struct.pack("<4Q4I", 0, 1536, 0, 1536, 5, 5, 2, 0) + sections
    command = struct.pack("<II", 0x19, 8 + len(segment)) + segment
    header = struct.pack("<8I", 0xFEEDFACF, 0x01000007, 3, 8, 1, len(command), 0, 0)
    return (header + command).ljust(512, b"\0") + CODE.ljust(512, b"\x90") + b"a string\0".ljust(512, b"b")


def dex(*, claimed: int = 3) -> bytes:
    """Returns a DEX file whose map list names a header, code and strings."""
    items = struct.pack("<I", claimed)
    for kind, at in ((0, 0), (0x2001, 200), (0x2002, 400)):
        items += struct.pack("<HHII", kind, 0, 1, at)
    head = b"dex\n035\0".ljust(0x34, b"\0") + struct.pack("<I", 112)
    return (head.ljust(112, b"\0") + items).ljust(200, b"\0") + b"\x12" * 200 + b"Ljava/lang/Object;\0" * 10
