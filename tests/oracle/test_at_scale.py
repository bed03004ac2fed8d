"""Equal to Hugging Face at the size of real work: merges, vocabulary and ids, on what this machine holds.

The words corpus is source code and documentation, at least 50 MB, each content once; the positions corpus is
short slices of executables, short because Hugging Face's loop is quadratic in the length of an unsplit text.
"""

import hashlib
import json
import random
import sysconfig
from itertools import pairwise
from pathlib import Path

import pytest
from tokenizers import Regex, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as HfTokenizer

from tokforge import Tokenizer, bytes_to_hf
from tokforge.bpe import BpeConfig, train
from tokforge.tokenizer.pretokenizers import PATTERNS

pytestmark = [pytest.mark.oracle, pytest.mark.nightly]

WORDS_BYTES, LEAST_BYTES, LONGEST_FILE_BYTES = 60_000_000, 50_000_000, 2_000_000
SLICES, LEAST_SLICES = 6_000, 5_000
WORDS_SIZE, SLICES_SIZE, MAX_TOKEN_BYTES = 16_384, 4_096, 16
TEXT_FOLDERS = {
    sysconfig.get_path("stdlib"): (".py",),
    sysconfig.get_path("purelib"): (".py", ".pyi", ".md", ".rst", ".txt"),
    "/usr/include": (".h", ".hpp", ""),
    "/usr/share/doc": (".txt", ".html", ".md", ""),
}
PROGRAM_FOLDERS = (sysconfig.get_path("platlib"), "/usr/bin", "/usr/lib", "/usr/local/lib")


def write_documents(folder, documents):
    """Writes one file a document and returns the folder."""
    folder.mkdir()
    for number, document in enumerate(documents):
        (folder / f"{number:06}").write_bytes(document)
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A folder of text files, in the order of their content's hash so that any part of it is a fair one."""
    found = {}
    for root, suffixes in TEXT_FOLDERS.items():
        for path in Path(root).rglob("*"):
            if path.suffix in suffixes and path.is_file() and path.stat().st_size <= LONGEST_FILE_BYTES:
                data = path.read_bytes()
                found.setdefault(hashlib.sha256(data).digest(), data)
    taken, size = [], 0
    for _, data in sorted(found.items()):
        if data and is_text(data) and size < WORDS_BYTES:
            taken.append(data)
            size += len(data)
    if size < LEAST_BYTES:
        pytest.skip(f"this machine holds {size:,} bytes of text, below {LEAST_BYTES:,}")
    return write_documents(tmp_path_factory.mktemp("words") / "corpus", taken)


def is_text(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    """A folder of slices of 200 to 400 bytes, each from a random place of a random executable."""
    programs = {
        path.resolve(): path.stat().st_size
        for root in PROGRAM_FOLDERS
        for path in Path(root).rglob("*")
        if path.is_file() and path.stat().st_size > 4_000 and magic(path) == b"\x7fELF"
    }
    draw, files = random.Random(0), sorted(programs)
    distinct = set()
    for _ in range(2 * SLICES):
        if files and len(distinct) < SLICES:
            path = draw.choice(files)
            with path.open("rb") as file:
                file.seek(draw.randrange(programs[path] - 400))
                distinct.add(file.read(draw.randint(200, 400)))
    if len(distinct) < LEAST_SLICES:
        pytest.skip(f"this machine holds {len(distinct):,} slices of executables, below {LEAST_SLICES:,}")
    return write_documents(tmp_path_factory.mktemp("positions") / "corpus", sorted(distinct))


def magic(path):
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError:
        return b""


def hf_trained(documents, pre_tokenizer, **options):
    hf = HfTokenizer(models.BPE())
    if pre_tokenizer:
        hf.pre_tokenizer = pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(min_frequency=2, show_progress=False, initial_alphabet=alphabet, **options)
    hf.train_from_iterator(documents, trainer)
    return hf


def hf_pre_tokenizer(name):
    if name == "gpt2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in PATTERNS[name]]
    spelled = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([*splits, spelled])


def saved(folder, path, threads, **options):
    config = BpeConfig(threads=threads, **options)
    train([folder], config).tokenizer.save(path)
    return path.read_bytes()


def assert_same_model(ours, hf):
    expected, found = json.loads(hf.to_str())["model"], json.loads(ours)["model"]
    for rank, (left, right) in enumerate(zip(found["merges"], expected["merges"], strict=False)):
        assert left == right, f"merge {rank}"
    assert len(found["merges"]) == len(expected["merges"])
    assert found["vocab"] == expected["vocab"]


def assert_same_ids(path, documents, feed):
    """Compares ours with Hugging Face, which has loaded what we saved."""
    ours, theirs = Tokenizer.load(path), HfTokenizer.from_file(str(path))
    for start in range(0, len(documents), 500):
        part = documents[start : start + 500]
        ids, boundaries = ours.encode_batch(part)
        spans = pairwise(boundaries.tolist())
        expected = [ids[first:last].tolist() for first, last in spans]
        fed = [feed(document) for document in part]
        found = theirs.encode_batch(fed, add_special_tokens=False)
        assert [one.ids for one in found] == expected


@pytest.mark.parametrize("name", ["gpt2", "o200k"])
def test_words_equal_hugging_face(name, texts, tmp_path):
    documents = [path.read_bytes() for path in sorted(texts.iterdir())]
    hf = hf_trained(
        (document.decode() for document in documents), hf_pre_tokenizer(name), vocab_size=WORDS_SIZE
    )
    options = {"vocab_size": WORDS_SIZE, "pretokenizer": name, "preset": "text", "max_token_bytes": 0}
    ours = saved(texts, tmp_path / "t.json", 2, **options)
    assert_same_model(ours, hf)
    for threads in (1, 8):
        assert saved(texts, tmp_path / f"t{threads}.json", threads, **options) == ours
    assert_same_ids(tmp_path / "t.json", documents, bytes.decode)


def test_positions_equal_hugging_face(slices, tmp_path):
    documents = [path.read_bytes() for path in sorted(slices.iterdir())]
    hf = hf_trained(
        map(bytes_to_hf, documents), None, vocab_size=SLICES_SIZE, max_token_length=MAX_TOKEN_BYTES + 1
    )
    options = {"vocab_size": SLICES_SIZE, "preset": "binary", "max_token_bytes": MAX_TOKEN_BYTES}
    ours = saved(slices, tmp_path / "t.json", 2, **options)
    assert_same_model(ours, hf)
    for threads in (1, 8):
        assert saved(slices, tmp_path / f"t{threads}.json", threads, **options) == ours
    assert_same_ids(tmp_path / "t.json", documents, bytes_to_hf)
