"""Solvers of the programme by name; all find the same optimum."""

from tokforge.mixture.solvers.choice import solver_named

__all__ = ["solver_named"]
