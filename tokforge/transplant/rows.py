"""All rows of a new matrix, in id order: copies, a method's rows, and stand-ins for what has no token.

Copies are moved in their stored type, bit for bit. A special token without counterpart, and a row without a
token, takes the mean of the old rows without a token, else the mean row: never zeros, whose logit 0 beats
many real ones, and never noise. Memory is one block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.transplant.alignment import Alignment
from tokforge.transplant.method import Dense, Recipe
from tokforge.transplant.mix import Matrix, Mix
from tokforge.transplant.tensor_file import Array, as_dtype

__all__ = ["RowWriter", "bias_recipe"]

_BLOCK = 1 << 22


def bias_recipe(recipe: Recipe, alignment: Alignment) -> Recipe:
    """Returns how a bias follows from its matrix' recipe: the method's own, the same mix, or without one the
    mean of the pieces.
    """
    if isinstance(recipe, Dense) and recipe.bias is not None:
        return recipe.bias
    base = recipe.base if isinstance(recipe, Dense) else recipe
    if isinstance(base, Mix):
        return base
    pieces = [alignment.pieces[i] or (alignment.old_rows,) for i in alignment.composed.tolist()]
    return Mix.of((ids, [1 / len(ids)] * len(ids)) for ids in pieces)


@dataclass(frozen=True)
class RowWriter:
    """The new matrix, made block by block."""

    alignment: Alignment
    matrix: Matrix
    recipe: Recipe
    dtype: str

    def shape(self, old: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the new shape of a tensor that had the shape ``old``, which may be a bias."""
        rows = self.alignment.rows
        if len(old) == 1:
            return (rows,)
        return (1, rows) if old[0] == 1 else (rows, *old[1:])

    def blocks(self) -> Iterator[Array]:
        """Yields the new rows in order, (block, width), in the stored type."""
        step = max(1, _BLOCK // self.matrix.shape[1])
        for begin in range(0, self.alignment.rows, step):
            yield self._block(begin, min(begin + step, self.alignment.rows))

    def _block(self, begin: int, end: int) -> Array:
        origins = self.alignment.origins[begin:end]
        made = np.empty((end - begin, self.matrix.shape[1]), self.matrix.stored.dtype)
        copied = np.flatnonzero(origins >= 0)
        made[copied] = self.matrix.stored[origins[copied]]
        first, last = np.searchsorted(self.alignment.composed, [begin, end])
        places = self.alignment.composed[first:last] - begin
        made[places] = as_dtype(self.recipe.rows(self.matrix, int(first), int(last)), self.dtype)
        rest = np.ones(end - begin, bool)
        rest[copied] = rest[places] = False
        if rest.any():
            made[rest] = as_dtype(self._stand_in(), self.dtype)
        return made

    def _stand_in(self) -> npt.NDArray[np.float32]:
        idle = self.alignment.idle
        return self.matrix.take(idle).mean(0) if len(idle) and self._are_trained(idle) else self.matrix.mean

    def _are_trained(self, idle: npt.NDArray[np.int64]) -> bool:
        """Tells whether rows without a token are usable: some models leave zeros there."""
        return bool((np.abs(self.matrix.take(idle)).max(1) > 0).all())
