"""A splitter as the one regex of tiktoken and mistral-common, which drop what lies between its matches."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import Tokenizer, convert, train_bpe
from tokforge.errors import ExportError
from tokforge.tokenizer.conversion.probes import conversion_probes
from tokforge.tokenizer.formats.one_regex import one_regex
from tokforge.tokenizer.model import Pipeline
from tokforge.tokenizer.pretokenizers import PATTERNS, gapless, parse_pretokenizer

tiktoken = pytest.importorskip("tiktoken")

ONE = [name for name, patterns in PATTERNS.items() if len(patterns) == 1]
OWN = r"regex:[a-z]+|\p{N}"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("corpus")
    words = random.Random(3).choices(["the", "of", "house", "12", "--", "=>", "\n", "naïve"], k=4000)
    (folder / "text.txt").write_text(" ".join(words))
    return train_bpe([folder], vocab_size=400, pretokenizer="superbpe", special_tokens=())


@pytest.mark.parametrize("name", [*ONE, OWN])
def test_no_byte_of_a_text_is_lost(name: str, tokenizer: Tokenizer) -> None:
    pattern = one_regex(Pipeline("text", parse_pretokenizer(name)))
    ranks = {bytes((byte,)): byte for byte in range(256)}
    judge = tiktoken.Encoding("bytes", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    for probe in conversion_probes(tokenizer)[:4000]:
        assert judge.encode_ordinary(probe.decode()) == list(probe)


@pytest.mark.parametrize("name", ONE)
def test_a_named_pattern_is_lengthened_only_where_it_leaves_gaps(name: str) -> None:
    assert (one_regex(Pipeline("text", (name,))) == PATTERNS[name][0]) is (name != "superbpe")


@pytest.mark.parametrize("name", [*ONE, OWN])
def test_the_longer_form_is_the_same_splitter(name: str) -> None:
    (stage,) = parse_pretokenizer(name)
    pattern = PATTERNS[stage][0] if stage in PATTERNS else stage.removeprefix("regex:")
    assert parse_pretokenizer("regex:" + gapless(pattern)) == (stage,)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab1 \n-é"), max_size=12))
def test_the_longer_form_has_the_same_pieces(text: str) -> None:
    regex = pytest.importorskip("regex")
    pattern = r"[a-z]+|\p{N}|\n(?!\n)"
    pieces, end = [], 0
    for found in regex.finditer(pattern, text):
        pieces += [text[end : found.start()], found[0]]
        end = found.end()
    pieces.append(text[end:])
    assert regex.findall(gapless(pattern), text) == [piece for piece in pieces if piece]


@pytest.mark.parametrize("to", ["tiktoken", "tekken"])
def test_supertokens_convert_equal(to: str, tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tokenizer.save(tmp_path / "t.json")
    result = convert(path, tmp_path / f"out.{to}", to=to, allow_lossy=to == "tekken")
    assert all(one.differing == 0 for one in result.comparisons)
    assert result.pat_str == (gapless(PATTERNS["superbpe"][0]) if to == "tiktoken" else None)
    if to == "tekken":
        assert Tokenizer.load(tmp_path / "out.tekken").pipeline.pretokenizers == ("superbpe",)


def test_what_one_regex_cannot_say_is_refused() -> None:
    with pytest.raises(ExportError, match="one regex"):
        one_regex(Pipeline("text", ("deepseek-v3",)))
    with pytest.raises(ExportError, match="references"):
        one_regex(Pipeline("text", (r"regex:(a|b)\1",)))
    assert one_regex(Pipeline("text", ())) == r"[\s\S]+"
