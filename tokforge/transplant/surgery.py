"""Writes a model's folder with a new tokenizer: the files that hold rows anew, all others as they are.

Invariant: everything is written into a folder of a temporary name beside the target, checked there, and
renamed at the end, so no reader ever sees half a model. Tensors without rows are copied byte for byte.
Memory: the matrices that a method needs, and one block.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tokforge.errors import OutputError
from tokforge.outputs import output_error
from tokforge.transplant.checkpoint import INDEX, Checkpoint, read_json
from tokforge.transplant.settings import Settings
from tokforge.transplant.tensor_file import Array, TensorFile, write_file

__all__ = ["TensorWriter", "check_folder", "staged_folder", "write_model"]

_WEIGHTS = (
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".h5",
    ".msgpack",
    ".onnx",
    ".gguf",
    ".ot",
    ".tflite",
    ".index.json",
)
"""Other weights, of the old vocabulary, and their indexes."""
_FOLDERS = ("onnx", "openvino", "original", ".git", ".cache")


def check_folder(folder: Path, model: Path, *others: str | Path | None, force: bool) -> None:
    """Raises OutputError if ``folder`` could not be put in place: it exists, is the model or holds another
    input, or has no parent.
    """
    target = Path(os.path.realpath(folder))
    source = Path(os.path.realpath(model))
    if target == source or target in source.parents or source in target.parents:
        raise OutputError("would destroy or lie within the model itself", "name another folder", str(folder))
    for other in others:
        if other and {target} & {(place := Path(os.path.realpath(other))), *place.parents}:
            raise OutputError(f"would destroy {other}, an input", "name another folder", str(folder))
    if target.exists() and not target.is_dir():
        raise OutputError("is a file", "name a folder", str(folder))
    if target.exists() and any(target.iterdir()) and not force:
        raise OutputError("exists already", "add --force to replace it, or choose another name", str(folder))
    if not target.parent.is_dir():
        raise OutputError(
            "its parent folder does not exist", f"create it first: mkdir -p {target.parent}", str(folder)
        )
    try:
        probe = target.parent / _temporary()
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise output_error(error, folder) from error


@contextmanager
def staged_folder(folder: Path) -> Iterator[tuple[Path, Callable[[], object]]]:
    """Yields a new folder beside ``folder`` that takes its place when the block ends, and ``discard``.

    It vanishes if the block fails, or has called ``discard``; then what was there before is untouched.
    """
    target = Path(os.path.realpath(folder))
    staged, old = target.parent / _temporary(), target.parent / _temporary()
    try:
        staged.mkdir()
        yield staged, lambda: shutil.rmtree(staged)
        if staged.exists():
            if target.exists():
                target.rename(old)
            staged.rename(target)
    except OSError as error:
        raise output_error(error, folder) from error
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        for leftover in (staged, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _temporary() -> str:
    return f".tokforge-{secrets.token_hex(6)}.tmp"


class TensorWriter(Protocol):
    """Gives a tensor's new content, in its stored type."""

    def shape(self, old: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the new shape of a tensor that had the shape ``old``."""

    def blocks(self) -> Iterator[Array]:
        """Yields the content, block by block."""


def write_model(
    checkpoint: Checkpoint, writers: Mapping[str, TensorWriter], settings: Settings, folder: Path
) -> None:
    """Writes the whole model into ``folder``; ``writers`` gives each tensor that is not copied."""
    _copy_rest(checkpoint, settings, folder)
    total = 0
    for file in checkpoint.files:
        mine = {name: writer for name, writer in writers.items() if name in file.tensors}
        if mine:
            _write_tensors(file, mine, folder / file.path.name)
        else:
            shutil.copyfile(file.path, folder / file.path.name)
        total += sum(tensor.size for tensor in TensorFile.open(folder / file.path.name).tensors.values())
    if (checkpoint.folder / INDEX).is_file():
        index = read_json(checkpoint.folder / INDEX)
        index["metadata"] = {**index.get("metadata", {}), "total_size": total}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")
    for name, content in settings.files.items():
        (folder / name).write_bytes(content)


def _write_tensors(file: TensorFile, writers: Mapping[str, TensorWriter], path: Path) -> None:
    shapes = {name: writer.shape(file.tensors[name].shape) for name, writer in writers.items()}
    with path.open("wb") as target:
        write_file(file, shapes, lambda name: (block.tobytes() for block in writers[name].blocks()), target)
        target.flush()
        os.fsync(target.fileno())


def _copy_rest(checkpoint: Checkpoint, settings: Settings, folder: Path) -> None:
    written = {file.path.name for file in checkpoint.files} | settings.replaced | set(settings.files)
    for path in sorted(checkpoint.folder.iterdir()):
        name = path.name
        if name in written or name.endswith((*_WEIGHTS, ".safetensors")) or name.startswith("transplant."):
            continue
        if path.is_dir() and name not in _FOLDERS:
            shutil.copytree(path, folder / name, ignore=_ignored)
        elif path.is_file():
            shutil.copyfile(path, folder / name)


def _ignored(_: Any, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(_WEIGHTS)]
