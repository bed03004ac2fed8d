"""The artefact on disk, and every other format a tokenizer may come in.

The artefact is tokenizer.json and its sidecar, and tokenizer_config.json for a pretrained folder; a
tokenizer that Hugging Face cannot express is its sidecar alone.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tokforge.errors import ExportError, FormatError, InputError, OutputError, pick
from tokforge.outputs import StrPath, output_error, write_files
from tokforge.tokenizer.formats.detect import detect
from tokforge.tokenizer.formats.gguf_metadata import MAGIC
from tokforge.tokenizer.formats.hf_config import read_roles, write_config
from tokforge.tokenizer.formats.hf_json import write_definition
from tokforge.tokenizer.formats.proof import prove_export
from tokforge.tokenizer.formats.reading import NOTHING_MORE, ReadOptions, SourceFile
from tokforge.tokenizer.formats.registry import FORMATS
from tokforge.tokenizer.formats.sidecar import (
    read_sidecar,
    read_standalone,
    write_sidecar,
    write_standalone,
)
from tokforge.tokenizer.locations import HUB_FILES, locate
from tokforge.tokenizer.model import lost_bytes, with_roles
from tokforge.tokenizer.provenance import check_provenance
from tokforge.tokenizer.released import RELEASED_FILE, load_released, released_name

if TYPE_CHECKING:
    from tokforge.tokenizer.model import Definition
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = [
    "Loaded",
    "files_of",
    "load",
    "read_file",
    "read_tokenizer",
    "save",
    "save_pretrained",
    "sidecar_path",
]

_NAME = "tokenizer.json"
_CONFIG = "tokenizer_config.json"
_SUFFIX = ".tokforge.json"
_MAX_BYTES = 2**30
_MAX_METADATA = 2**28
"""A GGUF file may hold a whole model: only this much of its head is read, five times the largest known."""
_SHOWN_BYTES = 8
_HINT = f"give a {_NAME}, another tokenizer's file, or the folder that holds one"


class Loaded(NamedTuple):
    """A tokenizer, the file and format it was read from, and what the reader assumed or left behind."""

    tokenizer: "Tokenizer"
    path: Path
    format: str
    notes: tuple[str, ...]


def sidecar_path(path: Path) -> Path:
    """Returns the sidecar's place: `a/tokenizer.json` has `a/tokenizer.tokforge.json`."""
    return path.with_name(path.stem + _SUFFIX)


def files_of(path: str | Path) -> list[Path]:
    """Returns the files that loading ``path`` may read, so that no output takes the place of one.

    Raises as `read_tokenizer` for a name that means no place.
    """
    if released_name(path) is not None:
        return []
    place = locate(path)
    if _is_folder(place):
        return [found for pattern in (*HUB_FILES, "*.gguf") for found in place.glob(pattern)]
    pair = ("vocab.json", "merges.txt")
    beside = [sidecar_path(place), place.with_name(_CONFIG)] if place.name else []
    return [place, *beside, *(place.with_name(name) for name in pair if place.name in pair)]


def load(
    path: str | Path, format_name: str | None = None, options: ReadOptions = NOTHING_MORE
) -> "Tokenizer":
    """Reads the tokenizer at ``path``; see `Tokenizer.load`."""
    return read_tokenizer(path, format_name, options).tokenizer


def read_tokenizer(
    path: str | Path, format_name: str | None = None, options: ReadOptions = NOTHING_MORE
) -> Loaded:
    """Reads the tokenizer at ``path``, in the format that its content shows or ``format_name`` says.

    Raises InputError for what cannot be read, FormatError for what is malformed, ambiguous or unknown,
    UnknownNameError for a format that does not exist.
    """
    if format_name is not None:
        pick("format", format_name, FORMATS)
    released = released_name(path)
    if released is not None:
        return Loaded(load_released(released), RELEASED_FILE, "released", ())
    place = locate(path)
    if _is_folder(place):
        place = _file_in(place, format_name)
    data = read_file(place)
    neighbour = partial(_neighbour, place)
    name = format_name or detect(data, place.name, str(place), neighbour)
    if name == "tokforge":
        return _standalone(data, place)
    reading = FORMATS[name].read(SourceFile(place.name, str(place), data, neighbour, options))
    notes = (*reading.notes, *_losses(reading.definition))
    if name == "hf":
        return Loaded(_with_sidecar(reading.definition, place), place, name, notes)
    return Loaded(_foreign(reading.definition, name, notes), place, name, notes)


def _losses(definition: "Definition") -> Iterator[str]:
    lost = lost_bytes(definition)
    if lost:
        shown = " ".join(f"0x{byte:02X}" for byte in lost[:_SHOWN_BYTES])
        more = " ..." if len(lost) > _SHOWN_BYTES else ""
        yield f"{len(lost)} bytes have no token and are lost from text: {shown}{more}"


def _standalone(data: bytes, place: Path) -> Loaded:
    from tokforge.tokenizer.tokenizer import Tokenizer

    return Loaded(Tokenizer(*read_standalone(data, str(place))), place, "tokforge", ())


def _foreign(definition: "Definition", name: str, notes: tuple[str, ...]) -> "Tokenizer":
    """A file of another library has no provenance but that: where it came from, and what was assumed."""
    from tokforge.tokenizer.tokenizer import Tokenizer

    return Tokenizer(definition, check_provenance({"source_format": name, "notes": list(notes)}))


def _with_sidecar(definition: "Definition", path: Path) -> "Tokenizer":
    """Adds roles and provenance from the sidecar; without one, roles from a tokenizer_config.json."""
    from tokforge.tokenizer.tokenizer import Tokenizer

    sidecar, config = sidecar_path(path), path.with_name(_CONFIG)
    if sidecar.exists():
        found = read_sidecar(read_file(sidecar), str(sidecar), Tokenizer(definition).fingerprint)
        return Tokenizer(with_roles(definition, found.roles, str(sidecar)), found.provenance_json)
    if config.exists():
        roles = read_roles(read_file(config), str(config), {token.text for token in definition.added_tokens})
        return Tokenizer(with_roles(definition, roles, str(config)))
    return Tokenizer(definition)


def _file_in(folder: Path, format_name: str | None) -> Path:
    """Returns the one tokenizer file of a folder: the artefact where it is there, whatever else is."""
    if format_name is None and os.path.lexists(folder / _NAME):
        return folder / _NAME
    wanted = [format_name] if format_name else list(FORMATS)
    found = [
        path for name in wanted for pattern in FORMATS[name].names for path in sorted(folder.glob(pattern))
    ]
    if not found:
        names = ", ".join(pattern for name in wanted for pattern in FORMATS[name].names)
        raise InputError("the folder holds no tokenizer", f"looked for: {names or _NAME}", str(folder))
    if found[0].name == f"tokenizer{_SUFFIX}" or len(found) == 1:
        return found[0]
    raise FormatError(
        f"the folder holds several tokenizers: {', '.join(path.name for path in found)}",
        "name one of these files",
        str(folder),
    )


def _neighbour(path: Path, name: str) -> bytes | None:
    beside = path.with_name(name)
    return read_file(beside) if beside.is_file() else None


def save(
    tokenizer: "Tokenizer", path: Path, *, force: bool, beside: Mapping[StrPath, bytes] | None = None
) -> Path:
    """Writes tokenizer.json and the sidecar, or a sidecar alone; see `Tokenizer.save`."""
    path = path / _NAME if _is_folder(path) else path
    if path.name.endswith(_SUFFIX):
        raise OutputError(
            "this is a sidecar's name", f"save as {_NAME}; the sidecar is written beside it", str(path)
        )
    try:
        content = write_definition(tokenizer.definition)
    except ExportError:
        alone = sidecar_path(path)
        standalone = write_standalone(tokenizer.definition, tokenizer.provenance_json)
        write_files({**(beside or {}), alone: standalone}, force=force)
        return alone
    _write(tokenizer, path, content, beside or {}, force=force)
    return path


def _is_folder(path: Path) -> bool:
    """Tells whether ``path`` is a folder; a path that cannot be looked at, too long for one, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def save_pretrained(tokenizer: "Tokenizer", folder: Path, *, force: bool) -> Path:
    """Writes a folder for `AutoTokenizer`; see `Tokenizer.save_pretrained`."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from error
    path = folder / _NAME
    content, config = write_definition(tokenizer.definition), write_config(tokenizer.definition)
    _write(tokenizer, path, content, {folder / _CONFIG: config}, force=force)
    return path


def _write(
    tokenizer: "Tokenizer", path: Path, content: bytes, more: Mapping[StrPath, bytes], *, force: bool
) -> None:
    sidecar = write_sidecar(tokenizer.definition, tokenizer.provenance_json, sha256(content).hexdigest())
    # tokenizer.json goes last: a sidecar without it is no tokenizer, while the reverse would load.
    files: dict[StrPath, bytes | str] = {**more, sidecar_path(path): sidecar, path: content}
    write_files(files, force=force, check=partial(_prove, tokenizer, path))


def _prove(tokenizer: "Tokenizer", path: Path, temporary: Mapping[StrPath, Path]) -> None:
    prove_export(tokenizer, temporary[path])


def read_file(path: Path, hint: str = _HINT) -> bytes:
    """Returns the bytes of a file, 1 GiB at most; of a GGUF file, those that may hold metadata.

    Raises InputError for what cannot be read, FormatError for more.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError("this is no ordinary file", hint, str(path))
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return MAGIC + file.read(min(_MAX_METADATA, status.st_size))  # read(n) takes n bytes at once
            if status.st_size > _MAX_BYTES:
                raise FormatError(
                    f"{status.st_size} bytes are too many for a tokenizer", "give a smaller file", str(path)
                )
            file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        raise InputError("there is no such file", hint, str(path)) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read: {getattr(error, 'strerror', error)}",
            "check the path and its permissions",
            str(path),
        ) from error
