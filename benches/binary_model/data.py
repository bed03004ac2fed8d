"""Regions of executables with their architecture and toolchain: what small models learn and are judged on.

Training regions come from ``binaries-large``, judging ones from ``binaries-heldout``: no package is in both,
and near-duplicates across the two were removed when the corpora were made. Files of the first that a hash
picks stay out of training; the learning rates are chosen on them.
"""

import hashlib
import json
import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tokforge_corpora import FetchedCorpus, fetch

REGION_BYTES = 1024
SKIPPED_BYTES = 4096
"""The first page of a file is never drawn: its header names the architecture."""
PER_GROUP = {"train": 1200, "choose": 60, "judge": 200}
"""Regions of each platform; a platform with fewer packages gives what it has, at most 40 of one file."""
PER_FILE = 40
LEFT_OUT = ("firmware",)
"""Groups whose files have no one architecture."""

ELF = {3: "x86", 8: "mips", 22: "s390x", 40: "arm", 62: "x86-64", 183: "arm64", 243: "riscv64"}
PE = {0x14C: "x86", 0x8664: "x86-64", 0xAA64: "arm64"}
MACH_O = {0x01000007: "x86-64", 0x0100000C: "arm64"}
TOOLCHAINS = (
    # In this order: a Go or Rust program also holds the name of the C compiler of its runtime.
    ("go", re.compile(rb"Go buildinf:|Go build ID:")),
    ("rust", re.compile(rb"rustc version|/rustc/[0-9a-f]{40}")),
    ("clang", re.compile(rb"clang version \d|Apple clang|Android \(\d+.{0,40}clang")),
    ("gcc", re.compile(rb"GCC: \(")),
)
USUAL = {"debian": "gcc", "macos": "clang"}
"""The compiler of files that name none, by the group's first word: Debian strips it, Mach-O has none."""
NEVER_TRAINED = "go"
"""``binaries-large`` holds no Go program, so its regions in the judging part carry no toolchain label."""
EVIDENCE = re.compile(rb"Go build|rustc|clang|GCC: |Rich|Mingw|MSVC|\bgo1\.", re.IGNORECASE)
"""A region that says its toolchain in words is left out: it would be a test of reading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a region comes from, and its labels; ``toolchain`` is empty where the file does not tell."""

    part: str
    group: str
    package: str
    file: str
    architecture: str
    toolchain: str


def load(folder: Path) -> tuple[np.ndarray, list[Origin]]:
    """Returns the regions (count, REGION_BYTES) and their origins, drawn once and kept in ``folder``."""
    path = folder / "regions.npz"
    if not path.exists():
        _write(path)
    with np.load(path) as stored:
        return stored["regions"], [Origin(**one) for one in json.loads(bytes(stored["origins"]))]


def architecture(data: bytes) -> str:
    """Returns what the header says; empty where there is none that we know."""
    if data[:4] == b"\x7fELF":
        return ELF.get(struct.unpack_from("<H" if data[5] == 1 else ">H", data, 18)[0], "")
    if data[:2] == b"MZ":
        header = struct.unpack_from("<I", data, 60)[0]
        return PE.get(struct.unpack_from("<H", data, header + 4)[0], "")
    if data[:4] == b"\xcf\xfa\xed\xfe":
        return MACH_O.get(struct.unpack_from("<I", data, 4)[0], "")
    return "dalvik" if data[:4] == b"dex\n" else ""


def toolchain(data: bytes, group: str) -> str:
    """Returns the compiler that the file names, or the group's; a Rich header is of Microsoft's linker."""
    named = next((name for name, pattern in TOOLCHAINS if pattern.search(data)), "")
    if not named and data[:2] == b"MZ" and b"Rich" in data[:1024]:
        return "msvc"
    return "" if named == NEVER_TRAINED else named or USUAL.get(group.split("-")[0], "")


def _write(path: Path) -> None:
    regions: list[bytes] = []
    origins: list[Origin] = []
    for name, parts in (("binaries-large", ("train", "choose")), ("binaries-heldout", ("judge",))):
        for data, origin in _drawn(fetch(name, offline=True), parts):
            regions.append(data)
            origins.append(origin)
    table = np.frombuffer(b"".join(regions), np.uint8).reshape(-1, REGION_BYTES)
    stored = np.frombuffer(json.dumps([asdict(one) for one in origins]).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, regions=table, origins=stored)


def _drawn(corpus: FetchedCorpus, parts: tuple[str, ...]) -> Iterator[tuple[bytes, Origin]]:
    """Yields regions, package after package in turn, so that a large package is no large share."""
    piles: defaultdict[tuple[str, str], defaultdict[str, list[tuple[bytes, Origin]]]]
    piles = defaultdict(lambda: defaultdict(list))
    for group, name, data in corpus.documents():
        kind = architecture(data) if group not in LEFT_OUT else ""
        if not kind:
            continue
        package, digest = _package(group, name), hashlib.sha256(data).digest()
        draw = np.random.default_rng(list(digest))
        part = parts[-1] if digest[0] % 8 == 0 else parts[0]
        origin = Origin(
            part=part,
            group=group,
            package=package,
            file=f"{group}/{name}",
            architecture=kind,
            toolchain=toolchain(data, group),
        )
        piles[part, group][package] += [(one, origin) for one in _regions(data, draw)]
    for (part, _), packages in piles.items():
        queues = [_shuffled(pile, package) for package, pile in sorted(packages.items())]
        yield from _in_turn(queues, PER_GROUP[part])


def _package(group: str, name: str) -> str:
    """Returns the unit of the split: the package; of the kernel, whose modules are one, the module."""
    return name.rsplit("/", 1)[-1].split("-")[0] if group == "linux-kernel" else name.split("/", 1)[0]


def _regions(data: bytes, draw: np.random.Generator) -> Iterator[bytes]:
    spread = len(data) - SKIPPED_BYTES - REGION_BYTES
    if spread <= 0:
        return
    for start in draw.integers(0, spread, PER_FILE) + SKIPPED_BYTES:
        region = data[start : start + REGION_BYTES]
        if region.count(0) < REGION_BYTES // 2 and not EVIDENCE.search(region):
            yield region


def _shuffled(pile: list[tuple[bytes, Origin]], package: str) -> list[tuple[bytes, Origin]]:
    draw = np.random.default_rng(list(hashlib.sha256(package.encode()).digest()))
    return [pile[at] for at in draw.permutation(len(pile))]


def _in_turn(queues: list[list[tuple[bytes, Origin]]], most: int) -> Iterator[tuple[bytes, Origin]]:
    taken = 0
    while taken < most and any(queues):
        for queue in queues:
            if queue and taken < most:
                taken += 1
                yield queue.pop()
