"""The one error of all solvers."""

from tokforge.errors import ConfigError

__all__ = ["not_solved"]


def not_solved(solver: str, status: str) -> ConfigError:
    """The programme always has an optimum, so any other status is the solver's failure."""
    return ConfigError(
        f"{solver} stopped without an optimum: {status}", "try another --solver, or fewer merges"
    )
