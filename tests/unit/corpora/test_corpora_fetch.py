"""Fetching: verified, cached, offline, interrupted, concurrent; and the export."""

import hashlib
import shutil
import stat
import sys
import threading

import pytest
from tokforge_corpora import _fetch, exported, fetch, is_fetched, stats
from tokforge_corpora._cache import _default_cache

from tokforge.errors import InputError, IntegrityError, OutputError, UnknownNameError

ONE = {"a.txt": b"aaa", "sub/b.txt": b"bb"}


@pytest.fixture
def tiny(packages, corpus_of):
    """Two packages, two groups."""
    return corpus_of(
        {
            "one": (
                "one.tgz",
                packages.tgz({"a.txt": b"aaa", "sub/b.txt": b"bb"}),
                {"group": "x", "prefix": ""},
            ),
            "two": ("two.whl", packages.zip({"c.txt": b"c"}), {"group": "y"}),
        }
    )


DOCUMENTS = [("x", "a.txt", b"aaa"), ("x", "sub/b.txt", b"bb"), ("y", "two/c.txt", b"c")]


def files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_fetch_gives_documents_and_statistics(tiny, client, tmp_path):
    cache = tmp_path / "cache"
    assert not is_fetched(tiny, cache=cache)
    corpus = fetch(tiny, cache=cache)
    assert list(corpus.documents()) == DOCUMENTS
    assert is_fetched(tiny, cache=cache)
    figures = stats(corpus).as_dict()
    assert figures["groups"] == [
        {"group": "x", "documents": 2, "bytes": 5},
        {"group": "y", "documents": 1, "bytes": 1},
    ]
    assert (figures["documents"], figures["bytes"], figures["downloads"]) == (3, 6, 2)
    assert figures["sha256"] == hashlib.sha256(corpus.path.read_bytes()).hexdigest()
    assert stats(tiny, cache=cache) == corpus.stats


def test_what_is_cached_is_not_fetched_again(tiny, client, tmp_path):
    first = fetch(tiny, cache=tmp_path / "cache")
    calls = len(client.calls)
    assert calls == 2
    assert fetch(tiny, cache=tmp_path / "cache", offline=True) == first
    first.path.unlink()
    assert list(fetch(tiny, cache=tmp_path / "cache", offline=True).documents()) == DOCUMENTS
    assert len(client.calls) == calls


def test_two_caches_hold_the_same_corpus(tiny, client, tmp_path):
    one, two = (fetch(tiny, cache=tmp_path / name) for name in ("one", "two"))
    assert one.stats == two.stats
    assert one.path.read_bytes() == two.path.read_bytes()


def test_offline_runs_no_client(tiny, client, tmp_path):
    with pytest.raises(InputError, match=r"2 of 2 downloads are missing.*tokforge corpora fetch tiny"):
        fetch(tiny, cache=tmp_path / "cache", offline=True)
    with pytest.raises(InputError, match="downloads are missing"):
        stats(tiny, cache=tmp_path / "cache")
    assert client.calls == []


def test_a_wrong_download_is_refused_and_leaves_nothing(tiny, client, tmp_path):
    file, data = client.files["two"]
    client.files["two"] = (file, data + b"!")
    found, expected = (hashlib.sha256(content).hexdigest() for content in (data + b"!", data))
    with pytest.raises(IntegrityError, match=f"{found}, but {expected} is expected"):
        fetch(tiny, cache=tmp_path / "cache")
    assert not is_fetched(tiny, cache=tmp_path / "cache")
    assert [p.name for p in (tmp_path / "cache").rglob("*") if p.is_file() and "one" not in p.name] == []
    client.files["two"] = (file, data)
    assert list(fetch(tiny, cache=tmp_path / "cache").documents()) == DOCUMENTS


@pytest.mark.parametrize("which", ["downloads", "prepared"])
def test_a_file_that_changed_in_the_cache_is_refused_then_made_anew(tiny, client, tmp_path, which):
    cache = tmp_path / "cache"
    corpus = fetch(tiny, cache=cache)
    victim = corpus.path
    if which == "downloads":
        victim = next((cache / which).glob("*/one.tgz"))
        corpus.path.unlink()
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    with pytest.raises(IntegrityError, match="is expected"):
        fetch(tiny, cache=cache)
    assert not victim.exists()
    assert list(fetch(tiny, cache=cache).documents()) == DOCUMENTS


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"groups": 3}'])
def test_a_damaged_record_is_made_anew(tiny, client, tmp_path, content):
    corpus = fetch(tiny, cache=tmp_path / "cache")
    corpus.path.with_suffix(".json").write_text(content)
    assert not is_fetched(tiny, cache=tmp_path / "cache")
    assert fetch(tiny, cache=tmp_path / "cache") == corpus


def test_a_failing_client_and_an_interruption_leave_nothing_unfinished(tiny, client, tmp_path):
    for failure in (InputError("apt-get failed", "try again"), KeyboardInterrupt()):
        client.failure = failure
        with pytest.raises(type(failure)):
            fetch(tiny, cache=tmp_path / "cache")
        assert files(tmp_path / "cache") == {}
        assert list((tmp_path / "cache" / "work").iterdir()) == []


def test_an_interruption_while_reading_leaves_no_corpus(tiny, client, tmp_path):
    def interrupt(phase, done, total):
        if phase == "read":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tiny, cache=tmp_path / "cache", progress=interrupt)
    assert not is_fetched(tiny, cache=tmp_path / "cache")
    assert list(fetch(tiny, cache=tmp_path / "cache", offline=True).documents()) == DOCUMENTS


def test_progress_counts_bytes_to_the_end(tiny, client, tmp_path, monkeypatch):
    monkeypatch.setattr(_fetch, "REPORT_SECONDS", 0.0)
    reports = []
    fetch(tiny, cache=tmp_path / "cache", progress=lambda *report: reports.append(report))
    size = tiny.download_bytes
    for phase in ("download", "read"):
        seen = [done for name, done, total in reports if name == phase and total == size]
        assert seen == sorted(seen)
        assert seen[-1] == size


def test_concurrent_fetches_agree(tiny, client, tmp_path):
    results, errors = [], []

    def work():
        try:
            results.append(list(fetch(tiny, cache=tmp_path / "cache").documents()))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert results == [DOCUMENTS] * 8


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(
        UnknownNameError, match="use one of: binaries-heldout, binaries-large, binaries-small"
    ):
        fetch("binaries-smal", cache=tmp_path)


def test_a_corpus_without_documents_is_an_error(packages, corpus_of, tmp_path):
    empty = corpus_of({"p": ("p.tgz", packages.tgz({"a": b"1"}), {"group": "g", "select": ["*.c"]})})
    with pytest.raises(InputError, match="the corpus has no documents"):
        fetch(empty, cache=tmp_path / "cache")


def test_a_hostile_archive_writes_nothing_outside_the_cache(packages, corpus_of, tmp_path):
    bad = corpus_of({"p": ("p.tgz", packages.tgz({"../../../evil": b"1"}), {"group": "g"})})
    with pytest.raises(InputError, match="it has a member named"):
        fetch(bad, cache=tmp_path / "a" / "cache")
    assert [p.name for p in tmp_path.rglob("*evil*")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_the_cache_is_private(tiny, client, tmp_path):
    fetch(tiny, cache=tmp_path / "cache")
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_the_cache_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    assert _default_cache({"TOKFORGE_CACHE": "/c"}, "linux").as_posix() == "/c"
    assert _default_cache({}, "linux") == tmp_path / ".cache" / "tokforge"
    assert _default_cache({"XDG_CACHE_HOME": str(tmp_path / "x")}, "linux") == tmp_path / "x" / "tokforge"
    assert _default_cache({"XDG_CACHE_HOME": "relative"}, "linux") == tmp_path / ".cache" / "tokforge"
    assert _default_cache({}, "darwin") == tmp_path / "Library" / "Caches" / "tokforge"
    assert _default_cache({"LOCALAPPDATA": str(tmp_path)}, "win32") == tmp_path / "tokforge" / "Cache"


def test_a_cache_that_cannot_be_made_is_an_output_error(tiny, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="set TOKFORGE_CACHE"):
        fetch(tiny, cache=tmp_path / "file" / "cache")


def test_export_writes_every_document(tiny, client, tmp_path):
    corpus = fetch(tiny, cache=tmp_path / "cache")
    assert corpus.export(tmp_path / "out") == tmp_path / "out"
    expected = {f"{group}/{name}": data for group, name, data in DOCUMENTS}
    assert files(tmp_path / "out") == expected
    (tmp_path / "empty").mkdir()
    corpus.export(tmp_path / "empty")
    assert files(tmp_path / "empty") == expected
    with pytest.raises(OutputError, match="not empty; give a new folder, or --force"):
        corpus.export(tmp_path / "out")
    (tmp_path / "out" / "x" / "a.txt").write_bytes(b"changed")
    corpus.export(tmp_path / "out", force=True)
    assert files(tmp_path / "out") == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "empty", "out"]


def test_export_never_replaces_what_is_not_its_own(tiny, client, tmp_path):
    corpus = fetch(tiny, cache=tmp_path / "cache")
    precious = tmp_path / "home" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years")
    with pytest.raises(OutputError, match=r"holds 'thesis\.txt', which is not of tiny"):
        corpus.export(precious.parent, force=True)
    with pytest.raises(OutputError, match="this is no folder"):
        corpus.export(precious, force=True)
    (tmp_path / "link").symlink_to(precious.parent)
    with pytest.raises(OutputError, match="this is no folder"):
        corpus.export(tmp_path / "link", force=True)
    assert precious.read_text() == "years"


def test_an_export_that_fails_leaves_nothing(tiny, client, tmp_path, monkeypatch):
    corpus = fetch(tiny, cache=tmp_path / "cache")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="give a folder where you can write"):
        corpus.export(tmp_path / "file" / "out")
    (tmp_path / "file").unlink()
    assert corpus.export(tmp_path / "made" / "out").is_dir()
    shutil.rmtree(tmp_path / "made")

    def interrupted(self):
        yield DOCUMENTS[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(type(corpus), "documents", interrupted)
    with pytest.raises(KeyboardInterrupt):
        corpus.export(tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache"]


@pytest.mark.network
def test_binaries_small_is_what_it_was(tmp_path):
    corpus = fetch("binaries-small", cache=tmp_path / "cache")
    assert corpus.stats.sha256 == "7a1b52d470a7794969bbeec466778df0e676dbc99e6d13804efae6ad6c8d856c"
    assert corpus.stats.bytes == 65_997_350
    assert len(corpus.stats.groups) == 5


def test_the_exported_folder_is_written_once_and_needs_a_fetched_corpus(tiny, client, tmp_path):
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match="corpora fetch"):
        exported(tiny, cache=cache)
    fetch(tiny, cache=cache)
    folder = exported(tiny, cache=cache)
    assert files(folder) == {f"{group}/{name}": data for group, name, data in DOCUMENTS}
    before = folder.stat().st_mtime_ns
    assert exported(tiny, cache=cache) == folder
    assert folder.stat().st_mtime_ns == before
