"""A model's folder: its configuration, its tensor files, and which tensors have a row for each token.

Only headers are read here. Invariant: every tensor lies in exactly one file; a tensor that has one row
an id is named, whatever the architecture, by asking transformers for a model without weights. A pickle
checkpoint is refused: unpickling runs what the file says.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokforge.errors import FormatError, InputError
from tokforge.transplant.layout import Layout, find_layout
from tokforge.transplant.tensor_file import Array, TensorFile

__all__ = ["INDEX", "SINGLE", "Checkpoint", "read_json"]

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class Checkpoint:
    """A model folder whose tensors are in safetensors files."""

    folder: Path
    config: Mapping[str, Any]
    files: tuple[TensorFile, ...]
    layout: Layout

    @classmethod
    def open(cls, folder: str | Path) -> "Checkpoint":
        """Reads the headers of a model's folder.

        Raises InputError where there is no model, FormatError where files are cut, malformed or missing,
        MissingExtraError without transformers.
        """
        folder = Path(folder)
        config = read_json(folder / "config.json")
        files = tuple(TensorFile.open(path) for path in _paths(folder))
        _check_whole(folder, files)
        shapes = {name: tensor.shape for file in files for name, tensor in file.tensors.items()}
        return cls(folder, config, files, find_layout(config, shapes, str(folder)))

    @property
    def rows(self) -> int:
        """Rows of the input embedding, padding included."""
        return self.file_of(self.layout.input).tensors[self.layout.input].shape[0]

    @property
    def width(self) -> int:
        """Numbers in a row of the input embedding."""
        return self.file_of(self.layout.input).tensors[self.layout.input].shape[1]

    def file_of(self, name: str) -> TensorFile:
        """Returns the file that holds a tensor."""
        return next(file for file in self.files if name in file.tensors)

    def array(self, name: str) -> Array:
        """Returns a tensor mapped from its file; see `TensorFile.array`."""
        return self.file_of(name).array(name)

    def dtype(self, name: str) -> str:
        """Returns the type of a tensor as safetensors names it."""
        return self.file_of(name).tensors[name].dtype

    def untouched(self) -> Iterator[tuple[TensorFile, str]]:
        """Yields every tensor that has no row for a token."""
        mine = self.layout.names
        yield from ((file, name) for file in self.files for name in file.tensors if name not in mine)


def read_json(path: Path) -> dict[str, Any]:
    """Returns a JSON object. Raises InputError if it cannot be read, FormatError if it is none."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            "give a model's folder: config.json and its weights",
            str(path),
        ) from error
    except ValueError as error:
        raise FormatError(f"this is no JSON: {error}", "restore the file", str(path)) from error
    if not isinstance(content, dict):
        raise FormatError("this is no JSON object", "restore the file", str(path))
    return content


def _paths(folder: Path) -> list[Path]:
    if (folder / INDEX).is_file():
        weights = read_json(folder / INDEX).get("weight_map")
        if not isinstance(weights, dict) or not all(_is_plain(name) for name in weights.values()):
            raise FormatError(
                "weight_map does not map names to files beside it", "restore it", str(folder / INDEX)
            )
        return [folder / name for name in sorted(set(weights.values()))]
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if any(path for pattern in _PICKLES for path in folder.glob(pattern)):
        raise InputError(
            "the weights are a pickle, and reading one runs what it says",
            "convert it to safetensors with a program that its maker provides",
            str(folder),
        )
    raise InputError(
        f"there is no {SINGLE}", "give a model's folder: config.json and its weights", str(folder)
    )


def _is_plain(name: Any) -> bool:
    return isinstance(name, str) and Path(name).name == name and name not in (".", "..")


def _check_whole(folder: Path, files: tuple[TensorFile, ...]) -> None:
    """Every tensor of the index stands in the file that it names: a half-written shard lacks some."""
    if not (folder / INDEX).is_file():
        return
    places = {name: file.path.name for file in files for name in file.tensors}
    for name, place in read_json(folder / INDEX)["weight_map"].items():
        if places.get(name) != place:
            raise FormatError(
                f"{name} should stand in {place}, which lacks it", "fetch the checkpoint again", str(folder)
            )
