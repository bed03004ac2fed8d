"""Archives as inputs: every kind, archives within archives, and what hostile ones come to."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections import Counter

import pytest

from tokforge.errors import ConfigError, InputError
from tokforge.inputs import ArchiveOptions, documents, open_sources, read_archive

FILES = {"bin/a": b"\x7fELF" + b"a" * 40, "b": b"second"}


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def ar(files):
    found = b"!<arch>\n"
    for name, data in files.items():
        found += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        found += data + b"\n" * (len(data) % 2)
    return found


def deb():
    return ar(
        {
            "debian-binary": b"2.0\n",
            "control.tar.gz": gzip.compress(tarred({"./control": b"Package: x\n"})),
            "data.tar.xz": lzma.compress(tarred({"./usr/bin/x": b"\x7fELFx"})),
        }
    )


def read(data, name="a", **options):
    found = read_archive(io.BytesIO(data), name, options=ArchiveOptions(**options))
    return {"!".join(path): content for path, content in found}


@pytest.mark.parametrize("pack", [zipped, tarred, ar, lambda files: gzip.compress(tarred(files))])
def test_members_of_every_kind(pack):
    assert read(pack(FILES)) == FILES


@pytest.mark.parametrize("press", [bz2.compress, lzma.compress, gzip.compress])
def test_compressed_tars_and_single_files(press):
    assert read(press(tarred(FILES))) == FILES
    assert read(press(b"\x7fELF module"), "snd.ko.xz" if press is lzma.compress else "snd.ko") == {
        "snd.ko": b"\x7fELF module"
    }


def test_zstd_and_its_truncation():
    zstandard = pytest.importorskip("zstandard")
    data = zstandard.ZstdCompressor().compress(tarred(FILES))
    assert read(data, "a.tar.zst") == FILES
    with pytest.raises(InputError, match="truncated"):
        read(data[:-4], "a.tar.zst")


def test_a_deb_gives_what_its_tars_hold():
    assert read(deb(), "x.deb") == {
        "debian-binary": b"2.0\n",
        "control.tar.gz!control": b"Package: x\n",
        "data.tar.xz!usr/bin/x": b"\x7fELFx",
    }


def test_ar_names_of_gnu_and_bsd():
    long = "a_very_long_object_file_name.o"
    table = (long + "/\n").encode()
    gnu = ar({"/": b"\0\0\0\0", "//": table, "/0": b"one", "b.o/": b"two"})
    assert read(gnu) == {long: b"one", "b.o": b"two"}
    name = long.encode() + b"\0\0"
    assert read(ar({f"#1/{len(name)}": name + b"one"})) == {long: b"one"}


def test_archives_within_archives_as_deep_as_asked():
    nested = {"app.apk": zipped({"classes.dex": b"dex\n", "lib.aar": zipped({"x.so": b"\x7fELF"})})}
    assert read(zipped(nested)) == {"app.apk!classes.dex": b"dex\n", "app.apk!lib.aar!x.so": b"\x7fELF"}
    skipped = Counter()
    found = read_archive(io.BytesIO(zipped(nested)), "a", options=ArchiveOptions(depth=2), skipped=skipped)
    assert [path for path, _ in found] == [("app.apk", "classes.dex")]
    assert skipped == {"archives deeper than 2": 1}


def test_a_bomb_of_nested_archives_ends_early():
    bomb = zipped({"0": bytes(40 << 20)})
    for _ in range(3):
        bomb = zipped({f"{n}.zip": bomb for n in range(8)})
    with pytest.raises(InputError, match="more than 200 times its size"):
        read(bomb)
    with pytest.raises(InputError, match="has 6 bytes, more than 5"):
        read(zipped(FILES | {"bin/a": b"x"}), member_bytes=5)


def test_encrypted_members_need_the_password():
    pyzipper = pytest.importorskip("pyzipper")
    stream = io.BytesIO()
    with pyzipper.AESZipFile(stream, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"infected")
        archive.writestr("a", b"secret")
    data = stream.getvalue()
    assert read(data, password=b"infected") == {"a": b"secret"}
    with pytest.raises(ConfigError, match=r"a\.zip: a is encrypted; give the archives' password"):
        read(data, "a.zip")
    with pytest.raises(ConfigError, match="give another password"):
        read(data, password=b"wrong")


def test_members_are_documents_and_damage_is_told(tmp_path):
    (tmp_path / "a.whl").write_bytes(zipped(FILES | {"empty": b""}))
    (tmp_path / "cut.zip").write_bytes(zipped(FILES)[:-30])
    (tmp_path / "plain").write_bytes(b"MZ plain")
    (source,) = open_sources([str(tmp_path)], archives=ArchiveOptions())
    found = {one.path.removeprefix(str(tmp_path)): bytes(one.data) for one in documents([source])}
    assert found == {"/a.whl!bin/a": FILES["bin/a"], "/a.whl!b": b"second", "/plain": b"MZ plain"}
    reasons = {remark.path.rsplit("/", 1)[1]: remark.reason for remark in source.skipped}
    assert reasons["a.whl"] == "1 empty members"
    assert reasons["cut.zip"].startswith("1 archive is not read further: the archive is malformed")
    assert source.warnings == []


def test_without_the_option_an_archive_is_its_bytes(tmp_path):
    data = zipped(FILES)
    (tmp_path / "a.zip").write_bytes(data)
    (source,) = open_sources([tmp_path / "a.zip"])
    assert [bytes(one.data) for one in documents([source])] == [data]


def zip_crypto(name, data, password):
    """Returns a stored member under the traditional encryption (PKWARE's APPNOTE, 6.1), which zipfile only reads."""
    table = [_crc_of(n) for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(value, byte):
        return (value >> 8) ^ table[(value ^ byte) & 0xFF]

    def update(byte):
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    sealed = bytearray()
    for byte in bytes(11) + bytes([zlib.crc32(data) >> 24]) + data:
        low = (keys[2] | 2) & 0xFFFF
        sealed.append(byte ^ ((low * (low ^ 1)) >> 8 & 0xFF))
        update(byte)
    fields = struct.pack("<5H3I2H", 20, 1, 0, 0, 33, zlib.crc32(data), len(sealed), len(data), len(name), 0)
    local = b"PK\3\4" + fields + name + sealed
    central = b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<3H2I", 0, 0, 0, 0, 0) + name
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _crc_of(value):
    for _ in range(8):
        value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value


def test_members_under_the_traditional_encryption():
    data = zip_crypto(b"a", b"secret" * 9, b"infected")
    assert read(data, password=b"infected") == {"a": b"secret" * 9}
    with pytest.raises(ConfigError, match=r"a\.zip: a is encrypted; give the archives' password"):
        read(data, "a.zip")
    with pytest.raises(ConfigError, match="give another password"):
        read(data, password=b"wrong")
