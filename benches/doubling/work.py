"""What is done to text: each job takes bytes and returns what is timed; all on one thread."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache

import numpy as np

from tokforge import _core
from tokforge.bpe import BpeConfig
from tokforge.bpe.start import Start
from tokforge.errors import TokforgeError
from tokforge.supertokens.across import merge_across
from tokforge.tokenizer import Pipeline, Tokenizer, parse_pretokenizer
from tokforge.tokenizer.pretokenizers import NAMES

__all__ = ["JOBS", "Job"]

Job = Callable[[bytes], Callable[[], object]]
SAMPLE_BYTES = 1 << 16
"""Encoders hold tokens that were learned from the first bytes of the text that they then encode."""
BYTES = [bytes((value,)) for value in range(256)]
LONGEST = 128
"""Bytes of a token of Unigram and WordPiece, which try all lengths at each place."""
PATTERNS = (r"(?:a+)+(?=b)", r"(?:a|aa|aaa)+b", r"\s*\s*\s*\S", r".*.*=.*")
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def learned(corpus: object, size: int = 768, **options: object) -> _core.Training:
    return _core.train(corpus, tokens=BYTES, byte_ids=range(256), vocab_size=size, **options)


@lru_cache(8)
def vocabulary(sample: bytes, longest: int | None = None) -> tuple[list[bytes], list[tuple[int, int, int]]]:
    corpus = _core.ByteCorpus(len(sample))
    corpus.add(sample)
    tokens, merges = list(BYTES), learned(corpus, max_token_bytes=longest).merges
    for left, right, _ in merges:
        tokens.append(tokens[left] + tokens[right])
    return tokens, merges


def encode(data: bytes) -> Callable[[], object]:
    tokens, merges = vocabulary(data[:SAMPLE_BYTES])
    encoder = _core.Encoder(tokens, merges, byte_ids=range(256))
    return lambda: encoder.encode(data)


def encode_superwords(data: bytes) -> Callable[[], object]:
    """Behind superbpe's splitter, whose pieces are lines, with tokens that know no words."""
    tokens, merges = vocabulary(data[:SAMPLE_BYTES])
    tokenizer = Tokenizer.from_parts(tokens, merges, pipeline=Pipeline("text", pretokenizers=("superbpe",)))
    return lambda: tokenizer.encode(data)


def decode(data: bytes) -> Callable[[], object]:
    tokens, merges = vocabulary(data[:SAMPLE_BYTES])
    encoder = _core.Encoder(tokens, merges, byte_ids=range(256))
    ids = np.frombuffer(encoder.encode(data), np.uint32)
    return lambda: encoder.decode(ids)


def encode_characters(data: bytes) -> Callable[[], object]:
    tokens, merges = vocabulary(data[:SAMPLE_BYTES], LONGEST)
    common = {"ranks": None, "ignore_merges": False, "user_defined": (), "fuse_unk": True}
    encoder = _core.ModelEncoder.characters((), tokens, merges, byte_ids=None, unk_id=0, **common)
    return lambda: encoder.encode_batch([data], 1)


def encode_unigram(data: bytes) -> Callable[[], object]:
    tokens, _ = vocabulary(data[:SAMPLE_BYTES], LONGEST)
    scores = [-float(len(tokens) - at) / 99 for at in range(len(tokens))]
    common = {"single_precision": True, "user_defined": (), "byte_ids": None, "unk_id": 0, "fuse_unk": True}
    encoder = _core.ModelEncoder.unigram((), tokens, scores, unk_score=-99.0, **common)
    return lambda: encoder.encode_batch([data], 1)


def encode_wordpiece(data: bytes) -> Callable[[], object]:
    tokens, _ = vocabulary(data[:SAMPLE_BYTES], LONGEST)
    encoder = _core.ModelEncoder.word_piece((), tokens, tokens, unk_id=0, max_characters=2**31)
    return lambda: encoder.encode_batch([data], 1)


def split(name: str) -> Job:
    def job(data: bytes) -> Callable[[], object]:
        splitter = _core.Splitter(parse_pretokenizer(name))
        encoder = _core.Encoder(BYTES, [], byte_ids=range(256), splitter=splitter)
        return lambda: refused(encoder.encode, data)

    return job


def normalise(step: tuple[object, ...]) -> Job:
    def job(data: bytes) -> Callable[[], object]:
        normalizer = _core.Normalizer([step])
        return lambda: normalizer.apply(data)

    return job


def train_bytes(data: bytes) -> Callable[[], object]:
    def run() -> None:
        corpus = _core.ByteCorpus(len(data))
        corpus.add(data)
        learned(corpus)

    return run


def train_words(data: bytes) -> Callable[[], object]:
    def run() -> None:
        counts = _core.WordCounts(_core.Splitter(["gpt2"]), 1)
        counts.add([data])
        learned(counts)

    return run


def train_chunks(data: bytes) -> Callable[[], object]:
    def run() -> None:
        chunks = _core.ChunkCounts([(1, 30, 1.0)], 0)
        chunks.add([data])
        learned(chunks)

    return run


def train_across(data: bytes) -> Callable[[], object]:
    config = BpeConfig(vocab_size=512, pretokenizer="superbpe", preset="text", threads=1).resolved("text")
    start = Start.fresh(config, ("superbpe",))
    return lambda: refused(merge_across, start, [data], config, words=("gpt2",), rules={}, size=512)


def replay_word(data: bytes) -> Callable[[], object]:
    """All of the text as one word."""
    return replay(data, _core.MixtureColumns(None, 2, 1))


def replay_words(data: bytes) -> Callable[[], object]:
    return replay(data, _core.MixtureColumns(_core.Splitter(["gpt2"]), 2, 1))


def replay(data: bytes, columns: _core.MixtureColumns) -> Callable[[], object]:
    tokens, merges = vocabulary(data[:SAMPLE_BYTES])
    columns.add(0, [data])
    table, lens = columns.table(), list(map(len, tokens))
    return lambda: table.replay(merges, lens=lens, byte_ids=range(256), category_of=(0, 1))


def refused(work: Callable[..., object], *args: object, **options: object) -> None:
    """Does the work; a typed refusal, such as that of a step budget, is an answer like another."""
    with suppress(TokforgeError):
        work(*args, **options)


def _jobs() -> Iterator[tuple[str, str, Job]]:
    for job in (encode, encode_superwords, encode_characters, encode_unigram, encode_wordpiece, decode):
        yield "encode", job.__name__, job
    for name in NAMES:
        if name != "none":
            yield "split", name, split(name)
    for pattern in PATTERNS:
        yield "regex", pattern, split(f"regex:{pattern}")
    for form in FORMS:
        yield "normalise", form, normalise((form,))
    yield "normalise", "bert", normalise(("bert", True, True, True, True))
    yield (
        "normalise",
        "sentencepiece",
        normalise(("sentencepiece", b"", True, True, True, False, ["aa", "  "])),
    )
    for job in (train_bytes, train_words):
        yield "train", job.__name__, job
    for job in (train_chunks, train_across):
        yield "supertokens", job.__name__, job
    for job in (replay_word, replay_words):
        yield "replay", job.__name__, job


JOBS: dict[tuple[str, str], Job] = {(group, name): job for group, name, job in _jobs()}
"""(column of the table, name) -> job."""
