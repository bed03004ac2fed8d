"""The parts of a tokenizer: what contradicts itself is refused, and prefixes keep ids."""

import pytest

from tokforge import AddedToken, Tokenizer, errors
from tokforge.tokenizer import Pipeline, forbidden_tokens, initial_bytes, parse_pretokenizer, printable
from tokforge.tokenizer.pretokenizers import NAMES, PATTERNS

BYTES = initial_bytes()
BINARY = Pipeline("binary")


def parts(tokens=(), merges=(), added=(), pipeline=BINARY, **more):
    return Tokenizer.from_parts([*BYTES, *tokens], merges, pipeline=pipeline, added_tokens=added, **more)


def test_bytes_are_numbered_as_hugging_face_numbers_them():
    assert BYTES[:3] == [b"!", b'"', b"#"]
    assert BYTES[-1] == b"\xad"
    assert sorted(BYTES) == [bytes((value,)) for value in range(256)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: parts([b""]), "empty"),
        (lambda: parts([b"a"]), "same bytes"),
        (
            lambda: Tokenizer.from_parts(BYTES[1:], [], pipeline=BINARY),
            "1 of the 256 byte tokens are missing",
        ),
        (lambda: parts([b"!!"], [(0, 0, 257)]), "no ordinary token"),
        (lambda: parts([b"!!"], [(-1, 0, 256)]), "no ordinary token"),
        (lambda: parts([b"!!"], [(0, 1, 256)]), "but 256 is"),
        (lambda: parts([b"!!"], [(0, 0, 256), (0, 0, 256)]), "is merge 0 already"),
        (lambda: parts([None, b"!!"], [(0, 256, 257)], [AddedToken(256, "!x")]), "no ordinary token"),
        (lambda: parts([], [], [AddedToken(256, "x")]), "has id 256"),
        (lambda: parts([None], [], [AddedToken(256, "xx"), AddedToken(256, "yy")]), "is that of"),
        (lambda: parts([None, None], [], [AddedToken(256, "xx"), AddedToken(257, "xx")]), "two ids"),
        (lambda: parts([b"xx"], [], [AddedToken(256, "xx")]), "plain text could become"),
        (lambda: parts([b"xx"], [], [AddedToken(256, "yy", special=False)]), "holds b'xx'"),
        (
            lambda: parts([None] * 2, [], [AddedToken(256, "xx", ("bos",)), AddedToken(257, "yy", ("bos",))]),
            "role 'bos' is held",
        ),
    ],
)
def test_contradictions_are_format_errors(build, message):
    with pytest.raises(errors.FormatError, match=message):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: AddedToken(0, ""),
        lambda: AddedToken(0, "\ud800"),
        lambda: AddedToken(0, "x", ("begin",)),
        lambda: Pipeline("sound"),
        lambda: Pipeline("text", ("gpt3",)),
        lambda: Pipeline("text", (), ("NFX",)),
        lambda: Pipeline("text", (), (), (("decoder", "{}"),)),
        lambda: Pipeline("binary", ("gpt2",)),
        lambda: parts(provenance={"oder": 1}),
        lambda: parts(provenance={"options": {1, 2}}),
        lambda: parts(provenance={"options": float("nan")}),
        lambda: parts(provenance={"source_shares": {"a": 2}}),
        lambda: parts(provenance={"source_shares": [1]}),
    ],
)
def test_bad_options_are_config_errors(build):
    with pytest.raises(errors.ConfigError):
        build()


def test_misspelt_provenance_gets_a_guess():
    with pytest.raises(errors.UnknownNameError, match="did you mean 'order'"):
        parts(provenance={"oder": 1})


def test_kinds_are_told_apart():
    ours = parts(
        [b"!!", None, None], [(0, 0, 256)], [AddedToken(257, "<s>"), AddedToken(258, "<t>", special=False)]
    )
    assert ours.table.kinds[0] == "byte"
    assert ours.table.kinds[256:] == ("normal", "special", "added")


def test_forbidden_tokens_are_the_spellings_of_specials():
    assert forbidden_tokens(["<pad>", "Ġx", "a b", "あ"]) == [b"<pad>", b" x"]
    with pytest.raises(errors.ConfigError, match="spells byte 0x20"):
        forbidden_tokens(["Ġ"])


# -- prefixes --------------------------------------------------------------------------------------------


def test_prefix_keeps_ids_and_first_merges(make):
    whole = make()
    part = whole.prefix(261)
    assert part.table.tokens == whole.table.tokens[:261]
    assert part.merges == whole.merges[:3]
    assert part.added_tokens == whole.added_tokens
    assert part.provenance["prefix_of"] == whole.vocab_size
    assert whole.prefix(whole.vocab_size).definition == whole.definition
    assert whole.prefix(258).merges == ()


def test_prefix_drops_later_merges_to_a_known_token():
    # "!!!" is made twice; a run stopped at 258 ids would never have reached the second way.
    whole = parts([b"!!", b"!!!", b'!!!"'], [(0, 0, 256), (256, 0, 257), (257, 1, 258), (0, 256, 257)])
    assert whole.prefix(258).merges == ((0, 0, 256), (256, 0, 257))


@pytest.mark.parametrize("size", [0, 257, 265, -1])
def test_prefix_outside_the_range_is_refused(make, size):
    with pytest.raises(errors.ConfigError, match="use 258 to 264"):
        make().prefix(size)


def test_prefix_needs_ids_in_merge_order():
    swapped = parts([b"!!!", b"!!"], [(0, 0, 257), (257, 0, 256)])
    with pytest.raises(errors.ConfigError, match="merge order"):
        swapped.prefix(257)


# -- pre-tokenizers --------------------------------------------------------------------------------------


def test_names_parse_to_their_stage():
    for name in PATTERNS:
        assert parse_pretokenizer(name) == (name,)
    assert parse_pretokenizer("none") == ()
    assert parse_pretokenizer("cl100k-hf") == ("llama3",)
    assert set(PATTERNS) < set(NAMES)


def test_known_patterns_get_their_names():
    for name, patterns in PATTERNS.items():
        assert Pipeline("text", tuple(f"regex:{pattern}" for pattern in patterns)).pretokenizers == (name,)
    characters = tuple(
        "regex:"
        + pattern.replace(r"\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF", "一-龥\u3040-ゟ゠-ヿ").replace(
            r"\r\n", "\r\n"
        )
        for pattern in PATTERNS["deepseek-v3"]
    )
    assert Pipeline("text", characters).pretokenizers == ("deepseek-v3",)


def test_regexes_parse_bare_or_marked():
    assert parse_pretokenizer(r"regex:\p{L}+") == parse_pretokenizer(r"\p{L}+") == (r"regex:\p{L}+",)
    assert parse_pretokenizer("regex:abc") == ("regex:abc",)


def test_misspelt_name_gets_a_guess():
    with pytest.raises(errors.UnknownNameError, match="did you mean 'qwen2'"):
        parse_pretokenizer("qwen")


@pytest.mark.parametrize(
    "pattern",
    [
        r"\w+",
        r"[^\w]",
        r"\bx",
        "a$",
        "^a",
        "a{1,3}+",
        r"\s\z",
        r"(?m:a.)",
        r"\h",
        "regex:",
        "(?i)\\w",
        "a\ud800?",
    ],
)
def test_regexes_that_engines_read_differently_are_refused(pattern):
    with pytest.raises(errors.PatternError):
        parse_pretokenizer(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[$^]+",
        r"\$\^",
        r"(?i:a)",
        r"(?<!a)b",
        r"(?<=a)b",
        r"(?>a+)",
        r"a++",
        r"[a&&[^b]]|[\]$]",
        r"\p{Greek}+",
    ],
)
def test_portable_regexes_pass(pattern):
    assert parse_pretokenizer(pattern) == ("regex:" + pattern,)


@pytest.mark.parametrize(
    ("token", "shown"),
    [(b"abc", "abc"), ("é ".encode(), "é␣"), ("␣".encode(), r"\xe2\x90\xa3"), (b"\n\t\r", r"\n\t\r"), (b"\\", r"\\"),
     (b"\x00\xff", r"\x00\xff"),
     (b"\xe4\xb8", r"\xe4\xb8"), ("\u200b".encode(), r"\xe2\x80\x8b")],
)  # fmt: skip
def test_printable(token, shown):
    assert printable(token) == shown
