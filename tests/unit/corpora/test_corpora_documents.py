"""Documents: which members count, their group and name, and what cleaning leaves of help pages."""

import hashlib
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokforge_corpora import fetch
from tokforge_corpora._documents import is_executable
from tokforge_corpora._prepare import Selection


def documents(manifest, tmp_path):
    return list(fetch(manifest, cache=tmp_path / "cache").documents())


def page(*blocks):
    body = "".join(f"<p>{block}</p>" for block in blocks)
    return f'<div id="DisplayArea">{body}</div><div id="SearchFrame">'.encode()


def test_executables_are_told_by_magic(executables):
    assert all(is_executable(data) for data in executables.values())
    assert is_executable(b"\xca\xfe\xba\xbe\0\0\0\2")  # a fat binary of two architectures
    for data in (
        b"",
        b"MZ",
        b"MZ is how this text begins" * 9,
        b"#!/bin/sh\n",
        b"\xca\xfe\xba\xbe\0\0\0\x34",
    ):
        assert not is_executable(data)


def test_only_executables_of_a_wheel_are_taken(packages, corpus_of, executables, tmp_path):
    members = {"a/__init__.py": b"import a", **{f"a/{name}": data for name, data in executables.items()}}
    manifest = corpus_of({"a": ("a.whl", packages.zip(members), {"group": "linux"})}, reader="executables")
    found = documents(manifest, tmp_path)
    assert found == [("linux", f"a/a/{name}", executables[name]) for name in ("ELF", "Mach-O", "PE")]


def test_select_exclude_strip_prefix_and_groups_by_folder(packages, corpus_of, tmp_path):
    members = {
        "v1/net/core/a.c": b"a",
        "v1/fs/b.c": b"b",
        "v1/fs/gen/c.c": b"c",
        "v1/d.c": b"d",
        "v1/fs/e.txt": b"e",
    }
    keys = {"select": ["*.c"], "exclude": ["v1/fs/gen/*"], "strip": 1, "prefix": ""}
    found = documents(corpus_of({"p": ("p.tgz", packages.tgz(members), keys)}), tmp_path)
    assert found == [("fs", "b.c", b"b"), ("net", "core/a.c", b"a"), ("top", "d.c", b"d")]


def test_a_prefix_is_the_package(packages, corpus_of, tmp_path):
    keys = {"group": "java", "client": "maven"}
    found = documents(corpus_of({"g:a": ("a-1.0.jar", packages.zip({"A.java": b"1"}), keys)}), tmp_path)
    assert found == [("java", "g/a/A.java", b"1")]


def test_equal_members_stand_once_and_case_never_collides(packages, corpus_of, tmp_path):
    members = {"xt_dscp.h": b"1", "xt_DSCP.h": b"2", "copy.h": b"1"}
    manifest = corpus_of({"p": ("p.tgz", packages.tgz(members), {"group": "g", "prefix": ""})})
    corpus = fetch(manifest, cache=tmp_path / "cache")
    assert list(corpus.documents()) == [("g", "xt_DSCP.h", b"2"), ("g", "xt_dscp~2.h", b"1")]
    assert corpus.stats.duplicates == 1


def test_help_pages_keep_their_own_blocks(packages, corpus_of, tmp_path):
    english = {"text/a.html": page("Menu", "Save", "Print"), "text/b.html": page("Menu", "Close", "Close")}
    hindi = {"text/b.html": page("Menu", "Print", "बंद"), "text/a.html": page("मेनू", "Save", "बंद"), "x": b"no"}
    keys = {"select": ["text/*.html"], "strip": 1, "prefix": ""}
    contents = {
        "help-hi": ("hi.deb", packages.deb(hindi), {"group": "hi", **keys}),
        "help-en": ("en.deb", packages.deb(english), {"group": "en", **keys}),
    }
    manifest = corpus_of(contents, reader="help-pages", untranslated_group="en")
    corpus = fetch(manifest, cache=tmp_path / "cache")
    assert [(group, name, data.decode()) for group, name, data in corpus.documents()] == [
        ("en", "a.txt", "Menu\nSave\nPrint\n"),
        ("en", "b.txt", "Close\n"),
        ("hi", "a.txt", "मेनू\nबंद\n"),
    ]
    assert corpus.stats.empty == 1


def name_hash(document):
    return hashlib.blake2b(f"{document[0]}/{document[1]}".encode(), digest_size=16).digest()


NAMES = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(1, 9), max_size=12)


@given(NAMES, st.integers(0, 40), st.randoms(use_true_random=False))
def test_the_sample_is_the_longest_prefix_by_hash_in_any_order(sizes, limit, order: random.Random):
    found = [("g", name, name.encode().ljust(4, b"~") * size) for name, size in sizes.items()]
    order.shuffle(found)
    selection = Selection(limit)
    for document in found:
        selection.add(document)
    kept, total = [], 0
    for document in sorted(
        found, key=lambda d: hashlib.blake2b(f"g/{d[1]}".encode(), digest_size=16).digest()
    ):
        total += len(document[2])
        if total > limit:
            break
        kept.append(document)
    assert selection.documents() == sorted(kept)
    assert selection.beyond_sample == len(found) - len(kept)


@pytest.mark.parametrize("limit", [None, 10**9])
def test_without_a_limit_all_is_kept(limit):
    selection = Selection(limit)
    for number in range(50):
        selection.add(("g", str(number), str(number).encode()))
    assert Counter(len(data) for *_, data in selection.documents()) == {1: 10, 2: 40}
