"""A donor: a model that has the new tokenizer already, whose space says how tokens relate.

Its input rows are read by the new ids, matched by key, so the donor's ids need not be the new tokenizer's.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.method import Task
from tokforge.transplant.mix import Matrix
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["donor_rows"]

Floats = npt.NDArray[np.float32]


def donor_rows(task: Task) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Returns the donor's rows of the shared and of the composed tokens, and which composed ones it has.

    (shared, width), (composed, width), (composed,). Raises ConfigError where it has no token in common with
    either side, so nothing could be carried over.
    """
    return task.resources.once("donor", lambda: _rows(task))  # type: ignore[no-any-return]


def _rows(task: Task) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    folder = Path(str(task.resources.donor))
    checkpoint, vocabulary = Checkpoint.open(folder), Vocabulary.load(folder)
    matrix = Matrix.of(checkpoint.array(checkpoint.layout.input))
    keys = task.alignment.new.keys
    ids = np.array([-1 if key is None else vocabulary.index.get(key, -1) for key in keys])
    shared, composed = ids[task.alignment.shared[:, 0]], ids[task.alignment.composed]
    if (shared < 0).all() or not len(shared) or (len(composed) and (composed < 0).all()):
        raise ConfigError(
            "the donor shares no tokens with the new tokenizer and the model",
            "give a model that was trained with the new tokenizer",
            str(folder),
        )
    if (shared < 0).any():
        raise ConfigError(
            f"the donor lacks {int((shared < 0).sum())} tokens of the new tokenizer",
            "give a model that was trained with the new tokenizer",
            str(folder),
        )
    return matrix.take(shared), matrix.take(np.maximum(composed, 0)), composed >= 0
