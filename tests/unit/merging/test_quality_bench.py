"""The pieces of the quality bench that a figure rests on."""

import ast

import numpy as np
import pytest

from benches.merging_curve import verdict
from benches.merging_tasks import mutant
from benches.merging_translation import bleu

FUNCTION = """
def f(first, second):
    total = first + second
    if total == 3:
        return g(first, total)
    return second
"""


def test_a_mutant_is_one_place_of_the_function():
    found = set()
    for name in ("total", "whole", "entire", "result", "amount", "number", "quantity", "value"):
        function = ast.parse(FUNCTION.replace("total", name)).body[0]
        code = ast.unparse(function)
        changed = mutant(function, code)
        assert mutant(function, code) == changed != code
        assert ast.unparse(function) == code, "the function itself stays"
        before, after = code.split("\n"), changed.split("\n")
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
        found.add(changed.replace(name, "total"))
    assert len(found) > 2


def test_no_place_for_a_defect_is_no_mutant():
    function = ast.parse("def f():\n    pass\n    pass").body[0]
    assert mutant(function, ast.unparse(function)) is None


def test_bleu_is_that_of_its_definition():
    assert bleu(["a b c d e"], ["a b c d e"]) == pytest.approx(100)
    assert bleu(["a b c d"], ["w x y z"]) == 0
    # 4/5, 3/4, 2/3 and 1/2 of the n-grams, as long as the reference
    assert bleu(["a b c d x"], ["a b c d e"]) == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 / 2) ** 0.25)
    assert bleu(["a b c d"], ["a b c d e"]) == pytest.approx(100 * np.exp(1 - 5 / 4))


def test_the_interval_holds_seeds_and_items():
    flat = np.ones((5, 400)) * -1.0
    assert verdict(flat) == "-1.00 (-1.00 to -1.00) | yes"
    by_seed = flat + np.array([-2, -1, 0, 1, 2])[:, None]
    half = 2.776 * (2.5 / 5) ** 0.5
    assert verdict(by_seed) == f"-1.00 ({-1 - half:+.2f} to {-1 + half:+.2f}) | no"
