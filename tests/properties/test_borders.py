"""Parts cut at borders have the ids of the whole, for every model behind every pipeline."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pipelines import MODELS, NORMALIZERS, SENTENCEPIECE, STAGES, loaded, sentencepiece_model
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as HuggingFace

from tokforge import AddedToken as OurAddedToken
from tokforge import Tokenizer, train_bpe
from tokforge.tokenizer.pretokenizers import PATTERNS
from tokforge.tokenizer.stages import Digits
from tokforge.tokenizer.streaming import blocks, can_stream, encode_stream, places
from tokforge.tokenizer.streaming.borders import borders_of

WORDS = ("a", "this", "belt", "tte", "<s>", "ab", "5", ".", "#", "\u6f22", "\u3002", "\u044f", "e\u0301")
SPACES = (" ", "  ", "\n", "\r\n", "\t", "\u2581", "\u3000", " \u0301", "\u200b ", "")
TEXTS = st.lists(
    st.sampled_from(WORDS + SPACES + SPACES) | st.characters(exclude_categories=["Cs"]), max_size=30
).map("".join)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(blocks, "_PART_BYTES", 3)
    monkeypatch.setattr(places, "_LOOK_BACK", 24)


def streamed(tokenizer, data, cuts, allowed="none", threads=1):
    blocks = [data[start:end] for start, end in pairwise([0, *sorted(cuts), len(data)])]
    done = list(encode_stream(tokenizer, blocks, allowed_special=allowed, threads=threads))
    assert b"".join(one.data for one in done) == data
    return [token for one in done for token in one.ids.tolist()]


def agrees(tokenizer, text, data, allowed):
    raw = text.encode()
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=12))
    assert streamed(tokenizer, raw, cuts, allowed) == tokenizer.encode(raw, allowed_special=allowed).tolist()


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=150)
@given(
    text=TEXTS,
    normalizer=st.sampled_from([*NORMALIZERS]),
    stage=st.sampled_from([*STAGES]),
    allowed=st.sampled_from(["none", "all"]),
    data=st.data(),
)
def test_parts_of_small_tokenizers(tmp_path_factory, model, text, normalizer, stage, allowed, data):
    tokenizer, _ = loaded(tmp_path_factory.mktemp("borders"), model, normalizer, stage)
    agrees(tokenizer, text, data, allowed)


@pytest.fixture(scope="module", params=SENTENCEPIECE)
def pieces(request, tmp_path_factory):
    return Tokenizer.load(sentencepiece_model(tmp_path_factory.mktemp("pieces"), request.param))


@settings(max_examples=150)
@given(text=TEXTS, data=st.data())
def test_parts_of_sentencepiece_models(pieces, text, data):
    agrees(pieces, text, data, "none")


def unigram_of_near_ties(folder):
    """`ab` scores as `a` and `b` do together, up to how the sum so far is rounded."""
    scores = [
        ("<unk>", 0.0),
        ("\u2581", -0.1),
        ("a", -0.1),
        ("b", -0.2),
        ("ab", -0.3),
        ("\u2581a", -0.2),
        ("\n", -1.0),
    ]
    theirs = HuggingFace(models.Unigram(scores, unk_id=0))
    theirs.pre_tokenizer = pre_tokenizers.Metaspace(split=False)
    theirs.add_tokens(["#"])
    theirs.save(str(folder / "tokenizer.json"))
    return Tokenizer.load(folder / "tokenizer.json"), theirs


def test_unigrams_sum_is_carried_from_part_to_part(tmp_path):
    tokenizer, theirs = unigram_of_near_ties(tmp_path)
    text = ("ab " * 40 + "ba abab # ab ") * 20
    whole = tokenizer.encode(text).tolist()
    assert borders_of(tokenizer, "none").carries
    assert whole == theirs.encode(text).ids
    apart = [i for word in text.split() for i in tokenizer.encode(word).tolist()]
    assert len(apart) != len(whole)  # the place in the text decides
    for size in (7, 100, 3000):
        assert streamed(tokenizer, text.encode(), range(size, len(text), size), threads=2) == whole


def test_sums_of_single_precision_begin_anew_where_those_of_the_whole_do(tmp_path):
    tokenizer = Tokenizer.load(sentencepiece_model(tmp_path, "unigram"))
    text = ("this is a bet that she hits; a  late tale\n" * 1500).encode()
    assert len(tokenizer.encode(text)) > 100_000 / 5  # the sums fall below -100,000
    assert streamed(tokenizer, text, range(1000, len(text), 1000)) == tokenizer.encode(text).tolist()


def test_a_guard_is_no_added_token_and_no_border_lies_behind_one(tmp_path):
    theirs = HuggingFace(MODELS["byte fallback"])
    theirs.normalizer = NORMALIZERS["llama"]
    theirs.add_tokens([AddedToken("<tool>", normalized=False), "ab"])
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path / "tokenizer.json")
    text = b"ab t<tool> ab b ab<tool> a"
    assert streamed(tokenizer, text, range(1, len(text))) == theirs.encode(text.decode()).ids
    theirs.add_tokens(["a"])
    theirs.save(str(tmp_path / "tokenizer.json"))
    assert not can_stream(Tokenizer.load(tmp_path / "tokenizer.json"))


@pytest.mark.parametrize(
    "token",
    [
        {"content": "t t"},
        {"content": "<x>", "lstrip": True},
        {"content": "<x>", "rstrip": True},
        {"content": " t", "single_word": True},
        {"content": "b\u2581"},
    ],
)
def test_added_tokens_that_lie_across_a_border_are_held_whole(tmp_path, token):
    theirs = HuggingFace(MODELS["byte fallback"])
    theirs.normalizer = NORMALIZERS["llama"]
    theirs.add_tokens([AddedToken(**token, normalized=True)])
    theirs.save(str(tmp_path / "tokenizer.json"))
    assert not can_stream(Tokenizer.load(tmp_path / "tokenizer.json"))


def test_texts_that_are_replaced_across_white_space_are_held_whole(tmp_path):
    theirs = HuggingFace(MODELS["byte fallback"])
    theirs.normalizer = normalizers.Replace("t a", "b")
    theirs.save(str(tmp_path / "tokenizer.json"))
    assert not can_stream(Tokenizer.load(tmp_path / "tokenizer.json"))


def test_no_border_lies_where_a_token_does(tmp_path):
    tokens = [
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "\u2581",
        "t",
        ">",
        ">\u2581",
        "t\u2581t",
        "\u2581t",
    ]
    merges = [(">", "\u2581"), ("\u2581", "t"), ("t", "\u2581t")]
    theirs = HuggingFace(models.BPE({t: i for i, t in enumerate(tokens)}, merges, byte_fallback=True))
    theirs.normalizer = NORMALIZERS["llama"]
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path / "tokenizer.json")
    behind = borders_of(tokenizer, "none").behind[ord(" ")]
    assert behind[b"a"]
    assert not behind[b">"]
    assert not behind[b"t"]
    text = b"t t> > a t a t> t\n> t"
    assert streamed(tokenizer, text, range(1, len(text))) == theirs.encode(text.decode()).ids


BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
GPT2 = PATTERNS["gpt2"][0]
CL100K = PATTERNS["llama3"][0]


def bpe(tokens, *merges, **options):
    names = dict.fromkeys([*tokens, *map("".join, merges)])
    return models.BPE({name: at for at, name in enumerate(names)}, list(merges), **options)


def of_bytes(*merges):
    return bpe(BYTES, *merges)


def of_characters(tokens, *merges):
    return bpe(["<unk>", *tokens], *merges, unk_token="<unk>")


def bytes_behind(*stages):
    return pre_tokenizers.Sequence(
        [*stages, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def split_by(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


SEEN_ACROSS = {
    "a letter that becomes a letter and a mark": (
        of_bytes(("\u0123", "\u010a")),
        normalizers.NFD(),
        bytes_behind(split_by(CL100K)),
        "caf\u00e9\n\nso",
    ),
    "a line feed that becomes a space": (
        of_bytes(("\u0120", "s")),
        normalizers.Nmt(),
        bytes_behind(split_by(GPT2)),
        "ok\nso",
    ),
    "a line feed that no splitter cuts behind": (
        of_bytes(("\u010a", "s")),
        None,
        bytes_behind(split_by(r"\p{Han}+")),
        "ok\nso",
    ),
    "an added token that goes on behind a line feed": (
        of_bytes(),
        None,
        bytes_behind(split_by(GPT2)),
        "ok\nsoon",
    ),
    "an added token that ends in what a character becomes": (
        of_characters("\u2581\nabk"),
        normalizers.Lowercase(),
        pre_tokenizers.Metaspace(split=False),
        "a AB\na",
    ),
    "a character that is lost": (bpe("t b", ("t", " ")), None, None, "t\u00e9 b"),
    "a byte that is lost": (
        bpe(set(BYTES) - {"5"}, ("t", "\u0120")),
        None,
        bytes_behind(),
        "t5 b",
    ),
    "an unknown token that is held back": (
        bpe(
            ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256) if byte != 0xF4)],
            unk_token="<unk>",
            byte_fallback=True,
        ),
        None,
        None,
        "\U0010ffff,\n,\n,\n",
    ),
    "a mark before every piece": (
        of_characters("\u2581a,\n"),
        None,
        pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.Metaspace(split=False)]),
        "a,\na",
    ),
    "a space before every piece": (
        of_bytes(),
        None,
        pre_tokenizers.Sequence(
            [split_by(r"\p{Han}+"), pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)]
        ),
        "\u6f22\na\u6f22\na",
    ),
    "a separator that becomes two": (
        of_characters("a \n", ("a", " "), (" ", "\n")),
        normalizers.Replace("\n", " \n"),
        None,
        "a\na",
    ),
    "two separators that become a letter": (
        models.WordLevel({"[UNK]": 0, "a": 1, "aba": 2}, unk_token="[UNK]"),
        normalizers.Replace("  ", "b"),
        pre_tokenizers.WhitespaceSplit(),
        "a a  a",
    ),
    "a token that ends inside a separator": (
        of_bytes(("a", "\u00e2")),
        normalizers.Replace(" ", "\u2581"),
        bytes_behind(),
        "a a",
    ),
}


@pytest.mark.parametrize("case", SEEN_ACROSS)
def test_what_is_seen_across_a_separator_is_no_border(tmp_path, case):
    model, normalizer, stage, text = SEEN_ACROSS[case]
    theirs = HuggingFace(model)
    if normalizer is not None:
        theirs.normalizer = normalizer
    if stage is not None:
        theirs.pre_tokenizer = stage
    theirs.add_tokens([AddedToken("\nsoon", normalized=False), AddedToken("ab", normalized=True)])
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path / "tokenizer.json")
    assert streamed(tokenizer, text.encode(), range(1, len(text.encode()))) == theirs.encode(text).ids


def test_a_byte_that_is_missing_forbids_no_border_at_known_white_space(tmp_path):
    """Gemini has the tab as a character alone."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256) if byte != 9), "\t", " ", "a"]
    HuggingFace(bpe(names, unk_token="<unk>", byte_fallback=True)).save(str(tmp_path / "tokenizer.json"))
    assert [*borders_of(Tokenizer.load(tmp_path / "tokenizer.json"), "none").behind] == [ord(" ")]


def test_a_sum_that_begins_anew_with_each_piece_is_not_carried(tmp_path):
    _, theirs = unigram_of_near_ties(tmp_path)
    theirs.normalizer = normalizers.Replace(" ", "_")
    theirs.pre_tokenizer = pre_tokenizers.Metaspace()
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer, text = Tokenizer.load(tmp_path / "tokenizer.json"), "ab\u2581ab\n" * 300
    assert streamed(tokenizer, text.encode(), range(9, len(text), 9)) == theirs.encode(text).ids


def model_with_rule(folder, source, target):
    """A sentencepiece model whose charsmap replaces one text by another."""
    library = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    codes = "\t".join(" ".join(f"{ord(char):X}" for char in text) for text in (source, target))
    (folder / "rules.tsv").write_text(codes + "\n")
    (folder / "corpus").write_text("this is a bet that she hits\n" * 50)
    library.SentencePieceTrainer.train(
        input=str(folder / "corpus"), model_prefix=str(folder / "m"), vocab_size=30, minloglevel=2,
        hard_vocab_limit=False, normalization_rule_tsv=str(folder / "rules.tsv"),
    )  # fmt: skip
    return Tokenizer.load(folder / "m.model")


def test_a_charsmap_that_replaces_across_white_space_is_held_whole(tmp_path):
    assert can_stream(model_with_rule(tmp_path, "ab", "x"))
    assert not can_stream(model_with_rule(tmp_path, "a b", "x"))


def test_no_border_lies_behind_what_is_rewritten_behind_another(tmp_path):
    tokenizer = model_with_rule(tmp_path, "st", "  ")
    behind = borders_of(tokenizer, "none").behind[ord(" ")]
    assert behind[b"s"]
    assert not behind[b"t"]
    text = b"a st  that hits st bet"
    assert streamed(tokenizer, text, range(1, len(text))) == tokenizer.encode(text).tolist()


def test_no_border_lies_behind_what_becomes_white_space(tmp_path):
    tokenizer = model_with_rule(tmp_path, "t", "t ")
    behind = borders_of(tokenizer, "none").behind[ord(" ")]
    assert behind[b"s"]
    assert not behind[b"t"]
    text = b"a bet  that hits this bet"
    assert streamed(tokenizer, text, range(1, len(text))) == tokenizer.encode(text).tolist()


PROSE = (
    "A few Words, and more of it; 5 words\u3002\n\u6f22\u5b57\u3002\n\u6f22\u5b57 caf\u00e9\n/path\n\n" * 8
)


@pytest.fixture(
    scope="module",
    params=["gpt2", "cl100k", "o200k", "deepseek-v3", "chinese", "superbpe", "boundless", "digits gpt2"],
)
def normalized(request, tmp_path_factory):
    """Byte-level BPE behind a splitter and a Unicode form, with a token that is looked for in text."""
    path = tmp_path_factory.mktemp("prose") / "text"
    path.write_text(PROSE)
    name, *before = request.param.split()[::-1]
    plain = train_bpe(path, vocab_size=420, pretokenizer=name)
    tool = OurAddedToken(id=plain.vocab_size, text="<tool>", special=False)
    return Tokenizer.from_parts(
        [*plain.table.ordinary(), None],
        plain.merges,
        pipeline=replace(
            plain.pipeline,
            normalizers=("NFC",),
            pretokenizers=(*(Digits(individual_digits=True) for _ in before), *plain.pipeline.pretokenizers),
        ),
        added_tokens=[*plain.added_tokens, tool],
    )


LETTERS = (
    "a",
    " and",
    "Words",
    "\u6f22",
    "caf\u00e9",
    "e\u0301",
    "5",
    ",",
    "\u3002",
    "/",
    "<tool>",
    "'s",
    "\u0301",
)


@settings(max_examples=150)
@given(text=st.lists(st.sampled_from(LETTERS + SPACES), max_size=30).map("".join), data=st.data())
def test_parts_of_byte_level_models_behind_a_normalizer(normalized, text, data):
    agrees(normalized, text, data, "none")


def test_words_that_run_on_know_no_border(normalized):
    runs_on = normalized.pipeline.pretokenizers[-1] in ("superbpe", "boundless")
    assert can_stream(normalized) == (not runs_on)
    whole = normalized.encode(PROSE).tolist()
    assert streamed(normalized, PROSE.encode(), range(9, len(PROSE), 9), threads=2) == whole


def test_pieces_that_are_tokens_whole_are_not_cut(tmp_path):
    tokens = [*(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "t", "tt"]
    model = models.BPE({t: i for i, t in enumerate(tokens)}, [], byte_fallback=True, ignore_merges=True)
    HuggingFace(model).save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path / "tokenizer.json")
    assert not can_stream(tokenizer)
    assert streamed(tokenizer, b"tt tt", range(1, 5)) == tokenizer.encode(b"tt tt").tolist()
