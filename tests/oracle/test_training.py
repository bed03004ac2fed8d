"""Merges equal those of Hugging Face's trainer, ties included; and where it is wrong, ours are right."""

import json
import random
from collections import Counter

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from tokforge import _core, bytes_to_hf
from tokforge.bpe import BpeConfig, train_from_counts
from tokforge.bpe._reference import learn_merges_slow
from tokforge.tokenizer import initial_bytes
from tokforge.tokenizer.pretokenizers import stage_patterns

pytestmark = pytest.mark.oracle

TOKENS = initial_bytes()
BYTE_IDS = [TOKENS.index(bytes((byte,))) for byte in range(256)]
# Two or three letters: runs and ties, where trainers differ. The rest: what splitters disagree on.
ALPHABETS = ["ab", "abc", "ab ", "aé ", "a b's\n1", "abcdefgh  ", "a\r\n\t 中1"]
SPLITTERS = ["none", "gpt2", "llama3", "o200k", "qwen2", "deepseek-v3"]


def hf_merges(documents, splitter, size, min_frequency, longest):
    tokenizer = Tokenizer(models.BPE())
    if splitter == "none":
        documents = [bytes_to_hf(document.encode()) for document in documents]
    else:
        splits = [pre_tokenizers.Split(Regex(p), "isolated") for p in stage_patterns(splitter)]
        spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, spell])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=None if longest is None else longest + 1,  # HF's limit is exclusive
    )
    tokenizer.train_from_iterator(documents, trainer)
    return [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]


def our_merges(documents, splitter, size, min_frequency, longest, threads):
    if splitter == "none":
        corpus = _core.ByteCorpus()
        for document in documents:
            corpus.add(document.encode())
    else:
        corpus = _core.WordCounts(_core.Splitter([splitter]), threads)
        corpus.add([document.encode() for document in documents])
    training = _core.train(
        corpus,
        tokens=TOKENS,
        byte_ids=BYTE_IDS,
        vocab_size=size,
        min_frequency=min_frequency,
        max_token_bytes=longest,
        threads=threads,
    )
    tokens = list(TOKENS)
    spelled = []
    for left, right, _ in training.merges:
        spelled.append((bytes_to_hf(tokens[left]), bytes_to_hf(tokens[right])))
        tokens.append(tokens[left] + tokens[right])
    return spelled


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_merges_equal_hugging_face(splitter):
    draw = random.Random(splitter)
    for case in range(400):
        alphabet = draw.choice(ALPHABETS)
        documents = [
            "".join(draw.choices(alphabet, k=draw.randrange(1, 60))) for _ in range(draw.randrange(1, 10))
        ]
        options = (256 + draw.randrange(40), draw.randrange(4), draw.choice([None, None, 2, 3, 4, 6]))
        expected = hf_merges(documents, splitter, *options)
        for threads in (1, 2, 8):
            assert our_merges(documents, splitter, *options, threads) == expected, (case, documents, options)


def test_counts_beyond_31_bits(tmp_path):
    """tokenizers #2058: its counts are 32-bit, so the most frequent pair of all is never merged."""
    counts = {b"ab": 3 * 2**30, b"cd": 2**30, b"ef": 5}
    tokenizer = train_from_counts(counts, BpeConfig(vocab_size=259, pretokenizer="gpt2"))
    assert [tokenizer.token_bytes(merged) for _, _, merged in tokenizer.merges] == [b"ab", b"cd", b"ef"]


def test_no_merge_of_a_pair_that_is_nowhere():
    """tokenizers #2320: a count that falls below zero is read as huge there, and merged first."""
    words = Counter(b"##c ##cac# #ab c# #### accc#a#a#b a cb".split())
    for longest in (2, 3, 4, None):
        corpus = _core.WordCounts(_core.Splitter(["gpt2"]), 1)
        corpus.add_counts(list(words), list(words.values()))
        training = _core.train(
            corpus, tokens=TOKENS, byte_ids=BYTE_IDS, vocab_size=300, min_frequency=1, max_token_bytes=longest
        )
        expected = learn_merges_slow(
            words, byte_ids=BYTE_IDS, first_id=256, vocab_size=300, min_frequency=1, max_token_bytes=longest
        )
        assert training.merges == expected
        assert min(training.counts) >= 1
