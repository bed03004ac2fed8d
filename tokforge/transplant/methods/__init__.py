"""One file a method: each defines ``METHOD``. A new file is a new method; nothing else need be told."""

from importlib import import_module
from pkgutil import iter_modules

from tokforge.transplant.method import Method

__all__ = ["METHODS", "Method"]

_NAMES = [found.name for found in iter_modules(__path__) if not found.name.startswith("_")]
METHODS: dict[str, Method] = {
    method.name: method for method in (import_module(f"{__name__}.{name}").METHOD for name in sorted(_NAMES))
}
"""Name -> method."""
