"""The hypernetwork: it starts as its heuristic, depends on pieces alone, resumes exactly, and refuses what is not its own."""

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")
pytest.importorskip("accelerate", reason="the extra [hypernet] is not installed")

from tokforge.errors import ConfigError, FormatError, InputError, OutputError, UnknownNameError  # noqa: E402
from tokforge.tokenizer import Tokenizer  # noqa: E402
from tokforge.transplant import METHODS, Checkpoint, Vocabulary, align, transplant  # noqa: E402
from tokforge.transplant.hypernet import HypernetConfig, NetConfig, estimate, load_hypernet  # noqa: E402
from tokforge.transplant.hypernet import training as trainer  # noqa: E402
from tokforge.transplant.hypernet.batches import make_pass  # noqa: E402
from tokforge.transplant.hypernet.cuts import Cutter, cuts_of  # noqa: E402
from tokforge.transplant.hypernet.host import Host  # noqa: E402
from tokforge.transplant.hypernet.network import Hypernet  # noqa: E402
from tokforge.transplant.hypernet.reconstruction import OwnTokens, is_held_out  # noqa: E402
from tokforge.transplant.hypernet.samplers import Sampler, segmented, substrings  # noqa: E402
from tokforge.transplant.hypernet.storage import read_tensors  # noqa: E402
from tokforge.transplant.hypernet.texts import Texts  # noqa: E402
from tokforge.transplant.hypernet.training import train_hypernet  # noqa: E402
from tokforge.transplant.method import Resources, Task  # noqa: E402
from tokforge.transplant.mix import Matrix  # noqa: E402

NET = {"layers": 1, "width": 16, "heads": 2, "feedforward": 16, "max_pieces": 4}
TRAINING = {
    **{"reconstruction_steps": 2, "reconstruction_tokens": 16, "steps": 4, "batch": 2, "length": 12},
    **{"negatives": 8, "smallest": 300, "largest": 320, "validate_every": 3, "validation_sequences": 2},
    **{"save_every": 1, "device": "cpu", "dtype": "float32", "learning_rate": 0.01, "unigram": 0.5},
}


def config(**options):
    net = NetConfig(**{**NET, **options.pop("net", {})})
    return HypernetConfig(**{**TRAINING, **options, "net": net})


@pytest.fixture
def train(texts, tokenizers_of, tmp_path):
    def run(model, name="net", **options):
        more = {key: options.pop(key) for key in ("resume", "minutes") if key in options}
        return train_hypernet(
            model, [str(texts / "new.txt")], tmp_path / name, tokenizers=[tokenizers_of["new"]],
            validation_tokenizers=[tokenizers_of["new"]], config=config(**options), **more,
        )  # fmt: skip

    return run


def rows_of(host, net, pieces):
    cuts = cuts_of(pieces, host.old, host.checkpoint.rows)
    with torch.inference_mode():
        return net(host.rows, torch.from_numpy(cuts.ids), torch.from_numpy(cuts.weights))


def fresh(host, seed=0, trained=True, **net):
    torch.manual_seed(seed)
    made = Hypernet(NetConfig(**{**NET, **net}), host.rows.sides)
    cuts = OwnTokens(host.old, host.checkpoint.rows, 0).sample(0, 64)[1]
    if trained:
        for head in made.heads.values():
            torch.nn.init.normal_(head.weight, std=0.1)
    made.calibrate(host.rows, torch.from_numpy(cuts.ids), torch.from_numpy(cuts.weights))
    return made.eval()


# -- the network -------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["length-weighted", "composed"])
def test_it_begins_as_its_heuristic(llama, tokenizers_of, base):
    host = Host.open(llama)
    net = fresh(host, trained=False, base=base)
    alignment = align(host.old, Vocabulary.load(tokenizers_of["new"]), host.checkpoint.rows)
    matrix, method = Matrix.of(host.checkpoint.array(host.checkpoint.layout.input)), METHODS[base]
    task = Task(alignment, matrix, "tied", method.checked({}), Resources())
    expected = method.compose(task).rows(matrix)
    cuts = Cutter(host.old, alignment.old_rows).cut([alignment.new.keys[i] for i in alignment.composed])
    with torch.inference_mode():
        found = net(host.rows, torch.from_numpy(cuts.ids), torch.from_numpy(cuts.weights))["tied"]
    assert len(expected) > 10
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_a_token_of_one_piece_keeps_its_row(llama):
    host = Host.open(llama)
    found = rows_of(host, fresh(host), [[40], [41, 42], [60]])["tied"]
    assert torch.equal(found[[0, 2]], host.rows.table[[40, 60]])
    assert not torch.allclose(found[1], host.rows.table[41])


def test_rows_do_not_depend_on_batch_or_order(llama):
    host = Host.open(llama)
    net = fresh(host)
    pieces = [[40, 41], [42] * 100, [43, 44, 45], [46] * 9, [47, 48]]
    together = rows_of(host, net, pieces)["tied"]
    alone = torch.cat([rows_of(host, net, [one])["tied"] for one in pieces])
    turned = rows_of(host, net, pieces[::-1])["tied"].flip(0)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together, turned, atol=1e-5, rtol=1e-5)


def test_the_paper_form_begins_with_the_rows_mean_and_deviation(llama):
    host = Host.open(llama)
    cuts = OwnTokens(host.old, host.checkpoint.rows, 0).sample(0, 64)[1]
    net = fresh(host, form="paper")
    with torch.inference_mode():
        found = net(host.rows, torch.from_numpy(cuts.ids), torch.from_numpy(cuts.weights))["tied"]
    torch.testing.assert_close(found.mean(0), host.rows.mean, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(found.std(0), host.rows.deviation, atol=1e-4, rtol=1e-3)


def test_each_matrix_and_the_bias_have_a_head(untied, biased):
    assert Host.open(untied).rows.sides == {"input": 16, "output": 16}
    host = Host.open(biased)
    assert rows_of(host, fresh(host), [[40, 41]])["bias"].shape == (1, 1)


# -- what it reads -----------------------------------------------------------------------------------


def test_bytes_that_the_model_lacks_become_rows_of_their_own(llama):
    settings = json.loads((llama / "tokenizer.json").read_text())
    lost = settings["model"]["vocab"].pop("q")
    settings["model"]["vocab"] = {t: i for t, i in settings["model"]["vocab"].items() if "q" not in t}
    settings["model"]["merges"] = [one for one in settings["model"]["merges"] if "q" not in "".join(one)]
    (llama / "tokenizer.json").write_text(json.dumps(settings))
    host = Host.open(llama)
    cutter = Cutter(host.old, host.checkpoint.rows)
    cuts = cutter.cut([b"q", b"qa", b"the"])
    assert lost and cuts.ids[0, 0] == host.checkpoint.rows + ord("q")
    assert cuts.ids[1].tolist()[:2] == [host.checkpoint.rows + ord("q"), host.old.index[b"a"]]
    assert cuts.weights[1, :2].tolist() == [0.0, 1.0] and cuts.weights[0, 0] == 1
    assert all(torch.isfinite(one).all() for one in rows_of(host, fresh(host), [cuts.ids[0, :1]]).values())


def test_own_tokens_are_cut_into_what_spells_them(llama):
    old = Vocabulary.load(llama)
    own = OwnTokens(old, 336, 0)
    for step in range(3):
        ids, cuts = own.sample(step, 50)
        for i, line in zip(ids.tolist(), cuts.ids.tolist(), strict=True):
            assert b"".join(old.keys[piece] for piece in line if piece >= 0) == old.keys[i]
            assert not is_held_out(old.keys[i])
    assert {is_held_out(old.keys[i]) for i in own.cuts(0, held_out=True)} == {True}


# -- the samplers ------------------------------------------------------------------------------------


def test_substrings_are_counted_as_their_twin_counts_them():
    text = "the thé the\n"
    counted = {}
    for word in ("the", " thé", " the", "\n"):
        for begin in range(len(word)):
            for end in range(begin + 1, len(word) + 1):
                counted[word[begin:end].encode()] = counted.get(word[begin:end].encode(), 0) + 1
    assert substrings([text], "gpt2") == counted


def test_sampled_tokenizers_spell_their_texts_and_repeat(texts, tokenizers_of):
    kept, held = Texts.read([str(texts / "new.txt")])
    tokenizer = Tokenizer.load(tokenizers_of["new"])
    names = set()
    for step in range(12):
        found = []
        for _ in range(2):
            sampler = Sampler(config(), kept, [tokenizer])
            rng = np.random.default_rng(step)
            spans = kept.spans(rng, 3, 80)
            found.append((spans, sampler.segment(rng, step, spans)))
        (spans, one), (_, other) = found
        assert one.name == other.name and all(map(np.array_equal, one.ids, other.ids))
        for text, ids in zip(spans, one.ids, strict=True):
            assert b"".join(one.tokens[i] for i in ids) == text.encode()
        names.add(one.name.split("-")[0])
    assert names == {"bpe", "unigram"}
    assert kept.sources[0] + held.sources[0] == (texts / "new.txt").read_bytes()


def test_a_pass_keeps_known_rows_and_aligns_ends(llama, tokenizers_of):
    host = Host.open(llama)
    text = "the cat sat on the matter: 12"
    found = segmented("x", Tokenizer.load(tokenizers_of["new"]), [text])
    cutter = Cutter(host.old, host.checkpoint.rows)
    rng = np.random.default_rng(0)
    one = make_pass(found, cutter, rng, prefix=0, length=64, negatives=10**6)
    tokens = [found.tokens[i] for i in found.ids[0]]
    for place, token in zip(one.inputs[0, 1:], tokens, strict=True):
        assert one.known[place] == host.old.index.get(token, -1)
    assert one.bytes == len(text) and len(one.known) == 1 + sum(t is not None for t in found.tokens)
    assert not one.log_weight.any()
    old = [host.old.keys[i] for i in one.old[0, 1:]]
    for _, here, there in one.ends:
        assert b"".join(tokens[:here]) == b"".join(old[:there])
    few = make_pass(found, cutter, rng, prefix=0, length=64, negatives=5)
    drawn = few.log_weight[few.log_weight > 0]
    assert len(drawn) == 5 and math.isclose(
        math.exp(drawn[0]) * 5 + len(few.known) - 6, len(one.known) - 1, rel_tol=1e-3
    )


# -- training ----------------------------------------------------------------------------------------


def test_training_twice_gives_the_same_weights_and_a_resumed_run_too(llama, train, tmp_path):
    first, second = train(llama, "first"), train(llama, "second")
    assert first.step == first.steps == 6 and first.best == second.best
    piece = train(llama, "third", minutes=0)
    assert piece.stopped == "minutes" and piece.step == 1
    log = tmp_path / "third" / "log.jsonl"
    log.write_text(log.read_text() + json.dumps({"step": 2}) + "\n")  # as a run that was killed leaves it
    for _ in range(5):
        piece = train(llama, "third", minutes=0, resume=True)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2, 3, 4, 5, 6]
    assert piece.step == 6 and piece.best == first.best
    whole = read_tensors(tmp_path / "first" / "training.safetensors")
    for name in ("second", "third"):
        other = read_tensors(tmp_path / name / "training.safetensors")
        assert whole.keys() == other.keys()
        assert all(torch.equal(whole[key], other[key]) for key in whole)
    lines = [json.loads(line) for line in (tmp_path / "first" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["stage"] for line in lines] == [1, 1, 2, 2, 2, 2] and "validation" in lines[2]


def test_training_lowers_the_loss(llama, train):
    before = train(llama, "begin", reconstruction_steps=0, steps=1, validate_every=1, learning_rate=1e-9).best
    after = train(llama, "end", reconstruction_steps=0, steps=40, warmup=2).best
    assert after < before - 0.01


@pytest.mark.parametrize("kind", ["untied", "biased", "bert"])
def test_every_layout_trains_and_transplants(kind, request, train, tokenizers_of, tmp_path):
    model = request.getfixturevalue(kind)
    train(model, distill=0.0 if kind == "bert" else 1.0)
    made = transplant(
        model, tokenizers_of["new"], tmp_path / "out", method="hypernet", hypernet=str(tmp_path / "net")
    )
    assert not made.failed and made.plan.rows["composed"] > 0


def test_the_paper_form_trains_with_its_lexical_loss(llama, train, tmp_path):
    train(llama, net={"form": "paper"})
    last = json.loads((tmp_path / "net" / "log.jsonl").read_text().splitlines()[-1])
    assert last["lexical"] > 0


def test_a_transplant_writes_the_network_s_rows(llama, train, tokenizers_of, tmp_path):
    train(llama)
    options = {"method": "hypernet", "hypernet": str(tmp_path / "net")}
    transplant(llama, tokenizers_of["new"], tmp_path / "out", **options)
    host = Host.open(llama)
    new = Vocabulary.load(tokenizers_of["new"])
    alignment = align(host.old, new, host.checkpoint.rows)
    pieces = [alignment.pieces[i] for i in alignment.composed]
    written = Checkpoint.open(tmp_path / "out")
    rows = np.array(written.array(written.layout.input))[alignment.composed]
    expected = rows_of(host, load_hypernet(tmp_path / "net", host), pieces)["tied"].numpy()
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_patience_ends_a_run(llama, train):
    assert train(llama, learning_rate=1e-12, steps=40, validate_every=1, patience=2).stopped == "patience"


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint(llama, train, tmp_path, monkeypatch):
    train(llama, minutes=0)
    kept = (tmp_path / "net" / "training.safetensors").read_bytes()
    monkeypatch.setattr(
        trainer, "reconstruction_loss", lambda net, *rest: sum(p.sum() for p in net.parameters()) * math.nan
    )
    monkeypatch.setattr(trainer, "language_losses", lambda net, *rest, **more: pytest.fail("it went on"))
    with pytest.raises(ConfigError, match="not finite"):
        train(llama, resume=True, reconstruction_steps=9, validate_every=99)
    assert (tmp_path / "net" / "training.safetensors").read_bytes() == kept


# -- what is refused ---------------------------------------------------------------------------------


def test_a_network_of_another_model_is_refused(llama, untied, train, tokenizers_of, tmp_path):
    train(llama)
    with pytest.raises(FormatError, match="it predicts"):
        load_hypernet(tmp_path / "net", Host.open(untied))
    (llama / "tokenizer.json").write_bytes(tokenizers_of["new"].read_bytes())
    with pytest.raises(FormatError, match="another tokenizer"):
        load_hypernet(tmp_path / "net", Host.open(llama))


def test_what_is_missing_or_wrong_is_named(llama, train, tokenizers_of, tmp_path):
    with pytest.raises(InputError, match=r"no hypernet\.json"):
        load_hypernet(tmp_path, Host.open(llama))
    with pytest.raises(ConfigError, match="needs hypernet"):
        transplant(llama, tokenizers_of["new"], tmp_path / "out", method="hypernet")
    train(llama, minutes=0)
    with pytest.raises(OutputError, match="already"):
        train(llama)
    with pytest.raises(ConfigError, match="network is another"):
        train(llama, resume=True, net={"width": 8})
    with pytest.raises(UnknownNameError, match="no option"):
        HypernetConfig.from_dict({"stepz": 3})
    for wrong in ({"net": {"width": 15}}, {"batch": 0}, {"unigram": 2.0}, {"smallest": 5}, {"dtype": "int8"}):
        with pytest.raises(ConfigError):
            config(**wrong)


def test_the_estimate_counts_the_network_s_parameters(llama, untied):
    for model in (llama, untied):
        host = Host.open(model)
        net = Hypernet(NetConfig(**NET), host.rows.sides)
        found = estimate(model, config())
        assert found["network_parameters"] == sum(one.numel() for one in net.parameters())
        assert found["total_bytes"] > 0 and found["steps"] == 6
