"""Nothing is lost, threads change nothing and offsets are right, on slices of this machine's own files.

Slices start and end at any byte, so those of text hold halves of characters, and those of executables anything.
"""

import os
import random
import sys
import sysconfig
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tokforge.bpe import BpeConfig, train
from tokforge.tokenizer.pretokenizers import NAMES

SLICES, LONGEST = 200, 600
SCRIPTS = (
    "Füße naïve École «ça» русский текст ελληνικά עברית العربية हिन्दी ไทย 한국어 中文文本混合English 日本語テキスト "
    "😀👩\u200d👧 e\u0301 ²½ 1234567 \u00a0\u3000\u2003\r\n\x85 don't WE'LL \t  x = y[0];\r\n\r\n"
).encode()


def program():
    """Returns a large piece of the running Python: its library if it is a shared one, else the executable."""
    shared = Path(sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("INSTSONAME") or "")
    path = shared if shared.is_file() else Path(sys.executable).resolve()
    return path.read_bytes()[:4_000_000]


def text():
    """Returns source code of the standard library, with other scripts in between."""
    files = sorted(Path(os.__file__).parent.glob("[a-d]*.py"))
    return SCRIPTS.join(path.read_bytes() for path in files)


def slices(data, draw):
    starts = [draw.randrange(len(data)) for _ in range(SLICES - 2)]
    return [b"", data[-1:], *(data[start : start + draw.randint(1, LONGEST)] for start in starts)]


@pytest.fixture(scope="module")
def corpora():
    """Kind of data -> its slices."""
    draw = random.Random(7)
    found = {"executable": slices(program(), draw), "text": slices(text() + SCRIPTS * 200, draw)}
    assert all(sum(map(len, part)) > 30_000 for part in found.values())
    return found


@pytest.fixture(scope="module", params=[name for name in NAMES if name != "cl100k-hf"])
def tokenizer(request, corpora, tmp_path_factory):
    """A vocabulary of 1,000 learned on half of the slices of both kinds."""
    path = tmp_path_factory.mktemp("real") / "half"
    path.write_bytes(b"".join(part for kind in corpora.values() for part in kind[::2]))
    made = train([path], BpeConfig(vocab_size=1000, pretokenizer=request.param, preset="text", threads=2))
    assert len(made.counts) == 1000 - 256
    return made.tokenizer


@pytest.mark.parametrize("kind", ["executable", "text"])
def test_every_slice_comes_back_to_the_byte(kind, tokenizer, corpora):
    for part in corpora[kind]:
        ids = tokenizer.encode(part)
        assert tokenizer.decode(ids) == part
        assert len(ids) <= len(part)


@pytest.mark.parametrize("kind", ["executable", "text"])
def test_a_batch_on_two_threads_is_its_documents_one_by_one(kind, tokenizer, corpora):
    one_by_one = [tokenizer.encode(part) for part in corpora[kind]]
    for threads in (1, 2):
        ids, boundaries = tokenizer.encode_batch(corpora[kind], threads=threads)
        assert np.array_equal(ids, np.concatenate(one_by_one))
        assert np.array_equal(np.diff(boundaries), [len(part) for part in one_by_one])
        assert boundaries[0] == 0


@pytest.mark.parametrize("kind", ["executable", "text"])
def test_offsets_say_where_each_token_begins(kind, tokenizer, corpora):
    for part in corpora[kind]:
        ids, offsets = tokenizer.encode_with_offsets(part)
        assert np.array_equal(ids, tokenizer.encode(part))
        tokens = [part[start:end] for start, end in pairwise([*offsets.tolist(), len(part)])]
        assert tokens == [tokenizer.token_bytes(token_id) for token_id in ids]
