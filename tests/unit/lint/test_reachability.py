"""The engine's answer is that of byte-pair encoding written out, for vocabularies of every shape."""

from hypothesis import given
from hypothesis import strategies as st

from tokforge.lint._reference import unreachable_slow
from tokforge.lint.reachability import unreachable_bytes

ALPHABETS = {False: b"abc", True: "aé中".encode()}


@st.composite
def vocabularies(draw, characters):
    """Tokens over three symbols and merges of some pairs of them, in any order."""
    symbols = "aé中" if characters else "abc"
    words = draw(st.lists(st.text(symbols, min_size=1, max_size=5), min_size=1, max_size=12, unique=True))
    tokens = list(dict.fromkeys([*symbols, *words]))
    pairs = [(a, b) for a in tokens for b in tokens if a + b in tokens]
    merges = draw(st.permutations(pairs))[: draw(st.integers(0, len(pairs)))]
    return [one.encode() for one in tokens], [(a.encode(), b.encode()) for a, b in merges]


@given(vocabularies(characters=False))
def test_from_bytes(case):
    assert unreachable_bytes(*case) == unreachable_slow(*case)


@given(vocabularies(characters=True))
def test_from_characters(case):
    assert unreachable_bytes(*case, characters=True) == unreachable_slow(*case, characters=True)
