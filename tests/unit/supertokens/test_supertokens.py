"""Options, bad input, exports and figures of tokens across words."""

import hashlib
import json
import zipfile
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer as HfTokenizer

from tokforge import Tokenizer
from tokforge.bpe import BpeConfig, Checkpoint
from tokforge.errors import ConfigError, CorpusExhaustedError, InputError, UnknownNameError
from tokforge.inputs import CurationConfig
from tokforge.supertokens import (
    PUBLISHED_CHUNKS,
    SupertokensConfig,
    parse_chunks,
    prompt_boundaries,
    train,
    word_spans,
)
from tokforge.supertokens.interleave import interleave

TEXT = (
    "It is one of the best in the world, and one of the oldest.\nWe don't know the rest of it: 12 of 345.\n"
    "Children who play outside every morning quickly learn how birds build their nests in tall old trees.\n"
    "Most engineers would rather measure twice before they change anything that already works well enough.\n"
    "Nobody had expected such heavy rain, so the narrow bridge below our village was closed for three weeks.\n"
)
LEARNERS = ["superbpe:40", "boundless", "random-chunks"]


@pytest.fixture
def corpus(tmp_path):
    for at in range(6):
        (tmp_path / f"{at}.txt").write_text(TEXT * 20 + f"number {at}")
    return tmp_path


def learned(corpus, learner, size=360, **options):
    return train([corpus], BpeConfig(vocab_size=size), SupertokensConfig.parse(learner, **options))


@pytest.mark.parametrize("learner", LEARNERS)
def test_stock_hugging_face_gives_equal_ids(corpus, learner, tmp_path):
    held_out = tmp_path / "held-out"
    held_out.mkdir()
    text = "The best of the world is one of it, don't we know?  3456 -- of the rest\n\nOf the"
    (held_out / "text.txt").write_text(text)
    result = learned(corpus, learner, verify=(str(held_out),))
    assert result.verified.bytes == len(text)
    path = result.tokenizer.save(tmp_path / "out.json")
    hf = HfTokenizer.from_file(str(path))
    assert hf.encode(text, add_special_tokens=False).ids == result.tokenizer.encode(text).tolist()
    assert hf.get_vocab_size() == result.tokenizer.vocab_size


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_artefact_records_the_learner_and_loads_again(corpus, learner, tmp_path):
    tokenizer = learned(corpus, learner).tokenizer
    loaded = Tokenizer.load(tokenizer.save(tmp_path / "out.json"))
    assert loaded == tokenizer
    record = loaded.provenance["supertokens"]
    assert record["learner"] == learner.split(":")[0]
    assert record["order"] == ("boundless" if learner == "boundless" else "hf")


def test_tokens_span_words_but_no_veto(corpus):
    result = learned(corpus, "superbpe:40", size=420)
    across = [result.tokenizer.token_bytes(at) for at in range(result.words, 420)]
    assert b" one of the" in across
    assert not any(b": " in token for token in across)
    assert all(len([word for word in token.split(b" ") if word]) <= 4 for token in across)


def test_several_transitions_and_sizes_come_from_one_word_stage(corpus):
    config = BpeConfig(vocab_size=400, family=(380,))
    result = train([corpus], config, SupertokensConfig.parse("superbpe:30,50"))
    assert list(result.variants) == [(30, 380), (30, 400), (50, 380), (50, 400)]
    assert result.variants[30, 380].vocab_size == 380
    alone = train([corpus], BpeConfig(vocab_size=400), SupertokensConfig.parse("superbpe:30"))
    assert alone.tokenizer.merges == result.variants[30, 400].merges


def test_a_word_stage_is_taken_over(corpus):
    words = learned(corpus, "superbpe:40")
    from tokforge.bpe import train as train_words

    base = train_words(
        [corpus], BpeConfig(vocab_size=296, pretokenizer="superbpe-words", preset="text")
    ).tokenizer
    extended = train([corpus], BpeConfig(vocab_size=360), SupertokensConfig.parse("superbpe"), extend=base)
    assert extended.tokenizer.merges == words.tokenizer.merges
    assert extended.tokenizer.provenance["extends"] == 296
    supers = train([corpus], BpeConfig(vocab_size=310), SupertokensConfig.parse("boundless"), extend=base)
    assert supers.words == 296


def test_results_do_not_depend_on_threads_or_order(corpus, tmp_path):
    one = train([corpus], BpeConfig(vocab_size=360, threads=1), SupertokensConfig.parse("boundless"))
    two = train([corpus], BpeConfig(vocab_size=360, threads=2), SupertokensConfig.parse("boundless"))
    assert one.tokenizer.merges == two.tokenizer.merges


@pytest.mark.parametrize(
    ("learner", "size", "problem"),
    [
        ("superbpe:200", 360, "the transition 200 makes 456 tokens, the size is 360"),
        ("superbpe", 360, "superbpe has no transition"),
        ("superbpe:x", 360, "supertokens is 'superbpe:x'"),
        ("boundless:3", 360, "boundless has no transition"),
        ("super", 360, "supertokens has no 'super'"),
    ],
)
def test_bad_learners_are_refused(corpus, learner, size, problem):
    with pytest.raises((ConfigError, UnknownNameError), match=problem):
        learned(corpus, learner, size)


def test_a_chunk_table_must_sum_to_one():
    assert sum(PUBLISHED_CHUNKS.values()) == pytest.approx(1, abs=1e-12)
    with pytest.raises(ConfigError, match=r"the chunk weights sum to 1\.1"):
        SupertokensConfig(learner="random-chunks", chunks=parse_chunks("4-5=0.5,6-7=0.6"))
    with pytest.raises(ConfigError, match="chunk lengths are '5-4'"):
        parse = parse_chunks("5-4=1.0")
        SupertokensConfig(learner="random-chunks", chunks=parse)
    with pytest.raises(ConfigError, match="a chunk range is '4-5'"):
        parse_chunks("4-5")


def test_text_without_words_is_refused(tmp_path):
    (tmp_path / "zh.txt").write_text("中" * 3 + "。文" * 5)
    with pytest.raises(ConfigError, match="no two neighbouring words"):
        train([tmp_path], BpeConfig(vocab_size=300), SupertokensConfig.parse("boundless"))


def test_a_word_stage_that_ends_before_the_transition_is_refused(tmp_path):
    (tmp_path / "few.txt").write_text("ab " * 50)
    with pytest.raises(CorpusExhaustedError, match="before the transition at 290"):
        train([tmp_path], BpeConfig(vocab_size=300), SupertokensConfig.parse("superbpe:34"))


def test_a_language_without_spaces_learns_behind_superbpe(tmp_path):
    (tmp_path / "zh.txt").write_text("中文文本,没有空格。分词很难。" * 40)
    result = train([tmp_path], BpeConfig(vocab_size=290), SupertokensConfig.parse("superbpe:10"))
    assert result.tokenizer.decode(result.tokenizer.encode("中文没有")) == "中文没有".encode()


def test_what_is_asked_too_much_is_refused(corpus):
    with pytest.raises(ConfigError, match="sample_documents is 99, and the inputs hold 6"):
        learned(corpus, "superbpe:40", sample_documents=99)
    with pytest.raises(ConfigError, match="several times"):
        train(["-"], BpeConfig(vocab_size=300), SupertokensConfig.parse("boundless"))
    with pytest.raises(InputError):
        learned(corpus, "superbpe:40", verify=("missing.txt",))


@pytest.mark.parametrize("learner", LEARNERS)
def test_both_stages_learn_from_what_curation_leaves(corpus, learner, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    (kept / "one.txt").write_bytes((corpus / "0.txt").read_bytes())
    alone = train([kept], BpeConfig(vocab_size=360), SupertokensConfig.parse(learner))
    packed = tmp_path_factory.mktemp("packed") / "twice.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for name in ("a.txt", "b.txt"):
            file.write(corpus / "0.txt", name)
    curation = CurationConfig(archives=True, duplicates="exact")
    result = train([packed], BpeConfig(vocab_size=360, curation=curation), SupertokensConfig.parse(learner))
    assert result.tokenizer.merges == alone.tokenizer.merges
    assert result.curation.left_out["exact_duplicates"]["documents"] == 1
    assert "curation" in result.tokenizer.provenance


@pytest.mark.parametrize("learner", ["superbpe:40", "boundless"])
def test_a_guess_too_high_changes_nothing(corpus, learner, monkeypatch):
    low, high = (_with_guess(monkeypatch, merges, corpus, learner) for merges in (10**6, 1))
    assert low.tokenizer.merges == high.tokenizer.merges
    assert low.counts == high.counts
    assert (low.stopped, low.words) == (high.stopped, high.words)


def _with_guess(monkeypatch, merges, corpus, learner):
    """Trains with the least count guessed for so many merges; one is far too high, and goes on again."""
    monkeypatch.setattr("tokforge.supertokens.across._expected", lambda *_: merges)
    return learned(corpus, learner, size=420)


def test_a_supermerge_that_spells_a_word_before_its_own_merges_do():
    words = SimpleNamespace(vocab_size=260, merges=[(1, 2, 256), (3, 4, 257), (5, 6, 258), (7, 8, 259)])
    across = SimpleNamespace(merges=[(256, 257, 259), (259, 256, 260)], counts=[9, 7])
    found = {size: interleave(words, (10, 8, 6, 4), across, size) for size in (259, 261, 262)}
    assert found[259] == (258, [(256, 257, 258)])
    assert found[261] == (259, [(256, 257, 259), (259, 256, 260)])
    assert found[262] == (260, [(256, 257, 259), (259, 256, 260)])


def test_figures_of_spans_and_prompts(corpus):
    result = learned(corpus, "superbpe:40", size=420)
    spans = word_spans(result.tokenizer, [TEXT])
    assert spans.two + spans.three + spans.four_or_more > 0.1
    assert spans.commonest[0][1] >= 1
    super_rate = prompt_boundaries(result.tokenizer, [TEXT]).rate
    words = result.variants[40, 420].prefix(result.words)
    assert super_rate > 0
    assert word_spans(words, [TEXT]).two <= spans.two
    with pytest.raises(ConfigError, match="no text has a space"):
        prompt_boundaries(result.tokenizer, ["none"])


@pytest.mark.parametrize("kept", [0, 7, 40])
def test_a_checkpoint_keeps_the_word_stage(corpus, tmp_path_factory, kept):
    config = BpeConfig(vocab_size=360, threads=1)
    words = SupertokensConfig.parse("superbpe:40")
    folder = tmp_path_factory.mktemp("checkpoint") / "kept"
    first = train([corpus], config, words, checkpoint=Checkpoint(folder=folder, seconds=0))
    state = json.loads((folder / "state.json").read_text())["state"]
    assert len(state["merges"]) == 40
    for name in ("merges", "counts", "tokens"):
        state[name] = state[name][:kept]
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    (folder / "state.json").write_text(json.dumps({"sha256": digest, "state": state}))
    again = train([corpus], config, words, checkpoint=Checkpoint(folder=folder, resume=True))
    assert again.tokenizer == first.tokenizer == train([corpus], config, words).tokenizer


def test_a_checkpoint_needs_a_word_stage(corpus, tmp_path):
    with pytest.raises(ConfigError, match="keeps the word stage"):
        chunks = SupertokensConfig.parse("random-chunks")
        train([corpus], BpeConfig(vocab_size=300), chunks, checkpoint=Checkpoint(folder=tmp_path / "kept"))
