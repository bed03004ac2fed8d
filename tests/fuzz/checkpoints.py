"""Coverage-guided fuzzing of checkpoints: `python tests/fuzz/checkpoints.py [options of libFuzzer]`.

A state of any content, its checksum made right, and counted words of any bytes are gone on from, or refused by
a TokforgeError; anything else is a crash. Needs `pip install atheris`.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).parent)]

with atheris.instrument_imports(include=["tokforge"]):
    from tokforge import TokforgeError
    from tokforge.bpe import BpeConfig, Checkpoint, train

from mutation import mutate_json  # noqa: E402

TEXT = "the cat sat on the mat; the hat of the cat "
CONFIG = BpeConfig(vocab_size=270, pretokenizer="gpt2", preset="text", threads=1)
SPLIT = b"\n"
"""Ends the state; what follows replaces the counted words."""


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Changes a value of the state, or the words as libFuzzer does."""
    state, split, words = data.partition(SPLIT)
    if seed % 4:
        return mutate_json(state, max_size - len(words) - 1, seed) + split + words
    return state + SPLIT + atheris.Mutate(words or bytes(9), max_size - len(state) - 1)


def main() -> None:
    """Fuzzes until libFuzzer's options say stop."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    text, seeds = folder / "text.txt", folder / "seeds"
    text.write_text(TEXT)
    seeds.mkdir()
    train([text], CONFIG, checkpoint=Checkpoint(folder=folder / "first", seconds=0))
    state = json.loads((folder / "first" / "state.json").read_text())["state"]
    words = (folder / "first" / "words.counts").read_bytes()
    for kept in (0, 5, len(state["merges"])):
        part = {**state, **{name: state[name][:kept] for name in ("merges", "counts", "tokens")}}
        (seeds / str(kept)).write_bytes(json.dumps(part).encode() + SPLIT + words)

    def one(data: bytes) -> None:
        changed, split, counted = data.partition(SPLIT)
        kept = folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        (kept / "state.json").write_bytes(signed(changed))
        (kept / "words.counts").write_bytes(counted if split else words)
        with suppress(TokforgeError):
            train([text], CONFIG, checkpoint=Checkpoint(folder=kept, resume=True))

    atheris.Setup([*sys.argv, "-max_len=4096", str(seeds)], one, custom_mutator=mutate)
    atheris.Fuzz()


def signed(state: bytes) -> bytes:
    """Returns the file of a state, with the checksum it needs; what is no JSON as it is."""
    try:
        content = json.loads(state)
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    except (ValueError, RecursionError):
        return state
    return json.dumps({"sha256": digest, "state": content}).encode()


if __name__ == "__main__":
    main()
