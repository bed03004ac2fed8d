"""Ids equal those of Hugging Face tokenizers, tiktoken and transformers, on files both ways."""

import json
import random

import numpy as np
import pytest
import tiktoken
from tokenizers import AddedToken as HfAddedToken
from tokenizers import (
    Regex,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from tokenizers import (
    Tokenizer as HfTokenizer,
)

from tokforge import AddedToken, Tokenizer, bytes_to_hf, train_bpe
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.formats.hf_json import read_definition
from tokforge.tokenizer.pretokenizers import PATTERNS

pytestmark = pytest.mark.oracle

TIKTOKEN_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
CORPUS = [
    "The quick brown fox doesn't jump; it'll WE'LL 12345 67 ... \n\n  x = y[0] + 1;\r\n"
    "\tif (a_b) { return null; }\n" * 3,
    "naïve Füße École — «ça» русский текст 中文文本混合English 日本語テキスト "
    "हिन्दी ไทย 한국어 العربية 😀👩\u200d👧 ²½ 1234567" * 3,
    "  indented\n    more\n\n\nend   of\u00a0line\u3000 \r\n  " * 4,
]
ALPHABET = [
    *" \t\n\r\u00a0\u3000\x85'sStTrReEvVlLdDmMabcZé中文あ1234²½!.,-_/\u0301\u017f😀\u200d\x1c\x00_()",
    "ing",
    " the",
    "  ",
]


def random_texts(count, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices(ALPHABET, k=rng.randint(0, 24))) for _ in range(count)]


def hf_trained(pre_tokenizer, vocab_size=420, specials=("<|end|>", "<pad>"), normalizer=None):
    hf = HfTokenizer(models.BPE())
    hf.pre_tokenizer, hf.decoder = pre_tokenizer, decoders.ByteLevel()
    if normalizer:
        hf.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    hf.train_from_iterator(CORPUS, trainer)
    return hf


def split_then_bytes(patterns):
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence(
        [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


PRETOKENIZERS = {
    "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    **{name: split_then_bytes(patterns) for name, patterns in PATTERNS.items() if name != "gpt2"},
    r"regex:\p{L}+": split_then_bytes([r"\p{L}+"]),
}


def loaded(hf):
    return Tokenizer(read_definition(hf.to_str().encode(), "hf"))


def hf_ids(hf, text):
    hf.encode_special_tokens = True
    return hf.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("name", PRETOKENIZERS)
def test_ids_of_a_loaded_file_equal_hugging_face(name):
    hf = hf_trained(PRETOKENIZERS[name])
    ours = loaded(hf)
    assert ours.pipeline.pretokenizers == (name,)
    for text in [*CORPUS, *random_texts(300), "<|end|> and <pad>"]:
        assert ours.encode(text).tolist() == hf_ids(hf, text), text
        assert ours.decode_text(ours.encode(text)) == text


@pytest.mark.parametrize("name", PRETOKENIZERS)
def test_a_saved_file_gives_hugging_face_the_same_ids(name, tmp_path):
    ours = loaded(hf_trained(PRETOKENIZERS[name]))
    ours.save(tmp_path)
    hf = HfTokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in random_texts(200, seed=1):
        assert ours.encode(text).tolist() == hf_ids(hf, text), text
    assert Tokenizer.load(tmp_path) == ours


def test_starcoder_digits_then_gpt2(tmp_path):
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    hf = hf_trained(pre_tokenizers.Sequence(steps))
    ours = loaded(hf)
    assert ours.pipeline.pretokenizers == (r"regex:\p{N}", "gpt2")
    ours.save(tmp_path)
    again = HfTokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in random_texts(200):
        assert ours.encode(text).tolist() == hf_ids(hf, text) == hf_ids(again, text), text


def test_cl100k_equals_tiktoken_at_line_breaks_and_digits():
    trained = loaded(hf_trained(PRETOKENIZERS["cl100k"], specials=()))
    ranks = {token: rank for rank, token in enumerate(trained.table.tokens)}
    reference = tiktoken.Encoding("t", pat_str=TIKTOKEN_CL100K, mergeable_ranks=ranks, special_tokens={})
    for text in ["a\r  ", "12345", *CORPUS, *random_texts(2000)]:
        assert trained.encode(text).tolist() == reference.encode_ordinary(text), text


def test_a_tiktoken_split_kept_as_matches_is_the_same_stage():
    keep = pre_tokenizers.Split(Regex(PATTERNS["o200k"][0]), "removed", invert=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    hf = hf_trained(pre_tokenizers.Sequence([keep, byte_level]))
    ours = loaded(hf)
    assert ours.pipeline.pretokenizers == ("o200k",)
    assert all(ours.encode(text).tolist() == hf_ids(hf, text) for text in random_texts(200))


def test_literal_split_is_a_literal():
    split = pre_tokenizers.Split("a.b", "isolated")
    hf = hf_trained(pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)]))
    ours = loaded(hf)
    assert all(ours.encode(text).tolist() == hf_ids(hf, text) for text in ["xa.bx", "xaxbx", "a.ba.b"])


def test_ignore_merges_takes_whole_pretokens():
    parts = json.loads(hf_trained(PRETOKENIZERS["llama3"]).to_str())
    parts["model"]["ignore_merges"] = True
    parts["model"]["merges"] = parts["model"]["merges"][:20]
    hf = HfTokenizer.from_str(json.dumps(parts))
    ours = loaded(hf)
    for text in [*CORPUS, *random_texts(300)]:
        assert ours.encode(text).tolist() == hf_ids(hf, text), text


@pytest.mark.parametrize("form", ["NFC", "NFKC", "NFD", "NFKD"])
def test_normalised_text(form):
    hf = hf_trained(PRETOKENIZERS["qwen2"], normalizer=getattr(normalizers, form)())
    ours = loaded(hf)
    for text in ["e\u0301 ﬁ Å \u1e9b\u0323", *random_texts(200)]:
        assert ours.encode(text).tolist() == hf_ids(hf, text), text


@pytest.mark.parametrize("form", [None, "NFC"])
def test_added_tokens_are_matched_as_hugging_face_does(form):
    hf = hf_trained(PRETOKENIZERS["qwen2"], normalizer=form and getattr(normalizers, form)())
    hf.add_tokens(
        ["<tool>", "<tool>x", HfAddedToken("  ", normalized=False), HfAddedToken("éé", normalized=True)]
    )
    hf.add_special_tokens([HfAddedToken("<mask>", lstrip=True), HfAddedToken("<sep>", rstrip=True)])
    ours = loaded(hf)
    rng = random.Random(3)
    pieces = [
        "<tool>",
        "<tool>x",
        "  ",
        " ",
        "é",
        "éé",
        "e\u0301",
        "<mask>",
        "<sep>",
        "<pad>",
        "a",
        "\u3000",
        "\n",
        "<",
    ]
    for _ in range(500):
        text = "".join(rng.choices(pieces, k=rng.randint(0, 9)))
        assert ours.encode(text).tolist() == hf_ids(hf, text), text
        hf.encode_special_tokens = False
        expected = hf.encode(text, add_special_tokens=False).ids
        assert ours.encode(text, allowed_special="all").tolist() == expected, text


def test_legacy_merges_read_the_same():
    hf = hf_trained(PRETOKENIZERS["gpt2"])
    parts = json.loads(hf.to_str())
    parts["model"]["merges"] = [" ".join(pair) for pair in parts["model"]["merges"]]
    assert read_definition(json.dumps(parts).encode(), "legacy") == loaded(hf).definition


def binary_tokenizer():
    text = loaded(hf_trained(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)))
    return Tokenizer.from_parts(
        text.table.ordinary(), text.merges, pipeline=Pipeline("binary"), added_tokens=text.added_tokens
    )


def test_binary_vocabulary_is_fed_as_mapped_text(tmp_path):
    ours = binary_tokenizer()
    ours.save(tmp_path)
    hf = HfTokenizer.from_file(str(tmp_path / "tokenizer.json"))
    rng = random.Random(5)
    for _ in range(100):
        data = rng.randbytes(rng.randint(0, 80)) + b"the 12 \xff<|end|>"
        assert ours.encode(data).tolist() == hf_ids(hf, bytes_to_hf(data))
        assert ours.decode(ours.encode(data)) == data
    assert Tokenizer.load(tmp_path) == ours


def test_transformers_loads_file_and_folder(tmp_path):
    transformers = pytest.importorskip("transformers")
    base = loaded(hf_trained(PRETOKENIZERS["llama3"]))
    end, pad = base.added_tokens
    ours = Tokenizer.from_parts(
        base.table.ordinary(),
        base.merges,
        pipeline=base.pipeline,
        added_tokens=[AddedToken(end.id, end.text, ("bos", "eos")), AddedToken(pad.id, pad.text, ("pad",))],
    )
    path = ours.save_pretrained(tmp_path / "model")
    from_file = transformers.PreTrainedTokenizerFast(tokenizer_file=str(path))
    from_folder = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    assert (from_folder.bos_token, from_folder.eos_token, from_folder.pad_token) == (
        "<|end|>",
        "<|end|>",
        "<pad>",
    )
    assert len(from_folder) == ours.vocab_size
    for text in [*CORPUS, *random_texts(100), "a <pad> b"]:
        ids = ours.encode(text).tolist()
        for theirs in (from_file, from_folder):
            assert theirs.encode(text, add_special_tokens=False, split_special_tokens=True) == ids, text
            assert theirs.decode(ids) == text
    assert from_folder.encode("a <pad>", add_special_tokens=False)[-1] == pad.id


def test_transformers_takes_binary_as_mapped_text(tmp_path):
    transformers = pytest.importorskip("transformers")
    ours = binary_tokenizer()
    ours.save_pretrained(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    data = bytes(range(256)) + b"the end 12"
    assert theirs.encode(bytes_to_hf(data), add_special_tokens=False) == ours.encode(data).tolist()


@pytest.mark.parametrize("name", ["none", "o200k"])
def test_transformers_reads_what_the_trainer_saved(name, tmp_path):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "corpus.txt").write_text("".join(CORPUS * 5))
    options = {"vocab_size": 500, "pretokenizer": name, "preset": "text", "multiple_of": 64}
    ours = train_bpe(tmp_path / "corpus.txt", special_tokens=("<|end|>",), **options)
    assert ours.vocab_size == 512
    ours.save_pretrained(tmp_path / "model")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    for text in [*CORPUS, *random_texts(100), "a <|end|> b <|reserved_0|>"]:
        fed = bytes_to_hf(text.encode()) if name == "none" else text
        ids = theirs.encode(fed, add_special_tokens=False, split_special_tokens=True)
        assert ids == ours.encode(text).tolist(), text


def test_batches_equal_single_documents():
    ours = loaded(hf_trained(PRETOKENIZERS["gpt2"]))
    texts = random_texts(50)
    ids, boundaries = ours.encode_batch(texts)
    for number, text in enumerate(texts):
        assert np.array_equal(ids[boundaries[number] : boundaries[number + 1]], ours.encode(text))
