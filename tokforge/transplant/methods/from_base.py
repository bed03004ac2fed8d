"""A fine-tune takes the rows that a transplant of its base model got, moved by what fine-tuning changed.

row = t + sum of w_j * (f_j - b_j): ``t`` the row in the base's transplant (``donor``, maybe healed), ``w``
the length weights of the pieces, ``f_j`` the fine-tune's row of a piece and ``b_j`` the base's, read from
the transplant, where shared tokens keep it. A piece without a row there counts as unmoved. Copied rows are
the fine-tune's own. Source: the aim is that of ZeTT's transfer to fine-tunes (2405.07883),
which takes ``t`` alone.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.method import Dense, Method, Task, from_pieces, spelled
from tokforge.transplant.mix import Matrix
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["METHOD"]


def _compose(task: Task) -> Dense:
    base = _base_rows(task)
    shared = task.alignment.shared
    moved = np.zeros((task.matrix.shape[0] + 1, task.matrix.shape[1]), np.float32)
    moved[shared[:, 1]] = task.matrix.take(shared[:, 1]) - base.take(shared[:, 0])
    changes = Matrix(moved)
    mix = from_pieces(task, lambda pieces: [len(spelled(task, piece)) for piece in pieces])
    ids = task.alignment.composed

    def make(begin: int, end: int) -> npt.NDArray[np.float32]:
        return np.asarray(base.take(ids[begin:end]) + mix.rows(changes, begin, end), np.float32)

    return Dense(len(mix), make, mix)


def _base_rows(task: Task) -> Matrix:
    """The transplant's matrix of this side. Raises ConfigError unless it has this tokenizer and width."""
    folder = Path(str(task.resources.donor))
    checkpoint, vocabulary = Checkpoint.open(folder), Vocabulary.load(folder)
    layout = checkpoint.layout
    head = layout.output if task.side == "output" else None
    rows = Matrix.of(checkpoint.array(head or layout.input))
    if vocabulary.keys != task.alignment.new.keys or vocabulary.added != task.alignment.new.added:
        raise ConfigError(
            "its tokenizer is not the new one", "give the base model's transplant to it", str(folder)
        )
    if rows.shape[1] != task.matrix.shape[1] or (task.side == "output") != (head is not None):
        raise ConfigError(
            f"its rows are {rows.shape[1]} wide, the model's {task.matrix.shape[1]}, or one of them is tied",
            "give a transplant of the model's own base",
            str(folder),
        )
    return rows


METHOD = Method(
    name="from-base",
    summary="rows of the base model's transplant, moved by what fine-tuning changed",
    source="tokforge; the aim is that of ZeTT (2405.07883)",
    compose=_compose,
    needs=("donor",),
)
