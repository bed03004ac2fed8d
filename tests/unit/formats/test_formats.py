"""Every format is found by its content, read, written, and read back as the same tokenizer."""

import json
import sys
from dataclasses import replace
from types import ModuleType

import pytest
import small_files as small

from tokforge import AddedToken, Tokenizer, errors
from tokforge.tokenizer import Pipeline, initial_bytes
from tokforge.tokenizer.conversion.probes import conversion_probes
from tokforge.tokenizer.files import read_tokenizer
from tokforge.tokenizer.formats.bbpe import write_bbpe, write_latin1
from tokforge.tokenizer.formats.ranks import by_pair
from tokforge.tokenizer.formats.reading import ReadOptions, SourceFile
from tokforge.tokenizer.formats.registry import FORMATS, legacy_merges
from tokforge.tokenizer.formats.sentencepiece_proto import Normalizer, read_proto, write_proto
from tokforge.tokenizer.formats.sidecar import read_standalone, write_standalone
from tokforge.tokenizer.formats.tiktoken_ranks import read_ranks

FILES = {
    "hf": {"any.name": small.hf()},
    "tiktoken": {"any.name": small.ranks()},
    "tekken": {"any.name": small.tekken()},
    "sentencepiece": {"any.name": small.sentencepiece()},
    "gguf": {"any.name": small.gguf()},
    "bbpe-latin1": {"any.name": small.latin1()},
    "wordpiece": {"any.name": small.vocab_txt()},
    "vocab-merges": dict(zip(("vocab.json", "merges.txt"), small.vocab_and_merges(), strict=True)),
}


@pytest.fixture
def place(tmp_path):
    def place(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return tmp_path / next(iter(files))

    return place


def read(name, data, neighbours=None, **options):
    file = SourceFile("file", "file", data, (neighbours or {}).get, ReadOptions(**options))
    return FORMATS[name].read(file)


@pytest.mark.parametrize("name", FILES)
def test_the_format_is_found_from_the_content(name, place):
    loaded = read_tokenizer(
        place(FILES[name]), None, ReadOptions(pretokenizer="gpt2" if name == "tiktoken" else None)
    )
    assert loaded.format == name


def test_merges_txt_is_as_good_a_name_as_vocab_json(place, tmp_path):
    place(FILES["vocab-merges"])
    assert read_tokenizer(tmp_path / "merges.txt").tokenizer == read_tokenizer(tmp_path).tokenizer


@pytest.mark.parametrize("name", ["hf", "tiktoken", "tekken", "sentencepiece", "bbpe-latin1", "vocab-merges"])
def test_written_and_read_back_it_is_the_same(name):
    files = {"": next(iter(FILES[name].values()))} | FILES[name]
    options = {"pretokenizer": "gpt2"} if name == "tiktoken" else {}
    first = read(name, files[""], files, **options).definition
    written = FORMATS[name].write(first)
    main = "" if "" in written else "vocab.json"
    assert read(name, written[main], written, **options).definition == first


def test_ranks_are_written_byte_for_byte():
    definition = read("tiktoken", small.ranks(), pretokenizer="gpt2").definition
    assert FORMATS["tiktoken"].write(definition)[""] == small.ranks()


def test_a_folder_of_several_tokenizers_is_ambiguous(place, tmp_path):
    place({"tekken.json": small.tekken(), "tokenizer.model": small.sentencepiece()})
    with pytest.raises(errors.FormatError, match=r"several tokenizers: tekken\.json, tokenizer\.model"):
        Tokenizer.load(tmp_path)
    assert Tokenizer.load(tmp_path, format="tekken").vocab_size == 270
    place({"tokenizer.json": small.hf()})
    assert read_tokenizer(tmp_path).format == "hf"


def test_an_unknown_file_names_what_was_tried(place):
    with pytest.raises(errors.FormatError, match=r"tried: hf, .*tiktoken, sentencepiece, gguf, wordpiece\)"):
        Tokenizer.load(place({"notes.txt": b"only some words\nand more\n"}))
    with pytest.raises(errors.UnknownNameError, match="format has no 'hff'"):
        Tokenizer.load(place({"x": small.hf()}), format="hff")


# -- tiktoken --------------------------------------------------------------------------------------------


def test_ranks_need_a_splitter(place):
    with pytest.raises(errors.ConfigError, match="does not say how text is split"):
        Tokenizer.load(place(FILES["tiktoken"]))


def test_special_tokens_that_a_file_of_ranks_leaves_out(place):
    specials = ("<|end|>", "<|x|>=300", "<a=b>")
    tokenizer = Tokenizer.load(place(FILES["tiktoken"]), pretokenizer="gpt2", special_tokens=specials)
    assert {token.text: token.id for token in tokenizer.special_tokens} == {
        "<|end|>": 267,
        "<|x|>": 300,
        "<a=b>": 301,
    }
    assert tokenizer.table.kinds[268] == "unused"
    with pytest.raises(errors.FormatError, match="id 5 of the special token '<y>' is an ordinary"):
        Tokenizer.load(place(FILES["tiktoken"]), pretokenizer="gpt2", special_tokens=("<y>=5",))


def test_holes_in_the_ranks_are_unused_ids():
    definition = read("tiktoken", small.ranks() + b"enp6 300\n", pretokenizer="gpt2").definition
    assert definition.table.kinds[299] == "unused"
    assert FORMATS["tiktoken"].write(definition)[""].endswith(b"enp6 300\n")


def test_lines_may_end_in_crlf():
    assert read_ranks(small.ranks().replace(b"\n", b"\r\n"), "x") == read_ranks(small.ranks(), "x")


# -- vocab.json and merges.txt ---------------------------------------------------------------------------


def test_a_merge_that_begins_with_a_hash_is_no_comment():
    vocab, merges = small.vocab_and_merges()
    assert b"\n# #\n" in merges
    definition = read("vocab-merges", vocab, {"merges.txt": merges}).definition
    assert definition.table.tokens[definition.model.merges[-1][2]] == b"##"


def test_a_first_line_without_a_header_is_a_merge():
    vocab, merges = small.vocab_and_merges()
    bare = merges.partition(b"\n")[2]
    with_header = read("vocab-merges", vocab, {"merges.txt": merges}).definition
    assert read("vocab-merges", vocab, {"merges.txt": bare}).definition == with_header


def test_special_tokens_come_from_the_files_beside():
    vocab, merges = small.vocab_and_merges()
    more = {
        "merges.txt": merges,
        "special_tokens_map.json": b'{"pad_token": {"content": "<pad>"}}',
        "added_tokens.json": b'{"<x>": 270}',
    }
    definition = read("vocab-merges", vocab, more).definition
    assert definition.added_tokens == (AddedToken(268, "<pad>", ("pad",)), AddedToken(270, "<x>"))


def test_a_merge_that_looks_like_the_header_cannot_be_written():
    tokens = [*initial_bytes(), b"#version", b"#versionx"]
    tokenizer = Tokenizer.from_parts(
        tokens, [(256, tokens.index(b"x"), 257)], pipeline=Pipeline("text", ("gpt2",))
    )
    with pytest.raises(errors.ExportError, match="would be read as a header"):
        FORMATS["vocab-merges"].write(tokenizer.definition)


# -- tekken ----------------------------------------------------------------------------------------------


def test_tekken_fills_up_its_special_tokens_and_cuts_its_vocabulary():
    root = json.loads(small.tekken())
    root["config"] |= {"default_num_special_tokens": 5, "default_vocab_size": 5 + 260}
    reading = read("tekken", json.dumps(root).encode())
    assert [token.text for token in reading.definition.added_tokens][3:] == ["<SPECIAL_3>", "<SPECIAL_4>"]
    assert len(reading.definition.table) == 265
    assert "the last 7 tokens" in reading.notes[-1]


def test_tekken_to_v7_may_imply_its_special_tokens():
    root = json.loads(small.tekken(version="v3"))
    del root["special_tokens"]
    root["config"] |= {"default_num_special_tokens": 21, "default_vocab_size": 21 + 267}
    texts = [token.text for token in read("tekken", json.dumps(root).encode()).definition.added_tokens]
    assert texts[:4] == ["<unk>", "<s>", "</s>", "[INST]"] and texts[20] == "<SPECIAL_20>"
    root["config"]["version"] = "v11"
    with pytest.raises(errors.FormatError, match="'special_tokens' is missing"):
        read("tekken", json.dumps(root).encode())


def test_another_order_of_bytes_cannot_be_written_as_tekken():
    definition = read("tiktoken", small.ranks(), pretokenizer="gpt2").definition
    with pytest.raises(errors.ExportError, match="then the bytes 0 to 255 in order"):
        FORMATS["tekken"].write(definition)


# -- sentencepiece ---------------------------------------------------------------------------------------


def test_sentencepiece_pieces_become_tokens_by_type():
    definition = read("sentencepiece", small.sentencepiece()).definition
    assert definition.model.byte_fallback and definition.model.unk_id == 0
    assert [token.roles for token in definition.added_tokens] == [("unk",), ("bos",), ("eos",)]
    assert definition.table.kinds[3 + 65] == "byte" and definition.table.tokens[3 + 65] == b"A"


def test_byte_level_cannot_be_written_as_sentencepiece(place):
    with pytest.raises(errors.ExportError, match="no other model"):
        FORMATS["sentencepiece"].write(Tokenizer.load(place(FILES["hf"])).definition)


def test_unigram_is_written_as_it_was():
    definition = read("sentencepiece", small.unigram()).definition
    written = FORMATS["sentencepiece"].write(definition)[""]
    assert read("sentencepiece", written).definition == definition


# -- bbpe ------------------------------------------------------------------------------------------------


def test_both_spellings_of_bbpe_are_one_vocabulary():
    definition = read("bbpe-latin1", small.latin1()).definition
    assert definition.pipeline.kind == "binary"
    assert read("bbpe", write_bbpe(definition)).definition == definition
    assert read("bbpe-latin1", write_latin1(definition)).definition == definition
    assert definition.table.tokens[-1] == b" \xff"


def test_text_vocabularies_cannot_be_written_for_bbpe(place):
    with pytest.raises(errors.ExportError, match="bytes unsplit"):
        write_bbpe(Tokenizer.load(place(FILES["hf"])).definition)


# -- GGUF ------------------------------------------------------------------------------------------------


def test_gguf_is_read_with_tensors_behind_it_and_big_endian_refuses_nothing_else():
    reading = read("gguf", small.gguf(tensors=7) + b"\xff" * 1000)
    assert reading.definition.added_tokens[0].roles == ("pad",)
    assert reading.definition.pipeline.pretokenizers == ("gpt2",)
    assert "chat_template" in reading.notes[0]


def test_gguf_with_a_named_splitter_instead_of_an_unknown_one():
    pairs = small.gguf_pairs() | {"tokenizer.ggml.pre": small.struct.pack("<I", 8) + small.string("nonsense")}
    definition = read("gguf", small.gguf(pairs), pretokenizer="llama3").definition
    assert definition.pipeline.pretokenizers == ("llama3",)


# -- merges by pair and by product -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"), [("tiktoken", small.ranks()), ("sentencepiece", small.sentencepiece())]
)
def test_a_model_of_products_is_saved_as_the_same_function(name, data, tmp_path):
    """tokenizer.json lists pairs, so what is read back is another definition with the same ids."""
    options = {"pretokenizer": "gpt2"} if name == "tiktoken" else {}
    source = Tokenizer(read(name, data, **options).definition)
    again = Tokenizer.load(source.save(tmp_path / "one.json"))
    assert source.definition.model.ranks is not None and again.definition.model.ranks is None
    assert again.fingerprint == source.fingerprint
    assert Tokenizer.load(again.save(tmp_path / "two.json")) == again
    probes = conversion_probes(source)
    assert [found.tolist() for found in again.encode_batch(probes)] == [
        found.tolist() for found in source.encode_batch(probes)
    ]
    alone = write_standalone(source.definition, source.provenance_json)
    assert Tokenizer(*read_standalone(alone, "alone")) == source


def test_a_model_of_products_is_spelled_out_with_one_merge_a_token():
    definition = read("tiktoken", small.ranks(), pretokenizer="gpt2").definition
    paired = by_pair(definition)
    assert paired.model.ranks is None and len(paired.model.merges) == len(small.MERGED)
    assert FORMATS["tiktoken"].write(paired)[""] == small.ranks()


def test_merges_that_are_no_products_cannot_be_ranks():
    tokens = [*initial_bytes(), b"ab", b"bc", b"abc"]
    at = {token: i for i, token in enumerate(tokens)}
    merges = [(at[b"b"], at[b"c"], 257), (at[b"a"], at[b"b"], 256), (256, at[b"c"], 258)]
    tokenizer = Tokenizer.from_parts(tokens, merges, pipeline=Pipeline("text", ("gpt2",)))
    with pytest.raises(errors.ExportError, match="tokens are not reached by merges"):
        FORMATS["tiktoken"].write(tokenizer.definition)


def test_legacy_merges_are_text():
    content = FORMATS["hf"].write(read("hf", small.hf()).definition)[""]
    assert json.loads(legacy_merges(content))["model"]["merges"][0] == "h e"
    spaced = content.replace(b'"h"', b'" h"')
    with pytest.raises(errors.ExportError, match="holds a space"):
        legacy_merges(spaced)


# -- standalone ------------------------------------------------------------------------------------------


def test_what_hugging_face_cannot_express_is_saved_alone(place, tmp_path):
    squeezing = Normalizer(
        name="x", remove_extra_whitespaces=True
    )  # no step of Hugging Face's does just that
    tokenizer = Tokenizer.load(place({"m.model": small.sentencepiece(normalizer=squeezing)}))
    (tmp_path / "out").mkdir()
    saved = tokenizer.save(tmp_path / "out" / "tokenizer.json")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tokenizer.tokforge.json"]
    assert Tokenizer.load(saved) == tokenizer
    assert Tokenizer.load(tmp_path / "out") == tokenizer


@pytest.mark.parametrize("name", FILES)
def test_everything_can_stand_alone(name):
    files = {"": next(iter(FILES[name].values()))} | FILES[name]
    options = {"pretokenizer": "gpt2"} if name == "tiktoken" else {}
    definition = read(name, files[""], files, **options).definition
    assert read_standalone(write_standalone(definition, "{}"), "x") == (definition, "{}")


def test_a_sidecar_without_its_tokenizer_is_told_apart(place, tmp_path):
    Tokenizer.load(place(FILES["hf"])).save(tmp_path / "t.json")
    with pytest.raises(errors.FormatError, match="this is a sidecar, not a tokenizer"):
        Tokenizer.load(tmp_path / "t.tokforge.json")


STANDALONE = [
    ("definition/tokens/0", 5, "tokens.*expected a string"),
    ("definition/tokens/0", "中", "not spelled in the GPT-2"),
    ("definition/kinds/0/0", "odd", "a run is a kind and a count"),
    ("definition/kinds/0/1", 10**9, "a run is a kind and a count"),
    ("definition/model/type", "Pickle", "there is no 'Pickle' here"),
    ("definition/model/merges/0", [1, 2], "entry 0 is"),
    ("definition/model/merges/0", [1, 2, -1], "entry 0 is"),
    ("definition/model/ignore_merges", 1, "expected bool"),
    ("definition/model/extra", 1, "the key 'extra' is unknown"),
    ("definition/pipeline/kind", "odd", "use one of: text, binary"),
    ("definition/pipeline/pretokenizers", [{"type": "Definition"}], "there is no 'Definition' here"),
    ("version", 9, "version 9 is unknown"),
    ("other", 1, "the key 'other' is unknown"),
]


@pytest.mark.parametrize(("path", "value", "message"), STANDALONE, ids=[f"{p}={v}" for p, v, _ in STANDALONE])
def test_a_malformed_standalone_is_refused(path, value, message, place, tmp_path):
    definition = read("tiktoken", small.ranks(), pretokenizer="gpt2").definition
    saved = tmp_path / "s.tokforge.json"
    root = json.loads(write_standalone(definition, "{}"))
    *way, last = path.split("/")
    inner = root
    for key in way:
        inner = inner[int(key) if isinstance(inner, list) else key]
    inner[int(last) if isinstance(inner, list) else last] = value
    saved.write_text(json.dumps(root))
    with pytest.raises(errors.FormatError, match=message):
        Tokenizer.load(saved)


# -- where they are looked for ---------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that must not be run."""
    folder = tmp_path / "site" / "tokens_package"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    (folder / "data" / "t.json").write_bytes(small.hf())
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


def test_a_packages_resource_is_read_without_importing_it(package):
    assert Tokenizer.load("pkg:tokens_package/data/t.json").vocab_size == 269
    assert "tokens_package" not in sys.modules
    with pytest.raises(errors.InputError, match=r"has no 'data/none.json'"):
        Tokenizer.load("pkg:tokens_package/data/none.json")
    with pytest.raises(errors.ConfigError, match="leads out of the package"):
        Tokenizer.load("pkg:tokens_package/../../x")
    with pytest.raises(errors.InputError, match="no package not_there is installed"):
        Tokenizer.load("pkg:not_there/x")
    with pytest.raises(errors.ConfigError, match="names no resource"):
        Tokenizer.load("pkg:tokens_package")


def test_the_hub_is_asked_for_tokenizer_files_alone(tmp_path, monkeypatch):
    asked = []
    hub = ModuleType("huggingface_hub")

    def snapshot_download(repository, *, revision, allow_patterns):
        asked.append((repository, revision, "*.safetensors" in allow_patterns))
        (tmp_path / "tokenizer.json").write_bytes(small.hf())
        return str(tmp_path)

    hub.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert Tokenizer.load("hf:owner/name@main").vocab_size == 269
    assert asked == [("owner/name", "main", False)]
    with pytest.raises(errors.ConfigError, match="names no repository"):
        Tokenizer.load("hf:name")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(errors.MissingExtraError, match="huggingface_hub"):
        Tokenizer.load("hf:owner/name")
    with pytest.raises(errors.InputError, match="there is no such file"):
        Tokenizer.load("owner/name")


def test_a_failing_hub_is_an_input_error(monkeypatch):
    hub = ModuleType("huggingface_hub")

    def snapshot_download(*args, **options):
        raise OSError("offline\nfor now")

    hub.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    with pytest.raises(errors.InputError, match="the hub did not give it: offline for now"):
        Tokenizer.load("hf:owner/name")


def as_gguf(model, data, **more):
    """The GGUF vocabulary that llama.cpp's converter makes of a sentencepiece model."""
    proto, text = read_proto(data, "model"), lambda value: small.struct.pack("<I", 8) + small.string(value)
    pairs = {
        "tokenizer.ggml.model": text(model),
        "tokenizer.ggml.tokens": small.strings([piece.text for piece in proto.pieces]),
        "tokenizer.ggml.scores": small.numbers([piece.score for piece in proto.pieces], 6, "f"),
        "tokenizer.ggml.token_type": small.numbers([piece.type for piece in proto.pieces]),
        "tokenizer.ggml.bos_token_id": small.struct.pack("<II", 4, 1),
        "tokenizer.ggml.unknown_token_id": small.struct.pack("<II", 4, 0),
    }
    return small.gguf(pairs | {f"tokenizer.ggml.{key}": value for key, value in more.items()})


@pytest.mark.parametrize(("model", "data"), [("llama", small.sentencepiece()), ("t5", small.unigram())])
def test_gguf_of_pieces_gives_the_ids_of_the_sentencepiece_model(model, data):
    prefix = {"add_space_prefix": small.struct.pack("<IB", 7, 1)}
    found = Tokenizer(read("gguf", as_gguf(model, data, **prefix)).definition)
    expected = Tokenizer(read("sentencepiece", data).definition)
    for text in ("", "abc", " ab  abc", "abé\U0001f600", "c<s>a\u2581b"):
        assert found.encode(text).tolist() == expected.encode(text).tolist(), text
    assert found.role("bos").text == "<s>" and found.decode(found.encode("ab abc")) == b"ab abc"


def test_gguf_of_bert_gives_the_ids_of_its_vocab_txt():
    lines = ["[PAD]", "[UNK]", "[CLS]", "un", "##able", "##a", "b", "!", "a"]
    spelled = [
        line if line[0] == "[" else line.removeprefix("##") if line[:2] == "##" else f"\u2581{line}"
        for line in lines
    ]
    text = small.struct.pack("<I", 8) + small.string("bert")
    pairs = {"tokenizer.ggml.model": text, "tokenizer.ggml.tokens": small.strings(spelled)}
    found = Tokenizer(read("gguf", small.gguf(pairs)).definition)
    expected = Tokenizer(read("wordpiece", "\n".join(lines).encode()).definition)
    assert found.definition == expected.definition
    assert found.encode("Unable! b a zz").tolist() == [3, 4, 7, 6, 8, 1]


def test_gguf_of_pieces_sets_aside_an_unused_piece_that_no_text_reaches():
    proto = read_proto(small.sentencepiece(pieces=(*small.PIECES, "<unused0>")), "model")
    unused = (*proto.pieces[:-1], proto.pieces[-1]._replace(type=5))
    reading = read("gguf", as_gguf("llama", write_proto(replace(proto, pieces=unused))))
    assert reading.definition.table.kinds[-1] == "special"
    reachable = (*proto.pieces[:-1], proto.pieces[-1]._replace(text="ba", type=5))
    with pytest.raises(errors.FormatError, match="can be made of two others"):
        read("gguf", as_gguf("llama", write_proto(replace(proto, pieces=reachable))))
