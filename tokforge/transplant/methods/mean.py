"""Every new row is the mean row."""

from tokforge.transplant.method import Method, Task
from tokforge.transplant.mix import Mix

__all__ = ["METHOD"]


def _compose(task: Task) -> Mix:
    return Mix.of(((task.matrix.shape[0],), (1.0,)) for _ in task.alignment.composed)


METHOD = Method(
    name="mean",
    summary="the mean row",
    source="Hewitt 2021, Initializing New Word Embeddings (without noise)",
    compose=_compose,
)
