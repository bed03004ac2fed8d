"""under_trained: rows planted as they began are found, and what is no model of this tokenizer is refused."""

import json
import pickle

import numpy as np
import pytest

from tokforge import Tokenizer, train_bpe
from tokforge.audit import audit, under_trained
from tokforge.errors import ConfigError, FormatError, InputError, MissingExtraError
from tokforge.metrics.vocabulary import Vocabulary

WIDTH = 16


@pytest.fixture
def vocabulary(tokenizer):
    return Vocabulary("t", Tokenizer.load(tokenizer))


@pytest.fixture
def planted(vocabulary):
    """Five ordinary tokens of two bytes and more."""
    long = [i for i in range(vocabulary.size) if len(vocabulary.tokens[i]) > 1 and vocabulary.ordinary[i]]
    return long[7::9][:5]


def drawn(size, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (size, WIDTH)) * np.linspace(2, 1, WIDTH)


def test_planted_rows_of_a_tied_model_come_first(vocabulary, planted, model):
    rows, padding = drawn(vocabulary.size + 6), range(vocabulary.size, vocabulary.size + 6)
    start = np.linspace(-1, 1, WIDTH)
    rows[[*planted, *padding]] = start + np.random.default_rng(1).normal(0, 1e-3, (11, WIDTH))
    found = under_trained(vocabulary, model(rows))
    assert {one.id for one in found.tokens["candidates"][:5]} >= set(
        planted[: len(found.tokens["candidates"])]
    )
    assert found.indicator == "cosine_without_first_component" and found.tied
    assert found.unused["rows beyond the vocabulary"] == 6
    assert found.unused["bytes never in UTF-8"] == 13
    assert found.unused["named reserved or unused"] == 1
    assert not found.verified


def test_planted_rows_beside_like_references_are_as_unused(vocabulary, planted, model):
    rows = drawn(vocabulary.size)
    never = [i for i in range(vocabulary.size) if vocabulary.tokens[i] in {bytes([n]) for n in (0xC0, 0xC1)}]
    never += [
        i
        for i in range(vocabulary.size)
        if vocabulary.tokens[i] >= b"\xf5" and len(vocabulary.tokens[i]) == 1
    ]
    reserved = [i for i in range(vocabulary.size) if b"reserved" in vocabulary.tokens[i]]
    rows[[*planted, *never, *reserved]] = np.linspace(-1, 1, WIDTH)
    found = under_trained(vocabulary, model(rows))
    low = {one.id for one in found.tokens["candidates"] if one.as_unused}
    assert low and low <= set(planted)
    assert found.unused["equal rows"] == len(planted)
    assert {one.id for one in found.tokens["special"]} == set(reserved)
    assert found.warnings == ()


def test_planted_rows_of_an_untied_model_are_short(vocabulary, planted, model):
    rows, head = drawn(vocabulary.size + 2), drawn(vocabulary.size + 2, 2)
    rows[planted] *= 0.01
    found = under_trained(vocabulary, model(rows, head))
    first = found.tokens["candidates"][0]
    assert found.indicator == "input_length" and not found.tied
    assert {one.id for one in found.tokens["candidates"]} <= set(planted)
    assert first.indicator == pytest.approx(np.linalg.norm(rows[first.id].astype(np.float32)), rel=1e-6)
    assert first.distance is not None
    assert found.warnings  # the unused rows of this model are as long as the others


def test_candidates_are_two_in_a_hundred(vocabulary, model):
    found = under_trained(vocabulary, model(drawn(vocabulary.size)))
    ordinary = (vocabulary.ordinary & ~vocabulary.partial & (vocabulary.lengths > 1)).sum()
    assert 1 <= found.counts["candidates"] <= 0.02 * ordinary + 1


def test_named_ids_are_references(vocabulary, planted, model):
    found = under_trained(vocabulary, model(drawn(vocabulary.size)), unused=planted)
    assert found.unused["named by the user"] == 5
    with pytest.raises(ConfigError, match="no row 99999"):
        under_trained(vocabulary, model(drawn(vocabulary.size)), unused=[99_999])


def test_a_tied_model_without_a_known_unused_row_is_refused(vocabulary, model):
    rows = drawn(vocabulary.size)
    unused = [i for i, token in enumerate(vocabulary.tokens) if b"reserved" in token or len(token) == 1]
    rows[unused] = 0
    with pytest.raises(ConfigError, match="known to be unused"):
        under_trained(vocabulary, model(rows))


def test_another_tokenizers_model_is_refused(vocabulary, model):
    with pytest.raises(FormatError, match="rows, the tokenizer"):
        under_trained(vocabulary, model(drawn(vocabulary.size - 1)))


def test_a_pickle_is_refused_unread(vocabulary, tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    with pytest.raises((InputError, MissingExtraError), match=r"pickle|install"):
        under_trained(vocabulary, tmp_path)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 32, b"other"])
def test_a_broken_gguf_file_is_refused(vocabulary, tmp_path, content):
    pytest.importorskip("gguf", reason="the extra [transplant] is not installed")
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises((FormatError, InputError)):
        under_trained(vocabulary, tmp_path / "m.gguf")


def test_a_missing_model(vocabulary, tmp_path):
    for name in ("none", "none.gguf"):
        with pytest.raises((InputError, FormatError, MissingExtraError)):
            under_trained(vocabulary, tmp_path / name)


def test_a_quantised_gguf_gives_what_its_values_give(vocabulary, tmp_path, model):
    gguf = pytest.importorskip("gguf", reason="the extra [transplant] is not installed")
    rows = np.tile(drawn(vocabulary.size + 3), (1, 2)).astype(np.float32)  # 32 numbers: one block of Q8_0
    packed = gguf.quants.quantize(rows, gguf.GGMLQuantizationType.Q8_0)
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.add_tensor("token_embd.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        step()
    writer.close()
    plain = gguf.quants.dequantize(packed, gguf.GGMLQuantizationType.Q8_0)
    mine, theirs = (under_trained(vocabulary, path) for path in (tmp_path / "m.gguf", model(plain)))
    assert mine.tokens == theirs.tokens and mine.rows == vocabulary.size + 3


def test_a_vocabulary_that_lacks_bytes_is_audited_all_the_same(tokenizer, tmp_path, model):
    content = json.loads(tokenizer.read_text())
    vocab = content["model"]["vocab"]
    for text in ("Ā", "ā"):  # bytes 0 and 1
        del vocab[text]
    (tmp_path / "t.json").write_text(json.dumps(content))
    size = 1 + max([*vocab.values(), *(one["id"] for one in content["added_tokens"])])
    found = audit(tmp_path / "t.json", model=model(drawn(size)))
    assert found.vocab_size == size
    assert found.warnings[0].startswith("2 bytes have no token")
    assert found.under_trained.unused["ids without a token"] == 2
    assert "under-trained" in found._repr_html_()


def test_other_faults_of_a_tokenizer_stay_errors(tmp_path):
    (tmp_path / "t.json").write_text('{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}')
    with pytest.raises(FormatError):
        audit(tmp_path / "t.json")


def _renamed(folder, count):
    """Gives ``count`` tokens of the folder's tokenizer other names, and their merges with them."""
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    for at, token in enumerate(content["added_tokens"][:count]):
        token["content"] = f"<|renamed_{at}|>"
        content["model"]["vocab"] = {
            (token["content"] if i == token["id"] else text): i
            for text, i in content["model"]["vocab"].items()
        }
    path.write_text(json.dumps(content))


def test_a_model_of_another_tokenizer_is_refused_by_name(vocabulary, model, tmp_path):
    folder = model(drawn(vocabulary.size))
    (tmp_path / "a.txt").write_text("quite other words than those " * 9)
    train_bpe([str(tmp_path / "a.txt")], vocab_size=290, min_frequency=1).save(
        folder / "tokenizer.json", force=True
    )
    with pytest.raises(FormatError, match="belongs to another tokenizer: "):
        under_trained(vocabulary, folder)


def test_a_renamed_special_token_is_a_warning(vocabulary, model):
    folder = model(drawn(vocabulary.size + 3))
    _renamed(folder, 1)
    (doubt,) = [one for one in under_trained(vocabulary, folder).warnings if "own tokenizer" in one]
    assert doubt.startswith(f"1 of {vocabulary.size} ids differ")
    assert "'<|end|>' here and '<|renamed_0|>' to the model" in doubt


def test_without_its_tokenizer_a_model_is_asked_for_its_rows(vocabulary, model):
    folder = model(drawn(vocabulary.size + 3))
    (folder / "tokenizer.json").unlink()
    assert any("carries no tokenizer" in one for one in under_trained(vocabulary, folder).warnings)
    folder = model(drawn(vocabulary.size + 1100))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(FormatError, match="too many to be padding"):
        under_trained(vocabulary, folder)


def test_a_gguf_file_tells_its_tokens_even_where_it_lacks_bytes(vocabulary, tmp_path):
    gguf = pytest.importorskip("gguf", reason="the extra [transplant] is not installed")
    from tokforge.audit.belonging import check_belongs
    from tokforge.tokenizer.formats.byte_alphabet import spell

    def written(tokens):
        writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(tokens)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        return tmp_path / "m.gguf"

    special = [kind in ("special", "added") for kind in vocabulary.tokenizer.table.kinds]
    spelled = [t.decode() if own else spell(t) for t, own in zip(vocabulary.tokens, special, strict=True)]
    lacking = ["[gone]" if text == spell(b"\xc0") else text for text in spelled]
    (doubt,) = check_belongs(vocabulary, vocabulary.size, written(lacking), vocabulary.size)
    assert doubt.startswith(f"1 of {vocabulary.size} ids differ")
    with pytest.raises(FormatError, match="belongs to another tokenizer"):
        check_belongs(vocabulary, vocabulary.size, written(spelled[1:]), vocabulary.size)
