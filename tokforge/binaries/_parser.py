"""The child that parses executables: a script of its own, so that a hostile file can end nothing but it.

Started as ``python -I _parser.py MEMORY_BYTES CPU_SECONDS``, it answers requests on standard input until
that ends: 8 bytes of length and 8 of how much code to disassemble, then the file. An answer is 8 bytes of
length and JSON, then for each disassembled region of n instructions 4n bytes, where they start, little-
endian, and n with their sizes. Limits are the operating system's; what LIEF or capstone prints goes
nowhere.
"""

import json
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import lief

MOST_SECTIONS = 4096
"""More are a claim, not a layout."""
EXECUTABLE, WRITABLE = 1, 2
LINK_DATA = ("dyld_info", "dyld_chained_fixups", "dyld_exports_trie", "function_starts")
DEX_KINDS = {
    0x2002: "strings",
    0x2001: "code",
    0x0001: "symbols",
    0x0002: "symbols",
    0x0003: "symbols",
    0x0004: "symbols",
    0x0005: "symbols",
    0x0006: "symbols",
    0x2003: "debug",
}
Section = tuple[str, int, int, int, str]
"""Name, first byte, bytes, flags, and the kind where the format itself says it."""


def main(memory_bytes: int, cpu_seconds: int) -> None:
    """Answers until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    lief.logging.disable()
    _limit_memory(memory_bytes)
    requests = sys.stdin.buffer
    while head := requests.read(16):
        size, code_bytes = struct.unpack("<QQ", head)
        data = requests.read(size)
        _limit_time(cpu_seconds)
        _answer(answers, data, code_bytes)


def _limit_memory(memory_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_time(cpu_seconds: int) -> None:
    """Gives the next file so many seconds of processor time; beyond them the system ends the child."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (used + 1 + cpu_seconds, hard))


def _answer(answers: BinaryIO, data: bytes, code_bytes: int) -> None:
    blocks: list[bytes] = []
    try:
        found = layout(data)
        if "sections" in found and code_bytes:
            found["disassembled"] = []
            for start, size, block in _instructions(data, found, code_bytes):
                found["disassembled"].append([start, size, len(block) // 5])
                blocks.append(block)
    except MemoryError:
        found, blocks = {"unparsed": "out of memory"}, []
    except Exception as error:  # whatever a parser meets in a hostile file; the parent names it
        found, blocks = {"unparsed": f"malformed: {type(error).__name__}"}, []
    text = json.dumps(found).encode()
    answers.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))
    answers.flush()


def layout(data: bytes) -> dict[str, Any]:
    """Returns format, architecture, file kind and sections, or why there are none."""
    if data[:4] == b"dex\n":
        return {
            "format": "DEX",
            "architecture": "dalvik",
            "file_kind": "bytecode",
            "sections": list(_dex(data)),
        }
    if data[:4] not in (b"\x7fELF", *_MACH_O) and data[:2] != b"MZ":
        return {"unparsed": "not an executable"}
    parsed = lief.MachO.parse(data) if data[:4] in _MACH_O else lief.parse(data)
    if parsed is None:
        return {"unparsed": "malformed: LIEF reads no executable"}
    if data[:4] in _MACH_O:
        return _mach_o(parsed)
    return _elf(parsed) if data[:4] == b"\x7fELF" else _pe(parsed)


_MACH_O = (
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
)


def _elf(parsed: Any) -> dict[str, Any]:
    kinds = {
        "DYN": "executable" if parsed.has_interpreter else "shared library",
        "REL": "object",
        "EXEC": "executable",
    }
    return {
        "format": "ELF",
        "architecture": _name(parsed.header.machine_type),
        "file_kind": kinds.get(_name(parsed.header.file_type), "other"),
        "sections": _few(_elf_sections(parsed)) or _few(_elf_segments(parsed)),
    }


def _elf_sections(parsed: Any) -> Iterator[Section]:
    roles = {
        "STRTAB": "strings",
        "SYMTAB": "symbols",
        "DYNSYM": "symbols",
        "REL": "relocations",
        "RELA": "relocations",
    }
    for one in parsed.sections:
        role = _name(one.type)
        if role not in ("NOBITS", "SHT_NULL_"):
            flags = int(one.flags)
            bits = (EXECUTABLE if flags & 4 else 0) | (WRITABLE if flags & 1 else 0)
            yield _text(one.name), one.file_offset, one.size, bits, roles.get(role, "")


def _elf_segments(parsed: Any) -> Iterator[Section]:
    """What stays of a program without a section table."""
    for one in parsed.segments:
        flags = int(one.flags)
        bits = (EXECUTABLE if flags & 1 else 0) | (WRITABLE if flags & 2 else 0)
        yield _name(one.type), one.file_offset, one.physical_size, bits, ""


def _pe(parsed: Any) -> dict[str, Any]:
    sections = (
        (
            _text(one.name),
            one.offset,
            one.size,
            (EXECUTABLE if one.characteristics & 0x20000000 else 0)
            | (WRITABLE if one.characteristics >> 31 else 0),
            "",
        )
        for one in parsed.sections
    )
    library = int(parsed.header.characteristics) & 0x2000
    return {
        "format": "PE",
        "architecture": _name(parsed.header.machine),
        "file_kind": "shared library" if library else "executable",
        "sections": _few(sections),
    }


def _mach_o(slices: Any) -> dict[str, Any]:
    parsed = list(slices)
    if not parsed:
        return {"unparsed": "malformed: a Mach-O file without a slice"}
    kinds = {
        "EXECUTE": "executable",
        "DYLIB": "shared library",
        "BUNDLE": "shared library",
        "OBJECT": "object",
    }
    return {
        "format": "Mach-O",
        "architecture": "+".join(dict.fromkeys(_name(one.header.cpu_type) for one in parsed)),
        "file_kind": kinds.get(_name(parsed[0].header.file_type), "other"),
        "sections": _few(section for one in parsed for section in _mach_o_sections(one)),
    }


def _mach_o_sections(parsed: Any) -> Iterator[Section]:
    base = parsed.fat_offset
    for one in parsed.sections:
        if one.offset:
            code = int(one.flags) & 0x80000400
            bits = (EXECUTABLE if code else 0) | (WRITABLE if one.segment_name.startswith("__DATA") else 0)
            yield _text(one.name), base + one.offset, one.size, bits, ""
    for name in LINK_DATA:
        if (one := getattr(parsed, name, None)) is not None and hasattr(one, "data_offset"):
            yield name, base + one.data_offset, one.data_size, 0, "relocations"
    if parsed.has_dyld_info:
        for part in ("rebase", "bind", "weak_bind", "lazy_bind", "export"):
            start, size = getattr(parsed.dyld_info, part + "_info" if part == "export" else part)
            yield part, base + start, size, 0, "relocations"
    if parsed.has_symbol_command:
        table = parsed.symbol_command
        yield "symbol table", base + table.symbol_offset, 16 * table.numberof_symbols, 0, "symbols"
        yield "string table", base + table.strings_offset, table.strings_size, 0, "strings"


def _dex(data: bytes) -> Iterator[Section]:
    """Reads the map list (Android's dex format): an item reaches to the next one."""
    at = struct.unpack_from("<I", data, 0x34)[0]
    count = min(struct.unpack_from("<I", data, at)[0], MOST_SECTIONS)
    items = sorted(struct.unpack_from("<HHII", data, at + 4 + 12 * i)[::3] for i in range(count))
    starts = sorted((start, kind) for kind, start in items)
    for (start, kind), (end, _) in zip(starts, [*starts[1:], (len(data), 0)], strict=True):
        yield f"{kind:#06x}", start, end - start, 0, DEX_KINDS.get(kind, "read-only data")


def _few(sections: Iterator[Section]) -> list[Section]:
    found: list[Section] = []
    for one in sections:
        if len(found) == MOST_SECTIONS:
            raise ValueError("too many sections")
        found.append(one)
    return found


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))


def _text(name: Any) -> str:
    return str(name)[:64] if isinstance(name, str) else bytes(name)[:64].decode("ascii", "backslashreplace")


def _instructions(data: bytes, found: dict[str, Any], code_bytes: int) -> Iterator[tuple[int, int, bytes]]:
    """Yields start, size and instructions of each executable section, up to ``code_bytes`` in all."""
    machine = _machine(found["architecture"])
    for name, start, size, flags, _ in found["sections"]:
        end = min(start + size, len(data), start + code_bytes)
        if machine is None or not flags & EXECUTABLE or not name.endswith("text") or end <= start:
            continue
        code_bytes -= end - start
        # skipdata steps over what is no instruction and calls it .byte.
        read = [one for one in machine.disasm_lite(data[start:end], start) if one[2] != ".byte"]
        places = struct.pack(f"<{len(read)}I", *(one[0] - start for one in read))
        yield start, end - start, places + bytes(one[1] for one in read)


def _machine(architecture: str) -> Any:
    import capstone as c

    known = {
        "X86_64": (c.CS_ARCH_X86, c.CS_MODE_64),
        "AMD64": (c.CS_ARCH_X86, c.CS_MODE_64),
        "I386": (c.CS_ARCH_X86, c.CS_MODE_32),
        "X86": (c.CS_ARCH_X86, c.CS_MODE_32),
        "AARCH64": (c.CS_ARCH_ARM64, c.CS_MODE_ARM),
        "ARM64": (c.CS_ARCH_ARM64, c.CS_MODE_ARM),
        "RISCV": (c.CS_ARCH_RISCV, c.CS_MODE_RISCV64 | c.CS_MODE_RISCVC),
        "MIPS": (c.CS_ARCH_MIPS, c.CS_MODE_MIPS64 | c.CS_MODE_LITTLE_ENDIAN),
        "S390": (c.CS_ARCH_SYSZ, c.CS_MODE_BIG_ENDIAN),
    }
    # 32-bit ARM mixes two instruction sets, told apart by symbols that stripping removes.
    if architecture not in known:
        return None
    machine = c.Cs(*known[architecture])
    machine.skipdata = True
    return machine


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
