"""tokforge: make, measure, understand, change and transplant tokenizers for text, code and binaries.

Names load on first use, so that ``import tokforge`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokforge.bpe import train_bpe
    from tokforge.errors import (
        ConfigError,
        CorpusExhaustedError,
        ExportError,
        FormatError,
        InputError,
        IntegrityError,
        MissingExtraError,
        OutputError,
        PatternError,
        TokenIdError,
        TokforgeError,
        UnknownNameError,
    )
    from tokforge.lint import lint
    from tokforge.metrics import compare
    from tokforge.mixture import infer_mixture
    from tokforge.tokenizer import AddedToken, Tokenizer, bytes_to_hf
    from tokforge.tokenizer.conversion import convert
    from tokforge.transplant import transplant

    __version__: str

_HOMES = {
    "AddedToken": "tokforge.tokenizer",
    "ConfigError": "tokforge.errors",
    "CorpusExhaustedError": "tokforge.errors",
    "ExportError": "tokforge.errors",
    "FormatError": "tokforge.errors",
    "InputError": "tokforge.errors",
    "IntegrityError": "tokforge.errors",
    "MissingExtraError": "tokforge.errors",
    "OutputError": "tokforge.errors",
    "PatternError": "tokforge.errors",
    "TokenIdError": "tokforge.errors",
    "TokforgeError": "tokforge.errors",
    "Tokenizer": "tokforge.tokenizer",
    "UnknownNameError": "tokforge.errors",
    "bytes_to_hf": "tokforge.tokenizer",
    "compare": "tokforge.metrics",
    "convert": "tokforge.tokenizer.conversion",
    "infer_mixture": "tokforge.mixture",
    "lint": "tokforge.lint",
    "train_bpe": "tokforge.bpe",
    "transplant": "tokforge.transplant",
}

__all__ = [
    "AddedToken",
    "ConfigError",
    "CorpusExhaustedError",
    "ExportError",
    "FormatError",
    "InputError",
    "IntegrityError",
    "MissingExtraError",
    "OutputError",
    "PatternError",
    "TokenIdError",
    "Tokenizer",
    "TokforgeError",
    "UnknownNameError",
    "__version__",
    "bytes_to_hf",
    "compare",
    "convert",
    "infer_mixture",
    "lint",
    "train_bpe",
    "transplant",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'tokforge' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tokforge")
    except PackageNotFoundError:  # a source tree on PYTHONPATH, never installed
        return "0+source"
