"""The main job on what any machine has: learn from its own executables, judge on some held out."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.bpe.config import BpeConfig
from tokforge.bpe.training import BpeResult, train
from tokforge.errors import InputError
from tokforge.inputs import Progress
from tokforge.tokenizer import Tokenizer, printable

__all__ = ["HELD_OUT_EVERY", "SIZES", "Demo", "find_executables", "run_demo"]

SIZES = (512, 1024, 2048, 4096)
HELD_OUT_EVERY = 8
_MAGICS = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_SYSTEM_FOLDERS = ("/usr/bin", "/usr/lib", "/usr/local/bin", "/usr/local/lib", "C:/Windows/System32")


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """What the demonstration learned."""

    result: BpeResult
    trained_files: int
    held_out_files: int
    bytes_per_token: dict[int, tuple[float, float]]
    """By vocabulary size: on the files trained on, and on the files held out."""
    examples: dict[str, list[str]]
    """Tokens by what they are, the earliest learned first, in readable form."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        return {
            "trained_files": self.trained_files,
            "held_out_files": self.held_out_files,
            "corpus_bytes": self.result.corpus_bytes,
            "seconds": self.result.seconds,
            "peak_memory_bytes": self.result.peak_memory_bytes,
            "bytes_per_token": {
                str(size): {"trained": trained, "held_out": held_out}
                for size, (trained, held_out) in self.bytes_per_token.items()
            },
            "examples": self.examples,
        }


def run_demo(*, limit_bytes: int, progress: Progress | None = None) -> Demo:
    """Trains on up to ``limit_bytes`` of executables found on this machine.

    Raises InputError where there are none.
    """
    # No file may be more than an eighth of the corpus: one program is not what programs are like.
    files = _up_to(find_executables(_folders(), longest_bytes=limit_bytes // 8), limit_bytes)
    held_out = files[::HELD_OUT_EVERY]
    trained = [file for file in files if file not in set(held_out)]
    if not trained:
        raise InputError(
            "no executables were found", "train on files of your own: tokforge train-bpe FILE..."
        )
    config = BpeConfig(preset="binary", vocab_size=max(SIZES), family=SIZES)
    result = train(trained, config, progress=progress)
    return Demo(
        result=result,
        trained_files=len(trained),
        held_out_files=len(held_out),
        bytes_per_token={
            size: (_bytes_per_token(tokenizer, trained), _bytes_per_token(tokenizer, held_out))
            for size, tokenizer in result.family.items()
        },
        examples=_examples(result.tokenizer),
    )


def find_executables(folders: Iterable[Path], *, longest_bytes: int) -> Iterator[Path]:
    """Yields files of up to ``longest_bytes`` that start as executables do, once each, in a stable order."""
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        for parent, children, names in os.walk(folder):
            children.sort()
            for path in sorted(Path(parent, name) for name in names):
                if _is_executable(path):
                    stat = path.stat()
                    if (stat.st_dev, stat.st_ino) not in seen and stat.st_size <= longest_bytes:
                        seen.add((stat.st_dev, stat.st_ino))
                        yield path


def _folders() -> list[Path]:
    candidates = [Path(sys.prefix), Path(sys.base_prefix), *map(Path, _SYSTEM_FOLDERS)]
    return [folder for folder in candidates if folder.is_dir()]


def _is_executable(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(4).startswith(_MAGICS)
    except OSError:
        return False  # not ours to read, and there are others


def _up_to(files: Iterable[Path], limit_bytes: int) -> list[Path]:
    """Takes files in turn until the next one would pass the limit."""
    taken: list[Path] = []
    left = limit_bytes
    for file in files:
        left -= file.stat().st_size
        if left < 0:
            break
        taken.append(file)
    return taken


def _bytes_per_token(tokenizer: Tokenizer, files: Iterable[Path]) -> float:
    read = tokens = 0
    for file in files:
        data = file.read_bytes()
        read += len(data)
        tokens += len(tokenizer.encode(data))
    return read / max(tokens, 1)


def _examples(tokenizer: Tokenizer, each: int = 8) -> dict[str, list[str]]:
    kinds: dict[str, list[bytes]] = {"padding": [], "text": [], "UTF-16 text": [], "code and data": []}
    for _, _, merged in tokenizer.merges:
        token = tokenizer.token_bytes(merged)
        if 4 <= len(token) <= 12:
            kinds[_kind(token)].append(token)
    return {kind: [printable(token) for token in tokens[:each]] for kind, tokens in kinds.items()}


def _kind(token: bytes) -> str:
    values = np.frombuffer(token, np.uint8)
    if len(set(token)) == 1:
        return "padding"
    if all(32 <= byte < 127 for byte in token):
        return "text"
    low, high = values[::2], values[1::2]
    if not high.any() and ((low >= 32) & (low < 127)).all():
        return "UTF-16 text"
    return "code and data"
