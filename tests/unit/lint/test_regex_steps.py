"""The step counter: its parser agrees with the regex package, its growth with what is known of patterns."""

import math

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tokforge.lint.readers import LLAMA_CPP
from tokforge.lint.regex_steps import _Run, count_steps, growth
from tokforge.lint.regex_syntax import UnknownSyntax, parse_regex
from tokforge.tokenizer.pretokenizers import PATTERNS

KNOWN = {
    **{f"{name}-{number}": one for name, regexes in PATTERNS.items() for number, one in enumerate(regexes)},
    **{
        f"{name}-{number}": one
        for name, regexes in LLAMA_CPP.items()
        for number, one in enumerate(regexes)
        if not one.endswith("...")
    },
}
QUADRATIC = {"superbpe-1", "tiny_aya-0", "deepseek-llm-3"}
"""Grouping digits from the right by look-ahead, and `\\s+$`: they scan the run anew from each of its characters."""


@pytest.mark.parametrize("name", KNOWN)
def test_no_pattern_in_use_is_superlinear_but_those_known_to_be(name):
    found = growth(KNOWN[name])
    assert found.superlinear == (name in QUADRATIC), found
    assert not math.isinf(found.exponent)


@pytest.mark.parametrize(
    ("pattern", "low", "high"),
    [
        (r"\p{L}+", 0.8, 1.2),
        (r"a+b", 1.8, 2.1),
        (r"\d+(?=x)", 1.8, 2.1),
        (r"(?:a*a*)b", 2.5, 3.5),
        ("(a+)+b", math.inf, math.inf),
        ("(a|a)*b", math.inf, math.inf),
        (r"(?:\w+\s?)+!", math.inf, math.inf),
        ("(?>a+)+b", 1.5, 2.1),
    ],
)
def test_growth(pattern, low, high):
    assert low <= growth(pattern).exponent <= high


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", r"\k<x>", "(?(1)a)", r"\p{Sinhala}", "(a", "a)", "[a", "*a", r"\p{L", "[z-a]"]
)
def test_what_is_not_modelled_is_refused(pattern):
    with pytest.raises(UnknownSyntax):
        parse_regex(pattern)


@pytest.mark.parametrize("pattern", ["(" * 5000 + "a" + ")" * 5000, "a" * 30_000])
def test_what_is_too_large_to_try_is_refused(pattern):
    with pytest.raises(UnknownSyntax):
        growth(pattern)


@pytest.mark.parametrize(
    "pattern", ["(?:" * 3 + "a" + ")" * 3 + "+|b", "|".join(f"x{n}y+" for n in range(2000))]
)
def test_depth_and_breadth_are_no_growth(pattern):
    assert not growth(pattern).superlinear


def matches(pattern, text):
    """The spans that the model finds, left to right."""
    run = _Run(text, 10**7)
    matcher, at, found = run.compile(parse_regex(pattern)), 0, []
    while at <= len(text):
        end = run.end_of(matcher, at)
        if end is not None and end > at:
            found.append((at, end))
        at = end if end is not None and end > at else at + 1
    return found


@given(
    st.sampled_from([one for name, one in KNOWN.items() if "&&" not in one and "\\h" not in one]),
    st.text("aAsZ19 \n\r\t'\"/_!-<|$é中か\u0301²\u00a0.,sStT", max_size=24),
)
def test_the_model_matches_as_the_regex_package_does(pattern, text):
    flags = regex.V1 | regex.MULTILINE  # to Hugging Face's engine `$` is the end of any line
    theirs = [found.span() for found in regex.finditer(pattern, text, flags) if found[0]]
    assert matches(pattern, text) == theirs


def test_counting_is_deterministic_and_bounded():
    tree = parse_regex("(a+)+b")
    assert count_steps(tree, "a" * 8) == count_steps(tree, "a" * 8)
    with pytest.raises(Exception):  # noqa: B017  (private on purpose)
        count_steps(tree, "a" * 40)
