"""Parses executables in a limited child process: a hostile file costs a row that says so, never a hang.

Invariant: every file yields a layout or a named reason within the wall-clock limit; one child serves many
files, and one that dies or overruns is ended and replaced. What it says is checked against the bytes there
are. Nothing of a file is executed, and nothing is written to disk.
"""

import contextlib
import json
import select
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import MissingExtraError
from tokforge.inputs import ByteView
from tokforge.metrics.sections import section_kind

__all__ = ["Disassembly", "Layout", "Limits", "Parser", "Region", "Unparsed"]

_PROGRAM = Path(__file__).with_name("_parser.py")
_MOST_ANSWER_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one file may cost the child."""

    wall_seconds: float = 20.0
    cpu_seconds: int = 15
    memory_bytes: int = 3 << 30
    """Address space of the child, its libraries included."""


@dataclass(frozen=True, slots=True)
class Region:
    """A section within the bytes of its file."""

    name: str
    start: int
    end: int
    kind: str
    """One of `tokforge.metrics.sections.SECTION_KINDS`."""


@dataclass(frozen=True, slots=True)
class Disassembly:
    """The instructions of one region of code."""

    start: int
    size: int
    starts: npt.NDArray[np.bool_]
    """(size + 1,) - whether an instruction starts at this byte."""
    ends: npt.NDArray[np.bool_]
    """(size + 1,) - whether one ends before this byte."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What an executable's headers say."""

    platform: str
    """Format and architecture: ``ELF X86_64``."""
    file_kind: str
    """executable, shared library, object, bytecode or other."""
    regions: tuple[Region, ...]
    code: tuple[Disassembly, ...]


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Why a file has no layout."""

    reason: str


class Parser:
    """A context in which `read` parses one file after another.

    Raises MissingExtraError on entry where lief or capstone is not installed.
    """

    def __init__(self, limits: Limits | None = None, *, code_bytes: int = 0) -> None:
        self._limits, self._code_bytes = limits or Limits(), code_bytes
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Parser":
        for name in ("lief", "capstone"):
            if find_spec(name) is None:
                raise MissingExtraError(
                    f"{name} is not installed", "run: pip install 'tokforge[binary]'", "binary"
                )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._end()

    def read(self, data: ByteView) -> Layout | Unparsed:
        """Returns the layout of an executable's bytes, or why there is none."""
        child = self._started()
        deadline = monotonic() + self._limits.wall_seconds
        try:
            self._ask(child, data)
            head, blocks = self._hear(child, deadline)
        except TimeoutError:
            self._end()
            return Unparsed(f"over {self._limits.wall_seconds:g} s")
        except (EOFError, BrokenPipeError):
            return Unparsed(self._cause())
        return _checked(head, blocks, len(data))

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child is None:
            limits = [str(self._limits.memory_bytes), str(self._limits.cpu_seconds)]
            command = [sys.executable, "-I", str(_PROGRAM), *limits]
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        return self._child

    def _ask(self, child: "subprocess.Popen[bytes]", data: ByteView) -> None:
        stream: Any = child.stdin
        view = memoryview(struct.pack("<QQ", len(data), self._code_bytes) + bytes(data))
        while view:
            # The child takes a request in whole before it looks at it: this cannot wait for a parser.
            view = view[stream.write(view) :]

    def _hear(self, child: "subprocess.Popen[bytes]", deadline: float) -> tuple[dict[str, Any], list[bytes]]:
        size = struct.unpack("<Q", _read(child, 8, deadline))[0]
        head = json.loads(_read(child, size, deadline))
        return head, [_read(child, 5 * count, deadline) for _, _, count in head.get("disassembled", [])]

    def _cause(self) -> str:
        """Ends what is left of a child that closed its pipe, and says what it died of."""
        code = self._child.wait(5) if self._child else 0
        self._end()
        if code == -signal.SIGXCPU:
            return f"over {self._limits.cpu_seconds} s of processor time"
        return (
            f"the parser died: {signal.Signals(-code).name}" if code < 0 else f"the parser ended with {code}"
        )

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        child.wait()


def _read(child: "subprocess.Popen[bytes]", size: int, deadline: float) -> bytes:
    """Reads exactly ``size`` bytes; TimeoutError after the deadline, EOFError if the child is gone."""
    if size > _MOST_ANSWER_BYTES:
        raise TimeoutError
    stream: Any = child.stdout
    parts = []
    while size:
        if not select.select([stream], [], [], max(0.0, deadline - monotonic()))[0]:
            raise TimeoutError
        part = stream.read(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _checked(head: dict[str, Any], blocks: list[bytes], size: int) -> Layout | Unparsed:
    """Returns the answer with every section cut to the bytes there are."""
    if "unparsed" in head:
        return Unparsed(head["unparsed"])
    regions = []
    for name, start, length, flags, kind in head["sections"]:
        end = min(start + length, size)
        if 0 <= start < end:
            named = kind or section_kind(name, executable=bool(flags & 1), writable=bool(flags & 2))
            regions.append(Region(name, start, end, named))
    if not regions:
        return Unparsed("malformed: no section lies within the file")
    spans = zip(head.get("disassembled", []), blocks, strict=True)
    code = tuple(_disassembly(start, length, block) for (start, length, _), block in spans)
    return Layout(f"{head['format']} {head['architecture']}", head["file_kind"], tuple(regions), code)


def _disassembly(start: int, size: int, block: bytes) -> Disassembly:
    count = len(block) // 5
    at = np.frombuffer(block, "<u4", count).astype(np.int64)
    ends = at + np.frombuffer(block, np.uint8, count, 4 * count)
    masks = np.zeros((2, size + 1), bool)
    masks[0, at], masks[1, np.minimum(ends, size)] = True, True
    return Disassembly(start, size, masks[0], masks[1])
