"""`import tokforge` is light, and exports what it lists."""

import subprocess
import sys

import pytest

import tokforge

HEAVY = ["numpy", "torch", "transformers", "scipy", "matplotlib", "pyarrow", "zstandard", "tokenizers"]


def test_import_loads_nothing_heavy():
    code = f"import sys, tokforge; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_exports_are_listed_and_complete():
    assert set(tokforge.__all__) == {*tokforge._HOMES, "__version__"}
    assert dir(tokforge) == sorted(tokforge.__all__)
    for name in set(tokforge.__all__) - {"train_bpe"}:
        assert getattr(tokforge, name) is not None


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tokforge.nothing
