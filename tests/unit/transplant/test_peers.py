"""Rows equal those that the authors' own packages make, given the same vectors.

The packages pin old releases of what we need new, so they are in no extra: `pip install --no-deps --target
DIR mergekit deepfocus entmax fastdist fasttext-wheel print-on-steroids`, numba and immutables beside them, and
DIR on PYTHONPATH.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from tokforge.transplant import METHODS, Checkpoint, Vocabulary, align
from tokforge.transplant.cooccurrence import cooccurrence_vectors
from tokforge.transplant.method import Resources, Task
from tokforge.transplant.methods.omp import pursue
from tokforge.transplant.mix import Matrix

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")
pytestmark = pytest.mark.oracle


@pytest.mark.parametrize(("seed", "k"), [(0, 1), (1, 4), (2, 16), (3, 40)])
def test_matching_pursuit_equals_mergekit(seed, k):
    peer = pytest.importorskip("mergekit.tokensurgeon.omp", reason="mergekit is not installed")
    rng = np.random.default_rng(seed)
    targets = rng.standard_normal((30, 48)).astype(np.float32)
    atoms = rng.standard_normal((200, 48)).astype(np.float32)
    # In double precision: in single, their residual and ours part where two atoms score alike.
    theirs, weights = peer.batch_omp(torch.from_numpy(targets).double(), torch.from_numpy(atoms).double(), k)
    ours, found = pursue(targets, atoms, k)
    assert (ours == theirs.numpy()).mean() > 0.99
    rows = np.einsum("nk,nkw->nw", found, atoms[ours])
    same = (ours == theirs.numpy()).all(1)
    assert np.allclose(rows[same], np.einsum("nk,nkw->nw", weights.numpy(), atoms[theirs])[same], atol=1e-4)


def test_focus_equals_deepfocus(llama, tokenizers_of, texts):
    peer = pytest.importorskip("deepfocus.focus", reason="deepfocus is not installed")
    checkpoint = Checkpoint.open(llama)
    alignment = align(Vocabulary.load(llama), Vocabulary.load(tokenizers_of["new"]), checkpoint.rows)
    source = np.array(checkpoint.array(checkpoint.layout.input))
    text = (texts / "new.txt").read_text()
    resources = Resources(text=(str(texts / "new.txt"),))
    ours = METHODS["focus"].compose(Task(alignment, Matrix.of(source), "tied", {}, resources))
    vectors = cooccurrence_vectors(alignment.new, [text])

    def token(new_id, **more):
        return SimpleNamespace(target=SimpleNamespace(id=new_id), auxiliary_embedding=vectors[new_id], **more)

    seen = np.abs(vectors).max(1) > 0
    shared = {
        new: token(new, source_embedding=torch.from_numpy(source[old]))
        for new, old in alignment.shared.tolist()
        if seen[new]
    }
    made = {new: token(new) for new in alignment.composed.tolist() if seen[new]}
    rows = torch.zeros((len(vectors), source.shape[1]))
    theirs = peer.focus_additional_token_initialization(shared, made, rows, device="cpu").numpy()
    compared = [at for at, new in enumerate(alignment.composed.tolist()) if new in made]
    assert len(compared) > 5
    wanted = theirs[alignment.composed[compared]]
    assert np.allclose(ours.rows(Matrix.of(source))[compared], wanted, atol=1e-5)
