"""Manifests: those that ship are sound, and a malformed one ends in an error that says what to do."""

import re

import pytest
from tokforge_corpora import list_corpora, load_manifest, read_manifest
from tokforge_corpora._manifest import MANIFESTS, parse_manifest

from tokforge.errors import InputError, UnknownNameError

ITEM = {
    "client": "pip",
    "package": "a",
    "version": "1",
    "file": "a-1.whl",
    "sha256": "0" * 64,
    "bytes": 5,
    "group": "g",
}
TABLE = {
    "name": "n",
    "version": "1",
    "description": "d",
    "licences": ["MIT"],
    "group_kind": "folder",
    "reader": "files",
}


def parsed(item=(), **table):
    return parse_manifest({**TABLE, "items": [{**ITEM, **dict(item)}], **table}, "m.toml")


def test_the_corpora_ship():
    names = [manifest.name for manifest in list_corpora()]
    assert names == [
        "binaries-heldout",
        "binaries-large",
        "binaries-small",
        "code-c",
        "code-mixed",
        "text-multilingual",
    ]
    assert names == sorted(path.stem for path in MANIFESTS.glob("*.toml"))


def test_shipped_manifests_hold_what_issue_3_asks():
    groups = {m.name: {item.group for item in m.items} for m in list_corpora()}
    assert len(groups["binaries-small"]) == 5
    assert len(groups["text-multilingual"]) >= 16
    assert groups["code-mixed"] == {"python", "javascript", "go", "rust", "java", "c"}
    assert load_manifest("binaries-small").download_bytes < 60e6


def test_no_manifest_names_an_address():
    for path in MANIFESTS.glob("*.toml"):
        assert "://" not in path.read_text()


def test_an_unknown_corpus_is_refused_with_the_names():
    with pytest.raises(UnknownNameError, match="binaries-small, code-c") as caught:
        load_manifest("../../etc/passwd")
    assert "../../etc/passwd" in caught.value.problem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha265": "0"}, "the manifest has no 'sha265'; use one of: bytes, classifier, client"),
        ({"client": "curl"}, "client has no 'curl'; use one of: apt, cargo, go, maven, npm, pip"),
    ],
)
def test_unknown_words_are_refused_with_the_allowed_list(change, message):
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        parsed(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 63}, "64 lower-case hexadecimal digits"),
        ({"sha256": "../../x"}, "64 lower-case hexadecimal digits"),
        ({"file": "../a.whl"}, "plain file name"),
        ({"file": ".."}, "plain file name"),
        ({"package": "--index-url=x"}, "plain package"),
        ({"version": "-r file"}, "plain version"),
        ({"bytes": "5"}, "the value is '5'; give a number"),
        ({"bytes": True}, "the value is True; give a number"),
        ({"strip": -1}, "the value is -1; give a number"),
        ({"select": "*.c"}, "give a list of str"),
        ({"platforms": [1]}, "give a list of str"),
    ],
)
def test_malformed_items_are_refused(change, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parsed(change)
    assert "items[0]" in caught.value.where


def test_missing_keys_and_items_are_refused():
    with pytest.raises(InputError, match="client is missing; give client, package, version, file"):
        parse_manifest({**TABLE, "items": [{}]}, "m.toml")
    with pytest.raises(InputError, match=r"no \[\[items\]\]"):
        parse_manifest(TABLE, "m.toml")
    with pytest.raises(UnknownNameError, match="reader has no 'pdf'; use one of: executables, files"):
        parsed(reader="pdf")


@pytest.mark.parametrize("text", ["name = ", "name = '\udcff'"])
def test_a_file_that_is_no_toml_is_an_input_error(tmp_path, text):
    path = tmp_path / "m.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_manifest(path)
    assert caught.value.where == str(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path / "missing.toml")
