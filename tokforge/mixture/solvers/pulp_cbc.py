"""PuLP: for whichever solver it finds (CBC, which it brings along, by default), and for MPS files."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tokforge.mixture.history import Floats
from tokforge.mixture.solvers._collected import Collected
from tokforge.mixture.solvers._status import not_solved

if TYPE_CHECKING:
    import pulp

__all__ = ["PulpModel", "pulp_problem"]


def pulp_problem(programme: Collected) -> "tuple[pulp.LpProblem, list[Any]]":
    """Writes the programme out in PuLP's terms; returns it and its variables, shares first."""
    import pulp

    problem = pulp.LpProblem("mixture", pulp.LpMinimize)
    shares = [problem.add_variable(f"a{i}", 0) for i in range(programme.shares)]
    slacks = [problem.add_variable(f"v{i}", 0) for i in range(len(programme.costs))]
    problem += pulp.LpAffineExpression(zip(slacks, programme.costs.tolist(), strict=True))
    problem += pulp.lpSum(shares) == 1
    rows = zip(programme.coefficients.tolist(), programme.first, programme.second, strict=True)
    for coefficients, first, second in rows:
        terms = [*zip(shares, coefficients, strict=True), (slacks[first], 1.0), (slacks[second], 1.0)]
        problem += pulp.LpAffineExpression(terms) >= 0
    return problem, [*shares, *slacks]


def _solver() -> Any:
    """The first that PuLP can run. CBC comes with PuLP 3, and says that it leaves."""
    import pulp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        available = pulp.listSolvers(onlyAvailable=True)
        name = next((name for name in ("PULP_CBC_CMD", "COIN_CMD", "HiGHS") if name in available), None)
        if name is None:
            raise not_solved("PuLP", "it finds neither CBC nor HiGHS")
        return pulp.getSolver(name, msg=False)


class PulpModel(Collected):
    """The programme handed to PuLP whole each time."""

    def solve(self) -> tuple[Floats, float]:
        """Returns the values of all variables and the optimum; raises ConfigError if the solver fails."""
        import pulp

        problem, variables = pulp_problem(self)
        problem.solve(_solver())
        if problem.status != pulp.LpStatusOptimal:
            raise not_solved("PuLP's solver", pulp.LpStatus[problem.status])
        rows = problem.constraints()[1:]
        self._duals = np.array([row.pi or 0.0 for row in rows])
        values = np.array([variable.value() or 0.0 for variable in variables])
        return values, float(pulp.value(problem.objective) or 0.0)

    def duals(self) -> Floats:
        """Returns the multiplier of each row."""
        return self._duals
