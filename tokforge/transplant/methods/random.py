"""Rows drawn from a normal distribution with the mean and deviation of each old column: the floor of every
table.
"""

import numpy as np
import numpy.typing as npt

from tokforge.transplant.method import Dense, Method, Task

__all__ = ["METHOD"]


def _compose(task: Task) -> Dense:
    mean, deviation, size = task.matrix.mean, task.matrix.deviation, len(task.alignment.composed)

    def make(begin: int, end: int) -> npt.NDArray[np.float32]:
        # One generator a row, so that a block's bounds never change what is drawn.
        seeds = [np.random.default_rng((task.resources.seed, n)) for n in range(begin, end)]
        noise = [rng.standard_normal(len(mean), np.float32) for rng in seeds]
        return np.asarray(mean + np.reshape(noise, (end - begin, len(mean))) * deviation, np.float32)

    return Dense(size, make)


METHOD = Method(
    name="random",
    summary="drawn with the mean and deviation of each column",
    source="Hewitt 2021, Initializing New Word Embeddings (diagonal form)",
    compose=_compose,
)
