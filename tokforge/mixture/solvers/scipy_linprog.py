"""`scipy.optimize.linprog`: no warm start, so every round begins anew. For short merge lists."""

import numpy as np

from tokforge.mixture.history import Floats
from tokforge.mixture.solvers._collected import Collected
from tokforge.mixture.solvers._status import not_solved

__all__ = ["ScipyModel"]


class ScipyModel(Collected):
    """The programme as sparse arrays, solved whole each time."""

    def solve(self) -> tuple[Floats, float]:
        """Returns the values of all variables and the optimum; raises ConfigError if the solver fails."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_array, hstack

        rows, slacks = len(self.first), len(self.costs)
        index = np.arange(rows)
        ones = np.ones(2 * rows)
        places = (np.concatenate([index, index]), np.concatenate([self.first, self.second]))
        slack_part = csr_array((ones, places), shape=(rows, slacks))
        left = hstack([csr_array(self.coefficients), slack_part]).tocsr()
        whole = csr_array(np.concatenate([np.ones(self.shares), np.zeros(slacks)])[None, :])
        cost = np.concatenate([np.zeros(self.shares), self.costs])
        found = linprog(
            cost, A_ub=-left, b_ub=np.zeros(rows), A_eq=whole, b_eq=[1.0], bounds=(0, None), method="highs"
        )
        if found.status != 0:
            raise not_solved("scipy", found.message)
        self._duals = -np.asarray(found.ineqlin.marginals)
        return np.asarray(found.x), float(found.fun)

    def duals(self) -> Floats:
        """Returns the multiplier of each row."""
        return self._duals
