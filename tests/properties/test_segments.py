"""Added tokens and normalisers within the engine give what their Python twin and the bare model give."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokforge._core import Segmenter
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.model import AddedToken, BpeModel, Definition, Pipeline, table_of
from tokforge.tokenizer.normalizers import Prepend, Replace, Strip
from tokforge.tokenizer.stages import Metaspace

TEXTS = ("ab", "abc", "<x>", " a", "▁b", "c", "é")
ATOMS = ("a", "b", "c", "▁", "é", "<", "x", ">")
PIECES = (*ATOMS, " ", "  ", "ab", "abc", "<x>", "A", "\n", "\u2003")
flags = st.fixed_dictionaries(
    {name: st.booleans() for name in ("special", "normalized", "lstrip", "rstrip", "single_word")}
)


@st.composite
def tokenizers(draw):
    texts = draw(st.lists(st.sampled_from(TEXTS), unique=True, max_size=5))
    first = len(ATOMS) + 1
    added = [AddedToken(first + i, text, **draw(flags)) for i, text in enumerate(texts)]
    tokens = [*(atom.encode() for atom in ATOMS), b"ab", *(None for _ in added)]
    model = BpeModel([(0, 1, len(ATOMS))], atoms="characters", unk_id=None)
    steps = draw(
        st.sampled_from(
            ((), (Replace(" ", "▁"),), (Prepend("▁"), Replace(" ", "▁")), (Strip(), Replace("A", "ab")))
        )
    )
    stages = draw(st.sampled_from(((), (Metaspace("▁", "first", True),))))
    pipeline = Pipeline("text", stages, normalizers=steps)
    return Tokenizer(
        Definition(table_of(tokens, added, ["normal"] * len(tokens)), model, pipeline, tuple(added))
    )


@given(tokenizers(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.data())
def test_engine_finds_what_the_twin_finds(tokenizer, text, data):
    specials = [token.text for token in tokenizer.special_tokens]
    chosen = st.sets(st.sampled_from(specials)) if specials else st.just(set())
    allowed = data.draw(st.one_of(st.sampled_from(("none", "all")), chosen))
    expected: list[int] = []
    for part in tokenizer._segmenter.cut(text.encode(), allowed):
        if part.id is not None:
            expected.append(part.id)
            continue
        expected += _bare(
            tokenizer, bytes(part.data), at_start=part.start == 0 and not _stripped(tokenizer, text)
        )
    assert tokenizer.encode(text, allowed_special=allowed).tolist() == expected


def _stripped(tokenizer, text):
    """Whether the normaliser takes white space off the front: what is left is no start, as in Hugging Face."""
    return Strip() in tokenizer.definition.pipeline.normalizers and text[:1].isspace()


def _bare(tokenizer, text, *, at_start):
    """The model alone: no normaliser, and no added token but one in front where this is no start."""
    # An added token in front that always counts makes what follows no start.
    front, marker = b"\xff", np.iinfo(np.uint32).max - 1
    segmenter = Segmenter([], [(front, int(marker), False, False, False, False)])
    raw, _ = tokenizer._encoder.encode_batch([text if at_start else front + text], 1, segmenter=segmenter)
    ids = np.frombuffer(raw, np.uint32).tolist()
    return ids if at_start else ids[1:]
