"""Small languages made up in the process: each has its own words, and some words are everyone's."""

from pathlib import Path

import numpy as np
import pytest

import tokforge
from tokforge.bpe import SamplingConfig
from tokforge.mixture import MixtureConfig

ALPHABETS = {"north": "aeioumnst", "south": "aeiouklpr", "east": "αβγδεζηθι"}
TRUTH = {"north": 0.6, "south": 0.3, "east": 0.1}


def write_language(folder: Path, name: str, documents: int, seed: int) -> None:
    """Writes documents of Zipfian words over the language's alphabet."""
    letters = ALPHABETS[name]
    lexicon = np.random.default_rng(len(name) + ord(letters[-1]))
    words = ["".join(lexicon.choice(list(letters), lexicon.integers(2, 8))) for _ in range(400)]
    weights = 1 / np.arange(1, len(words) + 1)
    draw = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in range(documents):
        chosen = draw.choice(len(words), 300, p=weights / weights.sum())
        (folder / f"{number}.txt").write_text(" ".join(words[at] for at in chosen) + ".\n")


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Returns (tokenizer, folder of references), the tokenizer trained on other documents in TRUTH."""
    root = tmp_path_factory.mktemp("mixture")
    for seed, name in enumerate(ALPHABETS):
        write_language(root / "train" / name, name, 150, seed)
        write_language(root / "references" / name, name, 60, 100 + seed)
    sources = {name: str(root / "train" / name) for name in ALPHABETS}
    tokenizer = tokforge.train_bpe(
        list(sources.values()),
        vocab_size=700,
        pretokenizer="gpt2",
        sampling=SamplingConfig(weights={sources[name]: share for name, share in TRUTH.items()}),
    )
    return tokenizer, root / "references"


@pytest.fixture
def quick():
    """Options that answer in a second."""
    return MixtureConfig(merges=300, shards=10, resamples=10, threads=1)
