"""Small tokenizers of every model behind every normaliser and stage, made on the spot."""

import pytest
from tokenizers import Regex, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as HuggingFace

from tokforge import Tokenizer

MODELS = {
    "word piece": models.WordPiece(
        {t: i for i, t in enumerate(["[UNK]", *"abehilst.#", "##e", "##l", "##s", "th", "##is", "##he"])},
        unk_token="[UNK]",
    ),
    "word level": models.WordLevel({"[UNK]": 0, "a": 1, "this": 2, "\u2581a": 3}, unk_token="[UNK]"),
    "unigram": models.Unigram(
        [
            ("<unk>", 0.0),
            ("\u2581", -2.0),
            *((c, -3.0) for c in "abehilst"),
            ("\u2581th", -3.5),
            ("is", -4.0),
        ],
        unk_id=0,
    ),
    "characters": models.BPE(
        {t: i for i, t in enumerate(["<unk>", "\u2581", *"abehilst", "th", "is", "\u2581th"])},
        [("t", "h"), ("i", "s"), ("\u2581", "th")],
        unk_token="<unk>",
        fuse_unk=True,
    ),
    "lone unknowns": models.BPE({"<unk>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")], unk_token="<unk>"),
    "byte fallback": models.BPE(
        {t: i for i, t in enumerate([*(f"<0x{b:02X}>" for b in range(256)), *"abt", "ab"])},
        [("a", "b")],
        byte_fallback=True,
    ),
    "affixes": models.BPE(
        {t: i for i, t in enumerate(["<unk>", *"abt", "##a", "##b", "a</w>", "##b</w>", "##t</w>", "ab"])},
        [("a", "##b")],
        unk_token="<unk>",
        continuing_subword_prefix="##",
        end_of_word_suffix="</w>",
    ),
}
NORMALIZERS = {
    "none": None,
    **{form: getattr(normalizers, form)() for form in ("NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase")},
    "bert": normalizers.BertNormalizer(),
    "strip": normalizers.Sequence([normalizers.Strip(), normalizers.NFD(), normalizers.StripAccents()]),
    "llama": normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]),
    "replace": normalizers.Sequence(
        [normalizers.Replace(Regex(" {2,}"), "a "), normalizers.Replace("ab", "")]
    ),
}
STAGES = {
    "none": None,
    "bert": pre_tokenizers.BertPreTokenizer(),
    "metaspace": pre_tokenizers.Metaspace(),
    "first": pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
    "first cut": pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex("[\u2044\u0301a]"), "isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="first"),
        ]
    ),
    "words": pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]),
    "removed": pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Split("b", "removed")]),
}


def loaded(folder, model, normalizer, stage):
    theirs = HuggingFace(MODELS[model])
    if NORMALIZERS[normalizer] is not None:
        theirs.normalizer = NORMALIZERS[normalizer]
    if STAGES[stage] is not None:
        theirs.pre_tokenizer = STAGES[stage]
    theirs.add_tokens(["tte"])
    theirs.add_special_tokens(["<s>"])
    theirs.save(str(folder / "tokenizer.json"))
    return Tokenizer.load(folder / "tokenizer.json"), theirs


SENTENCEPIECE = {
    "unigram": {},
    "bpe": {"model_type": "bpe", "byte_fallback": True, "vocab_size": 300},
    "bare": {
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
    },
    "suffix": {"treat_whitespace_as_suffix": True, "user_defined_symbols": ["tte", "a b"]},
    "behind": {"treat_whitespace_as_suffix": True, "model_type": "bpe"},
    "folded": {"normalization_rule_name": "nmt_nfkc_cf", "model_type": "bpe"},
}


def sentencepiece_model(folder, name):
    """Trains the model of `SENTENCEPIECE` and returns its path."""
    library = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    (folder / "corpus").write_text("this is a bet that she hits; a  late tale\n" * 50)
    options = {"vocab_size": 40, "minloglevel": 2, "hard_vocab_limit": False} | SENTENCEPIECE[name]
    library.SentencePieceTrainer.train(
        input=str(folder / "corpus"), model_prefix=str(folder / "m"), **options
    )
    return str(folder / "m.model")
