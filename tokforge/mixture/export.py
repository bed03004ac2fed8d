"""The generated programme as an MPS file, which any solver of linear programmes reads.

It holds the rows and slacks that the optimum needs: on them its optimum is that of the whole programme.
"""

import tempfile
from pathlib import Path

import numpy as np

from tokforge.errors import MissingExtraError
from tokforge.mixture.programme import Rows
from tokforge.outputs import write_files

__all__ = ["write_mps"]


def write_mps(rows: Rows, path: str | Path, *, force: bool = False) -> None:
    """Writes min sum of slacks over shares a0.. and slacks v0.., one row an inequality.

    Raises MissingExtraError without PuLP, OutputError as every output does.
    """
    try:
        from tokforge.mixture.solvers.pulp_cbc import PulpModel, pulp_problem
    except ImportError as error:
        raise MissingExtraError("pulp is not installed", "run: pip install 'tokforge[mixture]'") from error
    steps, first = np.unique(rows.steps, return_inverse=True)
    pairs, second = np.unique(rows.pairs, return_inverse=True)
    model = PulpModel(rows.coefficients.shape[1])
    model.add_slacks(np.ones(len(steps) + len(pairs)))
    model.add_rows(rows.coefficients, first.astype(np.int64), second.astype(np.int64) + len(steps))
    with tempfile.TemporaryDirectory() as folder:  # PuLP writes to a name of its own choice
        scratch = Path(folder) / "mixture.mps"
        pulp_problem(model)[0].writeMPS(str(scratch))
        write_files({path: scratch.read_bytes()}, force=force)
