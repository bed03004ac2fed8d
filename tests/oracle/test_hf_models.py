"""Every model and pipeline against Hugging Face's own: small tokenizers, trained on the spot."""

import json
import random

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tokforge import errors, train_bpe
from tokforge.tokenizer import Tokenizer as Ours
from tokforge.tokenizer.edit import prune
from tokforge.tokenizer.edit.pretokens import count_pretokens
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition
from tokforge.tokenizer.formats.serde_float import read_float, write_float

pytestmark = pytest.mark.oracle

TEXTS = (
    "The quick brown fox jumps over the lazy dog, isn't it? The dog's 12 lazy 1234567 days!",
    "Füße naïve École e\u0301te\u0301 ŒUVRE straße ΑΣΣ Ελληνικά ﬁne Ⅷ ½ ² ① ㌀",
    "中文字符和日本語テキスト、カタカナ 한국어 문장 हिन्दी ไทย العربية",
    "  two  spaces\tand\ttabs\n\nnew lines\r\nand   more   ",
    "a<b>c &amp; {x: [1, 2]} f(x) = x**2; # comment -- ok -> ▁under▁ ##hash",
)
PIECES = [
    *"aábcdeÄéßſ ΣςИж中文字あアㄱ가ไ1٣½ⅧＡ,.!?'-_#▁$€😀",
    "👩\u200d👩",
    "\u0301",
    "\u0308",
    "\u200d",
    "\ufeff",
]
PIECES += [
    "\t",
    "\n",
    "\r\n",
    "\xa0",
    "\u3000",
    "\u200b",
    "\xad",
    "\x00",
    "\x7f",
    "\ufffd",
    "ﬁ",
    "ﷺ",
    "a\u0301",
]
PIECES += [
    "the ",
    " dog",
    "The",
    "lazy",
    "  ",
    "<s>",
    "</s>",
    "<unk>",
    "[UNK]",
    "<0x41>",
    "12",
    "ing",
    "\u0600",
]
BERT = normalizers.BertNormalizer
REPLACE = normalizers.Replace(" ", "▁")


def trained(model, trainer, normalizer=None, pre_tokenizer=None, decoder=None):
    hf = Tokenizer(model)
    if normalizer:
        hf.normalizer = normalizer
    if pre_tokenizer:
        hf.pre_tokenizer = pre_tokenizer
    if decoder:
        hf.decoder = decoder
    hf.train_from_iterator(TEXTS * 5, trainer)
    return hf


def bpe(size=200, pre_tokenizer=None, normalizer=None, decoder=None, specials=("<unk>",), **more):
    flags = {"unk_token": "<unk>", "fuse_unk": True, **more}
    named = {key: flags[key] for key in ("continuing_subword_prefix", "end_of_word_suffix") if key in flags}
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), limit_alphabet=60, show_progress=False, **named
    )
    return trained(models.BPE(**flags), trainer, normalizer, pre_tokenizer, decoder)


def unigram(pre_tokenizer=None, normalizer=None, decoder=None, size=150):
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    return trained(models.Unigram(), trainer, normalizer, pre_tokenizer, decoder)


def word_piece(pre_tokenizer, normalizer=None, **more):
    trainer = trainers.WordPieceTrainer(
        vocab_size=250, special_tokens=["[UNK]", "[CLS]"], limit_alphabet=80, show_progress=False
    )
    model = models.WordPiece(unk_token="[UNK]", **more)
    return trained(model, trainer, normalizer, pre_tokenizer, decoders.WordPiece())


def word_level(pre_tokenizer):
    trainer = trainers.WordLevelTrainer(vocab_size=60, special_tokens=["[UNK]"], show_progress=False)
    return trained(models.WordLevel(unk_token="[UNK]"), trainer, None, pre_tokenizer)


def with_fallback(hf):
    """Puts the 256 byte tokens behind the vocabulary and falls back to them."""
    parts = json.loads(hf.to_str())
    model = parts["model"]
    model["byte_fallback"] = True
    keys = [f"<0x{value:02X}>" for value in range(256)]
    if model["type"] == "Unigram":
        model["vocab"] += [[key, -3.0] for key in keys]
    else:
        model["vocab"] |= {key: len(model["vocab"]) + number for number, key in enumerate(keys)}
    return Tokenizer.from_str(json.dumps(parts))


LLAMA = normalizers.Sequence([normalizers.Prepend("▁"), REPLACE])
LLAMA_DECODER = decoders.Sequence(
    [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
)
META = pre_tokenizers.Metaspace
CASES = {
    "llama": lambda: with_fallback(bpe(normalizer=LLAMA, decoder=LLAMA_DECODER)),
    "llama-unfused": lambda: bpe(normalizer=LLAMA, fuse_unk=False),
    "gemma": lambda: with_fallback(
        bpe(normalizer=REPLACE, pre_tokenizer=pre_tokenizers.Split(" ", "merged_with_previous"))
    ),
    "bpe-lost": lambda: bpe(unk_token=None, specials=()),
    "bpe-metaspace-first": lambda: bpe(
        pre_tokenizer=META(prepend_scheme="first"), decoder=decoders.Metaspace(prepend_scheme="first")
    ),
    "bpe-ignore-merges": lambda: bpe(pre_tokenizer=pre_tokenizers.WhitespaceSplit(), ignore_merges=True),
    "bpe-suffix": lambda: bpe(
        pre_tokenizer=pre_tokenizers.Whitespace(),
        end_of_word_suffix="</w>",
        decoder=decoders.BPEDecoder("</w>"),
    ),
    "bpe-prefix": lambda: bpe(pre_tokenizer=pre_tokenizers.Whitespace(), continuing_subword_prefix="##"),
    "unigram-whole": lambda: unigram(normalizer=normalizers.NFKC()),
    "unigram-xlmr": lambda: unigram(
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), META()]), normalizers.Nmt()
    ),
    "unigram-t5": lambda: with_fallback(
        unigram(
            META(), normalizers.Sequence([normalizers.Strip(), normalizers.Lowercase()]), decoders.Metaspace()
        )
    ),
    "unigram-never": lambda: unigram(META(prepend_scheme="never", split=False)),
    "bert": lambda: word_piece(pre_tokenizers.BertPreTokenizer(), BERT()),
    "bert-cased": lambda: word_piece(
        pre_tokenizers.BertPreTokenizer(), BERT(lowercase=False), max_input_chars_per_word=8
    ),
    "bert-accents": lambda: word_piece(
        pre_tokenizers.BertPreTokenizer(),
        BERT(clean_text=False, handle_chinese_chars=False, strip_accents=False),
    ),
    "word-piece-spaces": lambda: word_piece(
        pre_tokenizers.WhitespaceSplit(),
        normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
    ),
    "word-level": lambda: word_level(
        pre_tokenizers.Sequence([pre_tokenizers.Punctuation("removed"), pre_tokenizers.Whitespace()])
    ),
    "byte-level-prefix-space": lambda: byte_level(),
}


def byte_level():
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    return trained(
        models.BPE(),
        trainer,
        None,
        pre_tokenizers.Sequence(
            [pre_tokenizers.Split("-", "merged_with_next"), pre_tokenizers.ByteLevel(add_prefix_space=True)]
        ),
        decoders.ByteLevel(),
    )


BEHAVIORS = ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous")
SPLITS = [
    *(pre_tokenizers.Split("a", behavior, invert) for behavior in BEHAVIORS for invert in (False, True)),
    *(pre_tokenizers.Punctuation(behavior) for behavior in BEHAVIORS),
    pre_tokenizers.Digits(individual_digits=False),
    pre_tokenizers.Digits(individual_digits=True),
    pre_tokenizers.CharDelimiterSplit("e"),
    pre_tokenizers.Whitespace(),
    pre_tokenizers.WhitespaceSplit(),
    pre_tokenizers.BertPreTokenizer(),
    META("_", prepend_scheme="always"),
]


def probes(count=400):
    chosen = random.Random(7)
    return [
        *TEXTS,
        "",
        " ",
        "▁",
        *("".join(chosen.choices(PIECES, k=chosen.randrange(1, 24))) for _ in range(count)),
    ]


def compare(hf, count=400, *, decoding=True):
    hf.encode_special_tokens = True
    ours = Ours(read_definition(hf.to_str().encode(), "tokenizer.json"))
    again = Ours(read_definition(write_definition(ours.definition), "written"))
    for text in probes(count):
        expected = hf.encode(text, add_special_tokens=False).ids
        assert ours.encode(text).tolist() == expected, text
        assert again.encode(text).tolist() == expected, text
        if decoding:
            assert ours.decode_text(expected) == hf.decode(expected, skip_special_tokens=False), text
    ids, bounds = ours.encode_batch(probes(50), threads=2)
    for number, text in enumerate(probes(50)):
        assert ids[bounds[number] : bounds[number + 1]].tolist() == ours.encode(text).tolist()


@pytest.mark.parametrize("name", CASES)
def test_ids_and_text_are_hugging_faces(name):
    compare(CASES[name]())


@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_pieces_are_hugging_faces(split):
    compare(bpe(pre_tokenizer=split), 150)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD", "Nmt", "StripAccents", "Lowercase"])
def test_normalisers_are_hugging_faces(form):
    from tokforge import _core

    names = {"Nmt": "nmt", "StripAccents": "strip_accents", "Lowercase": "lowercase"}
    ours, theirs = _core.Normalizer([(names.get(form, form),)]), getattr(normalizers, form)()
    for text in probes(2000):
        assert ours.apply(text.encode()).decode() == theirs.normalize_str(text), text


def test_added_tokens_are_found_as_hugging_face_finds_them():
    hf = CASES["llama"]()
    flags = ({"lstrip": True}, {"rstrip": True}, {"single_word": True}, {"normalized": False}, {})
    hf.add_tokens([AddedToken(f"dog{number}", **flag) for number, flag in enumerate(flags)])
    hf.add_special_tokens(["<|end|>"])
    ours = Ours(read_definition(hf.to_str().encode(), "tokenizer.json"))
    chosen = random.Random(3)
    words = [*(f"dog{number}" for number in range(5)), " ", "a", "  ", "<|end|>", "é", "_", "dog"]
    for _ in range(400):
        text = "".join(chosen.choices(words, k=chosen.randrange(1, 9)))
        expected = hf.encode(text, add_special_tokens=False).ids
        assert ours.encode(text, allowed_special="all").tolist() == expected, text


def test_a_saved_tokenizer_is_proven(tmp_path):
    for name in ("llama", "unigram-t5", "bert", "bpe-suffix"):
        ours = Ours(read_definition(CASES[name]().to_str().encode(), "tokenizer.json"))
        saved = Ours.load(ours.save(tmp_path / f"{name}.json"))
        assert saved.definition == ours.definition


PRUNED = [
    name for name in CASES if not name.startswith(("bpe-ignore", "bpe-suffix", "bpe-prefix", "word-level"))
]


@pytest.mark.parametrize("name", PRUNED)
def test_a_pruned_tokenizer_has_hugging_faces_ids(name):
    ours = Ours(read_definition(CASES[name]().to_str().encode(), "tokenizer.json"))
    texts = count_pretokens(ours, [[text.encode() for text in TEXTS[:2]]])
    after, id_map, _ = prune(ours, texts, ours.vocab_size - 10)
    hf = Tokenizer.from_str(write_definition(after.definition).decode())
    hf.encode_special_tokens = True
    unk_id = ours.definition.model.unk_id
    for text in probes():
        ids, old = after.encode(text), ours.encode(text)
        assert ids.tolist() == hf.encode(text, add_special_tokens=False).ids, text
        if not {*old.tolist()} & {*id_map.removed.tolist(), unk_id}:
            assert ids.tolist() == id_map.apply(old).tolist(), text


@pytest.mark.parametrize("name", ["llama", "llama-unfused", "gemma", "bpe-lost", "bpe-metaspace-first"])
def test_an_extended_tokenizer_has_hugging_faces_ids(name, tmp_path):
    old = Ours(read_definition(CASES[name]().to_str().encode(), "tokenizer.json"))
    (tmp_path / "new.txt").write_text("The dogs' days: zyxw zyxw, naïve 12 été été. " * 9)
    goal = max(old.vocab_size + 12, 256)
    after = train_bpe([tmp_path / "new.txt"], vocab_size=goal, preset="text", extend=old)
    assert after.vocab_size > old.vocab_size
    hf = Tokenizer.from_file(str(after.save(tmp_path / "extended.json")))
    hf.encode_special_tokens = True
    changed = 0
    for text in [*probes(), "zyxw été"]:
        ids, before = after.encode(text), old.encode(text)
        assert ids.tolist() == hf.encode(text, add_special_tokens=False).ids, text
        if (ids < old.vocab_size).all():
            assert ids.tolist() == before.tolist(), text
        changed += len(ids) < len(before)
    assert changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pre_tokenizer": {"type": "UnicodeScripts"}}, "pre_tokenizer: the pre-tokenizer 'UnicodeScripts'"),
        ({"decoder": {"type": "CTC"}}, "decoder: the decoder 'CTC'"),
        ({"normalizer": {"type": "Upper"}}, "normalizer: the normaliser 'Upper'"),
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}, "the charsmap is cut off"),
    ],
)
def test_what_cannot_be_exact_is_refused_by_name(change, message):
    parts = json.loads(CASES["llama-unfused"]().to_str()) | change
    with pytest.raises(errors.FormatError, match=message):
        read_definition(json.dumps(parts).encode(), "tokenizer.json")


def test_scores_are_read_and_written_as_hugging_face_reads_them():
    """Its JSON parser rounds twice: one score in eight comes out one unit in the last place off."""
    chosen = random.Random(5)
    literals = [repr(-chosen.random() * 20) for _ in range(2000)]
    literals += ["-1.2345678901234567890123", "1e-5", "-3", "12345678901234567890123.5", "1.5E+3", "1e-310"]
    theirs = scores_of(literals)
    assert [read_float(literal) for literal in literals] == theirs
    assert scores_of([write_float(score) for score in theirs]) == theirs


def scores_of(literals):
    hf = Tokenizer(models.Unigram([("<unk>", 0.0)], 0))
    parts = json.loads(hf.to_str())
    parts["model"]["vocab"] = [[f"p{number}", number] for number in range(len(literals))]
    text = json.dumps(parts)
    for number, literal in enumerate(literals):
        text = text.replace(f'["p{number}", {number}]', f'["p{number}", {literal}]', 1)
    return [score for _, score in json.loads(Tokenizer.from_str(text).to_str())["model"]["vocab"]]
