"""Which solver has which name. HiGHS alone restarts from where it was."""

from importlib.util import find_spec

from tokforge.errors import MissingExtraError, pick
from tokforge.mixture.programme import Solver

__all__ = ["solver_named"]

_PACKAGES = {"highs": "highspy", "scipy": "scipy", "pulp": "pulp"}


def solver_named(name: str) -> Solver:
    """Returns the solver; raises UnknownNameError, or MissingExtraError if its package is missing."""
    package = pick("solver", name, _PACKAGES)
    if find_spec(package) is None:
        raise MissingExtraError(f"{package} is not installed", "run: pip install 'tokforge[mixture]'")
    if name == "highs":
        from tokforge.mixture.solvers.highs import HighsModel

        return HighsModel
    if name == "scipy":
        from tokforge.mixture.solvers.scipy_linprog import ScipyModel

        return ScipyModel
    from tokforge.mixture.solvers.pulp_cbc import PulpModel

    return PulpModel
