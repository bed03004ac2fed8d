"""A new row is the mean of its pieces' rows, each weighed by its length.

Length is counted in bytes, not in characters as in the paper: pieces of a character have one, too.
``scale`` multiplies the rows: a sum of several is longer than what the head should give a rare token.
"""

from tokforge.transplant.method import Method, Task, from_pieces, spelled
from tokforge.transplant.mix import Mix

__all__ = ["METHOD"]


def _compose(task: Task) -> Mix:
    mix = from_pieces(task, lambda pieces: [len(spelled(task, piece)) for piece in pieces])
    return mix.scaled(task.number("scale"))


METHOD = Method(
    name="length-weighted",
    summary="the mean of the pieces' rows, weighed by length",
    source="Beyond Initialization Loss (2608.03494), output rule; scale is ours",
    compose=_compose,
    options={"scale": 1.0},
)
