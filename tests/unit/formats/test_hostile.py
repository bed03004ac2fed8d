"""Every malformed file ends in a typed error that names it, within bounded time and memory."""

import tracemalloc

import pytest
from hostile_files import hostile_files

from tokforge import Tokenizer, TokforgeError

FILES = hostile_files()
MOST_MEMORY = 2**28


def test_there_are_more_than_two_hundred():
    assert len(FILES) > 200


@pytest.mark.parametrize("name", FILES)
def test_it_ends_in_a_typed_error(name, tmp_path):
    for file, content in FILES[name].items():
        (tmp_path / file).write_bytes(content)
    first = tmp_path / next(iter(FILES[name]))
    tracemalloc.start()
    with pytest.raises(TokforgeError) as caught:
        Tokenizer.load(first, pretokenizer="gpt2" if "tiktoken" in name else None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.hint and caught.value.where
    assert len(str(caught.value)) < 1500 and "\n" not in str(caught.value)
    assert peak < MOST_MEMORY
