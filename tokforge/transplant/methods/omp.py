"""Orthogonal matching pursuit: write a token's donor row as a few shared tokens' donor rows, and read it
off here.

For each new token, in the donor's space over the shared tokens: ``k`` times take the shared token whose
row has
the largest |inner product| with what is left, and fit all taken ones by least squares. The same coefficients
times the model's own rows give the new row, for input and head alike. A token that the donor lacks takes
the mean of its pieces. Batched: O(new x shared x width x k); the twin solves one token at a time.
"""

import numpy as np
import numpy.typing as npt

from tokforge.transplant.donor import donor_rows
from tokforge.transplant.method import Method, Task
from tokforge.transplant.mix import Mix, Row

__all__ = ["METHOD", "pursue"]

Floats = npt.NDArray[np.float32]
_BATCH = 512


def pursue(
    targets: Floats, atoms: Floats, k: int, device: str = "cpu"
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Returns the atoms taken for each target and their coefficients, (targets, k) both, in the order
    taken.
    """
    import torch

    table = torch.from_numpy(np.ascontiguousarray(atoms)).to(device)
    taken = np.empty((len(targets), k), np.int64)
    found = np.empty((len(targets), k), np.float32)
    for begin in range(0, len(targets), _BATCH):
        wanted = torch.from_numpy(targets[begin : begin + _BATCH]).to(device)
        residual, chosen = wanted, torch.empty((len(wanted), 0), dtype=torch.int64, device=device)
        coefficients = wanted[:, :0]
        for _ in range(k):
            scores = (residual @ table.T).abs().scatter_(1, chosen, -1.0)
            chosen = torch.cat([chosen, scores.argmax(1, keepdim=True)], 1)
            basis = table[chosen].double()  # (batch, taken, width)
            gram = basis @ basis.transpose(1, 2)
            gram += (
                1e-10
                * gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
                * torch.eye(gram.shape[1], device=device, dtype=gram.dtype)
            )
            coefficients = torch.linalg.solve(gram, basis @ wanted.double()[:, :, None])[:, :, 0]
            residual = (wanted - (coefficients[:, None, :] @ basis)[:, 0, :]).float()
        taken[begin : begin + _BATCH] = chosen.cpu().numpy()
        found[begin : begin + _BATCH] = coefficients.cpu().numpy()
    return taken, found


def _compose(task: Task) -> Mix:
    return task.resources.once("omp", lambda: _mix(task))  # type: ignore[no-any-return]


def _mix(task: Task) -> Mix:
    atoms, targets, known = donor_rows(task)
    k = min(int(task.number("k")), len(atoms), atoms.shape[1])
    taken, found = pursue(targets, atoms, k, task.resources.device)
    old = task.alignment.shared[:, 1]
    rows: list[Row] = []
    for at, new_id in enumerate(task.alignment.composed.tolist()):
        pieces = task.pieces(new_id)
        rows.append(
            (old[taken[at]].tolist(), found[at].tolist())
            if known[at]
            else (pieces, [1 / len(pieces)] * len(pieces))
        )
    return Mix.of(rows)


METHOD = Method(
    name="omp",
    summary="a sparse code over shared tokens in a donor's space",
    source="Training-Free Tokenizer Transplantation via OMP (2506.06607)",
    compose=_compose,
    options={"k": 64},
    needs=("donor",),
)
