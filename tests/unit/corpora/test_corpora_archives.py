"""Archives: what is read, what is passed over, and what is refused."""

import io
import stat
import tarfile
import zipfile
from collections import Counter

import pytest
from tokforge_corpora import _archives
from tokforge_corpora._archives import read_members, safe_name

from tokforge.errors import InputError
from tokforge.inputs.archives import ArchiveOptions

MEMBERS = {"pkg/a.c": b"int a;", "pkg/sub/b.h": b"int b;", "README": b"hello"}
KINDS = [("zip", "a.whl"), ("tgz", "a.tgz"), ("txz", "a.tar.xz"), ("deb", "a.deb")]


def read(data, file, inner=None, skipped=None, wanted=lambda name: True):
    skipped = Counter() if skipped is None else skipped
    return dict(read_members(io.BytesIO(data), file, wanted, skipped, inner))


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("zip", "a.whl"),
        ("zip", "a.jar"),
        ("tgz", "a.crate"),
        ("tgz", "a.tgz"),
        ("txz", "a.tar.xz"),
        ("deb", "a.deb"),
    ],
)
def test_every_kind_gives_the_same_members(packages, kind, file):
    assert read(getattr(packages, kind)(MEMBERS), file) == MEMBERS


def test_leading_dot_folder_is_dropped_and_unwanted_members_are_not_read(packages):
    data = packages.deb({f"./{name}": content for name, content in MEMBERS.items()})
    assert read(data, "a.deb", wanted=lambda name: name.endswith(".c")) == {"pkg/a.c": b"int a;"}


def test_an_inner_tar_is_read_through(packages):
    data = packages.deb({"usr/doc": b"no", "usr/src/x.tar.xz": packages.txz(MEMBERS)})
    assert read(data, "a.deb", inner="usr/src/x.tar.xz") == MEMBERS
    with pytest.raises(InputError, match="it has no member usr/src/y"):
        read(data, "a.deb", inner="usr/src/y.tar.xz")


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a\\..\\x", "C:/x", "a\nb", "./../x"])
def test_hostile_names_are_refused(packages, name):
    with pytest.raises(InputError, match="it has a member named") as caught:
        read(packages.tgz({"fine": b"1", name: b"2"}), "a.tgz")
    assert caught.value.where == "a.tgz"
    with pytest.raises(InputError, match="it has a member named"):
        read(packages.zip({name: b"2"}), "a.whl")


def test_a_name_that_hides_behind_nul_is_refused(packages):
    data = packages.zip({"aXb": b"2"}).replace(b"aXb", b"a\0b")
    with pytest.raises(InputError, match="it has a member named"):
        read(data, "a.whl")


def test_ordinary_odd_names_are_accepted():
    assert safe_name("./a..b/c...") == "a..b/c..."
    assert safe_name("golang.org/x/net@v0.1/a.go") == "golang.org/x/net@v0.1/a.go"


def test_links_and_devices_are_skipped_and_counted(packages):
    members = {"real": b"1"}
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        link = tarfile.TarInfo(f"link{kind.decode()}")
        link.type, link.linkname = kind, "/etc/passwd"
        members[link] = b""
    skipped = Counter()
    assert read(packages.tgz(members), "a.tgz", skipped=skipped) == {"real": b"1"}
    assert skipped["links"] == 4
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert read(packages.zip({link: b"/etc/passwd"}), "a.whl", skipped=skipped) == {}
    assert skipped["links"] == 5


@pytest.mark.parametrize(("kind", "file"), [("zip", "a.whl"), ("tgz", "a.tgz"), ("deb", "a.deb")])
def test_a_bomb_is_refused_before_it_unpacks(packages, kind, file):
    bomb = getattr(packages, kind)({"zeros": bytes(8 << 20)})
    with pytest.raises(InputError, match="more than 200 times its size"):
        read(bomb, file)
    with pytest.raises(InputError, match="more than 200 times its size"):
        read(bomb, file, wanted=lambda name: kind == "zip")  # a tar's unwanted members count, too


def test_a_large_member_is_refused(packages, monkeypatch):
    monkeypatch.setattr(_archives, "LIMITS", ArchiveOptions(member_bytes=3))
    for data, file in ((packages.zip(MEMBERS), "a.whl"), (packages.tgz(MEMBERS), "a.tgz")):
        with pytest.raises(InputError, match=r"pkg/a.c has 6 bytes, more than 3"):
            read(data, file)


@pytest.mark.parametrize(
    ("kind", "file"), [("zip", "a.whl"), ("tgz", "a.tgz"), ("txz", "a.tar.xz"), ("deb", "a.deb")]
)
def test_every_truncation_is_an_input_error_or_harmless(packages, kind, file):
    data = getattr(packages, kind)(MEMBERS)
    for end in range(0, len(data) - 1, 7):
        try:
            found = read(data[:end], file)
        except InputError as error:
            assert error.where == file
        else:  # only the archive's own padding was cut off
            assert found == MEMBERS


def test_what_is_no_archive_is_an_input_error(packages):
    for file in ("a.whl", "a.tgz", "a.deb", "a.tar.xz"):
        with pytest.raises(InputError):
            read(b"plain text, by mistake", file)
    with pytest.raises(InputError, match=r"a\.rar: it is no archive that can be read"):
        read(b"Rar!", "a.rar")
    with pytest.raises(InputError, match=r"it has no data\.tar"):
        read(b"!<arch>\n", "a.deb")


def test_encrypted_and_damaged_members_are_input_errors(packages):
    data = bytearray(packages.zip({"a": b"x" * 50}))
    entry = data.index(b"PK\1\2")
    encrypted = data[:]
    encrypted[6] |= 1
    encrypted[entry + 8] |= 1
    with pytest.raises(InputError, match="encrypted"):
        read(bytes(encrypted), "a.whl")
    data[entry + 16] ^= 1  # the checksum
    with pytest.raises(InputError, match="malformed"):
        read(bytes(data), "a.whl")
