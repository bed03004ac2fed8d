"""The released vocabularies are what their recipe makes, byte for byte."""

import pytest
from tokforge_corpora import fetch

from benches.release import CORPUS, build
from tokforge.tokenizer.released import RELEASED_FILE


@pytest.mark.nightly
@pytest.mark.network
def test_the_recipe_rebuilds_the_released_file(tmp_path):
    assert build(fetch(CORPUS), tmp_path) == RELEASED_FILE.read_bytes()
