"""The matrices of a checkpoint that have one row a token, read block by block.

Invariant: no more than a block of a matrix is in memory, whatever the model; nothing is run or unpickled. A
folder of safetensors is read through `tokforge.transplant.Checkpoint`, a GGUF file by `gguf`, dequantised.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import FormatError, MissingExtraError
from tokforge.tokenizer.locations import locate_model
from tokforge.transplant import Checkpoint
from tokforge.transplant.tensor_file import as_float32

__all__ = ["Matrix", "ModelRows", "open_model"]

Floats = npt.NDArray[np.float32]
_BLOCK = 4 << 20
"""Numbers of a block: 16 MiB as float32."""
_INPUT, _OUTPUT = "token_embd.weight", "output.weight"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of ``rows`` rows of ``width`` numbers."""

    name: str
    """As the checkpoint spells it."""
    rows: int
    width: int
    read: Callable[[int, int], Floats]
    """(first, behind) -> (behind - first, width) float32."""

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        """Yields (first id, rows) in order."""
        step = max(1, _BLOCK // self.width)
        for begin in range(0, self.rows, step):
            yield begin, self.read(begin, min(begin + step, self.rows))


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRows:
    """What a model has for each id."""

    source: str
    input: Matrix
    output: Matrix | None
    """The head where it is a matrix of its own."""
    tied: bool
    """The head is the input embedding."""
    biased: bool
    """The head adds a bias, which hides in no row."""


def open_model(path: str | Path) -> ModelRows:
    """Opens a model's folder (safetensors) or a GGUF file; reads no matrix yet.

    Raises InputError where there is no model or only a pickle, FormatError where it is malformed,
    ConfigError for an unknown architecture, MissingExtraError without the extra [transplant].
    """
    path = locate_model(path)
    return _gguf(path) if path.suffix.lower() == ".gguf" else _safetensors(path)


def _safetensors(path: Path) -> ModelRows:
    opened = Checkpoint.open(path)
    layout = opened.layout
    return ModelRows(
        source=str(path),
        input=_stored(opened, layout.input),
        output=_stored(opened, layout.output) if layout.output else None,
        tied=layout.tied,
        biased=bool(layout.biases),
    )


def _stored(opened: Checkpoint, name: str) -> Matrix:
    array = opened.array(name)
    rows, width = array.shape
    return Matrix(name, rows, width, lambda first, behind: as_float32(array[first:behind]))


def _gguf(path: Path) -> ModelRows:
    if find_spec("gguf") is None:
        hint = "run: pip install 'tokforge[transplant]'"
        raise MissingExtraError("gguf is not installed", hint, "transplant")
    from gguf import GGUFReader

    try:
        tensors = {one.name: one for one in GGUFReader(path).tensors}
    except (ValueError, IndexError, KeyError, OSError, OverflowError) as error:
        raise FormatError(
            f"the tensors cannot be read: {error}", "fetch the file again", str(path)
        ) from error
    if _INPUT not in tensors:
        raise FormatError(f"the file has no {_INPUT}", "give the file with the weights", str(path))
    output = _quantised(tensors[_OUTPUT]) if _OUTPUT in tensors else None
    return ModelRows(
        source=str(path),
        input=_quantised(tensors[_INPUT]),
        output=output,
        tied=output is None,
        biased="output.bias" in tensors,
    )


def _quantised(tensor: Any) -> Matrix:
    from gguf.quants import dequantize

    width, rows = (int(n) for n in tensor.shape)

    def read(first: int, behind: int) -> Floats:
        values = dequantize(tensor.data[first:behind], tensor.tensor_type)
        return np.asarray(values, np.float32).reshape(behind - first, width)

    return Matrix(tensor.name, rows, width, read)
