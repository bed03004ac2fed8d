"""Tiny packages made in memory, and a package client that serves them instead of a registry."""

import gzip
import hashlib
import io
import lzma
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from tokforge_corpora import _clients
from tokforge_corpora._manifest import parse_manifest

from tokforge.errors import InputError

PE = b"MZ".ljust(0x3C, b"\0") + (0x40).to_bytes(4, "little") + b"PE\0\0code"
ELF = b"\x7fELF" + b"\1" * 40
MACH_O = b"\xcf\xfa\xed\xfe" + b"\2" * 30


class Packages:
    """Makes archives from ``{member: bytes}``; a member given as a TarInfo or ZipInfo is taken as it is."""

    @staticmethod
    def zip(members):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return stream.getvalue()

    @staticmethod
    def tar(members):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, data in members.items():
                info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return stream.getvalue()

    @classmethod
    def tgz(cls, members):
        return gzip.compress(cls.tar(members), mtime=0)

    @classmethod
    def txz(cls, members):
        return lzma.compress(cls.tar(members))

    @classmethod
    def deb(cls, members):
        parts = [("debian-binary", b"2.0\n"), ("control.tar.gz", b"odd"), ("data.tar.xz", cls.txz(members))]
        return b"!<arch>\n" + b"".join(cls._ar_member(name, data) for name, data in parts)

    @staticmethod
    def _ar_member(name, data):
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        return header + data + b"\n" * (len(data) % 2)


@pytest.fixture
def packages():
    """Makers of archives."""
    return Packages


class FakeClient:
    """Stands in for every package client: writes the files it holds, and remembers what it was asked for."""

    def __init__(self):
        self.files, self.calls, self.failure = {}, [], None

    def run(self, arguments, folder, hint, where):
        self.calls.append(arguments)
        if self.failure:
            raise self.failure
        names = (
            name
            for name in self.files
            if any(re.match(rf"(-Dartifact=)?{name}[=@:]", part) for part in arguments)
        )
        name = next(names, None)
        if name is None:
            raise InputError("no such package", hint, where)
        file, data = self.files[name]
        (Path(folder) / file).write_bytes(data)
        return ""


@pytest.fixture
def client(monkeypatch):
    """A client that serves ``client.files[package] = (file, bytes)`` and never touches the network."""
    fake = FakeClient()
    monkeypatch.setattr(_clients, "run", fake.run)
    return fake


@pytest.fixture
def corpus_of(client):
    """Makes a manifest of packages ``{package: (file, bytes, keys)}`` that the fake client serves."""

    def make(contents, reader="files", **keys):
        rows = []
        for package, (file, data, extra) in contents.items():
            client.files[package] = (file, data)
            pinned = {"file": file, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            rows.append({"client": "pip", "package": package, "version": "1.0", **pinned, **extra})
        table = {"name": "tiny", "version": "1", "description": "A tiny corpus", "licences": ["MIT"]}
        return parse_manifest(
            {**table, "group_kind": "folder", "reader": reader, "items": rows, **keys}, "tiny"
        )

    return make


@pytest.fixture
def executables():
    """One file of each kind that counts as an executable."""
    return {"PE": PE, "ELF": ELF, "Mach-O": MACH_O}
