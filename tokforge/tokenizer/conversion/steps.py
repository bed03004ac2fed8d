"""Converts a tokenizer from one format to another, and proves it before the output appears.

Order of work: read; let the source's own library judge our reading on the probes; write to a temporary
name; let the target's library, and our own reader, read that back and give the same ids; rename. Whatever
differs discards the temporary file, unless ``allow_lossy`` says that the list of what changes is enough.
Cost: each probe is encoded by up to four readers.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, ExportError, pick
from tokforge.outputs import StrPath, check_output, output_error, write_files
from tokforge.tokenizer.conversion.adapt import adapted
from tokforge.tokenizer.conversion.libraries import Library, library_of
from tokforge.tokenizer.conversion.losses import left_behind
from tokforge.tokenizer.conversion.probes import conversion_probes
from tokforge.tokenizer.conversion.result import Comparison, Conversion, Finding, compare_ids
from tokforge.tokenizer.files import Loaded, read_tokenizer, sidecar_path
from tokforge.tokenizer.formats.reading import ReadOptions, SourceFile
from tokforge.tokenizer.formats.registry import FORMATS, legacy_merges
from tokforge.tokenizer.formats.sidecar import write_sidecar, write_standalone
from tokforge.tokenizer.model import Definition
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["WRITABLE", "convert", "try_convert"]

WRITABLE = tuple(name for name, one in FORMATS.items() if one.write is not None)
"""Formats that can be written."""

_OURS = "tokforge"


@dataclass(slots=True)
class _Work:
    """What has been found so far."""

    loaded: Loaded
    to: str
    probes: Sequence[bytes]
    allow_lossy: bool
    findings: list[Finding] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    id_map: npt.NDArray[np.int64] | None = None

    def judge(self, comparison: Comparison) -> None:
        """Keeps a comparison; raises ExportError for a difference that was not allowed."""
        self.comparisons.append(comparison)
        if comparison.differing and not self.allow_lossy:
            raise ExportError(
                f"{comparison.differing} of {comparison.probes} probes differ: {comparison.first}",
                "nothing was written; --allow-lossy writes it all the same",
            )
        if comparison.differing:
            self.findings.append(
                Finding(
                    "changed",
                    f"{comparison.differing} of {comparison.probes} probes get other ids: {comparison.first}",
                )
            )


def convert(
    source: str | Path,
    output: str | Path,
    *,
    to: str,
    format: str | None = None,
    pretokenizer: str | None = None,
    special_tokens: Sequence[str] = (),
    probes: Iterable[bytes] = (),
    allow_lossy: bool = False,
    legacy_merges: bool = False,
    force: bool = False,
    id_map: str | Path | None = None,
) -> Conversion:
    """Converts ``source`` to the format ``to`` at ``output``, proven equal; returns what was found.

    Args:
        format: the source's format where its content does not tell.
        pretokenizer, special_tokens: what a file of ranks leaves out (``TEXT`` or ``TEXT=ID``).
        probes: texts to compare on besides the built-in ones.
        allow_lossy: write even where something changes; the findings list it.
        legacy_merges: merges as ``a b`` in a tokenizer.json, for readers from before tokenizers 0.20.
        id_map: where to write old id -> new id as .npy, (vocab_size,) int64, -1 for none, if ids change.

    Raises:
        ExportError: the format cannot hold the tokenizer, or a library gives other ids. Nothing is written.
        InputError, FormatError, OutputError, ConfigError: as `Tokenizer.load` and `Tokenizer.save`.

    Example:
        >>> convert("cl100k.tiktoken", "tokenizer.json", to="hf").written  # doctest: +SKIP
        ('tokenizer.json', 'tokenizer.tokforge.json')
    """
    result = try_convert(
        source, output, to=to, format=format, pretokenizer=pretokenizer, special_tokens=special_tokens, probes=probes,
        allow_lossy=allow_lossy, use_legacy_merges=legacy_merges, force=force, id_map=id_map,
    )  # fmt: skip
    if result.refusal is not None:
        raise ExportError(result.refusal, "nothing was written", str(source))
    return result


def try_convert(
    source: str | Path,
    output: str | Path,
    *,
    to: str,
    format: str | None = None,
    pretokenizer: str | None = None,
    special_tokens: Sequence[str] = (),
    probes: Iterable[bytes] = (),
    allow_lossy: bool = False,
    use_legacy_merges: bool = False,
    force: bool = False,
    id_map: str | Path | None = None,
) -> Conversion:
    """As `convert`, but a refusal is a result with ``refusal`` set instead of an ExportError."""
    pick("--to", to, dict.fromkeys(WRITABLE))
    if use_legacy_merges and to != "hf":
        raise ConfigError(f"{to} has no legacy merges", "use --legacy-merges with --to hf alone")
    loaded = read_tokenizer(source, format, ReadOptions(pretokenizer, tuple(special_tokens)))
    out = Path(output)
    _check_outputs(out, to, id_map, force)
    work = _Work(loaded, to, conversion_probes(loaded.tokenizer, probes), allow_lossy)
    work.findings += [Finding("assumed", note) for note in loaded.notes]
    written: tuple[str, ...] = ()
    refusal = None
    try:
        definition, files = _written(work, legacy=use_legacy_merges)
        work.findings += left_behind(loaded, to)
        ours = _judge_source(work)
        written = _write(work, out, definition, files, ours, force=force, id_map=id_map)
    except ExportError as error:
        refusal = f"{error.problem}; {error.hint}"
    return Conversion(
        input=str(source), output=str(out), source_format=loaded.format, target_format=to, written=written,
        vocab_size=loaded.tokenizer.vocab_size, comparisons=tuple(work.comparisons), findings=tuple(work.findings),
        refusal=refusal, id_map=work.id_map,
    )  # fmt: skip


def _check_outputs(out: Path, to: str, id_map: str | Path | None, force: bool) -> None:
    """A format of several files is a folder, which is made; what else stands in it stays."""
    if to == "vocab-merges":
        if out.exists() and not out.is_dir():
            _refuse_file(out)
    else:
        check_output(out, *((sidecar_path(out),) if to == "hf" else ()), force=force)
    if id_map is not None:
        check_output(id_map, force=force)


def _refuse_file(out: Path) -> NoReturn:
    raise ConfigError("vocab-merges is several files, and the output is one", "name a folder", str(out))


def _written(work: _Work, *, legacy: bool) -> tuple[Definition, Mapping[str, bytes]]:
    """Returns the definition that is written, which ``allow_lossy`` may have changed, and its files."""
    write = FORMATS[work.to].write
    definition = work.loaded.tokenizer.definition
    if write is None:
        raise ExportError(f"{work.to} is read only", f"choose one of: {', '.join(WRITABLE)}")
    try:
        files = write(definition)
    except ExportError:
        if not work.allow_lossy:
            raise
        definition, changes, work.id_map = adapted(definition, work.to)
        work.findings += [Finding("changed", change) for change in changes]
        files = write(definition)
    return definition, {name: legacy_merges(data) if legacy else data for name, data in files.items()}


def _judge_source(work: _Work) -> list[list[int]]:
    """Returns our ids of the probes, after the source's own library has given the same."""
    tokenizer, path = work.loaded.tokenizer, work.loaded.path
    ours = _encode(tokenizer, work.probes)
    files = {"": path, "vocab.json": path.with_name("vocab.json"), "merges.txt": path.with_name("merges.txt")}
    library = library_of(work.loaded.format, files, tokenizer)
    if library is None:
        work.findings.append(
            Finding(
                "unproven", f"no installed library reads {work.loaded.format}: our reading alone was compared"
            )
        )
        return ours
    work.judge(_against(library, work, ours, tokenizer))
    return ours


def _against(
    library: Library, work: _Work, ours: Sequence[Sequence[int]], tokenizer: Tokenizer
) -> Comparison:
    theirs = library.encode(work.probes)
    return compare_ids((library.name, _OURS), work.probes, (theirs, ours), (tokenizer, tokenizer))


def _encode(tokenizer: Tokenizer, probes: Sequence[bytes]) -> list[list[int]]:
    ids, bounds = tokenizer.encode_batch(probes)
    return [ids[start:end].tolist() for start, end in pairwise(bounds.tolist())]


def _write(
    work: _Work, out: Path, definition: Definition, files: Mapping[str, bytes], ours: Sequence[Sequence[int]],
    *, force: bool, id_map: str | Path | None,
) -> tuple[str, ...]:  # fmt: skip
    """Stages the files, has them judged, and renames them; returns their paths."""
    paths = {name: out / name if name else out for name in files}
    contents: dict[StrPath, bytes | str] = {paths[name]: data for name, data in files.items()}
    if work.to == "hf":
        contents = {sidecar_path(out): _sidecar(work, definition, files[""]), **contents}
    if work.to == "tokforge":
        contents = {out: write_standalone(definition, work.loaded.tokenizer.provenance_json)}
    if id_map is not None and work.id_map is not None:
        buffer = BytesIO()
        np.save(buffer, work.id_map, allow_pickle=False)
        contents = {Path(id_map): buffer.getvalue(), **contents}
    with _folder(out, needed="" not in files):
        write_files(
            contents, force=force,
            check=lambda staged: _judge_target(work, ours, {name: staged[paths[name]] for name in files}),
        )  # fmt: skip
    return tuple(str(path) for path in contents)


def _sidecar(work: _Work, definition: Definition, content: bytes) -> bytes:
    """Roles and provenance have no place in tokenizer.json; the hash is that of the form tokforge writes."""
    from tokforge.tokenizer.formats.hf_json import read_definition

    fingerprint = Tokenizer(read_definition(content, "output")).fingerprint
    return write_sidecar(definition, work.loaded.tokenizer.provenance_json, fingerprint)


@contextmanager
def _folder(path: Path, *, needed: bool) -> Any:
    """Makes the folder of a format of several files, and takes it away again if nothing was written."""
    if not needed or path.is_dir():
        yield
        return
    try:
        path.mkdir()
    except OSError as error:
        raise output_error(error, path) from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.rmdir()  # which fails, as it should, where files were written


def _judge_target(work: _Work, ours: Sequence[Sequence[int]], staged: Mapping[str, Path]) -> None:
    """Has the staged files read by our reader and by the format's own library; both must agree with ``ours``."""
    source = work.loaded.tokenizer
    target = _read_back(work, staged)
    work.judge(
        compare_ids((f"{_OURS} before", f"{_OURS} after"), work.probes, (ours, _encode(target, work.probes)), (source, target), work.id_map)
    )  # fmt: skip
    library = library_of(work.to, staged, target)
    if library is None:
        if work.to != "tokforge":
            work.findings.append(
                Finding("unproven", f"no installed library reads {work.to}: pip install 'tokforge[convert]'")
            )
        return
    theirs = library.encode(work.probes)
    work.judge(compare_ids((_OURS, library.name), work.probes, (ours, theirs), (source, target), work.id_map))


def _read_back(work: _Work, staged: Mapping[str, Path]) -> Tokenizer:
    """Reads the staged files with what they leave out: the splitter that ranks do not name."""
    data = {name: path.read_bytes() for name, path in staged.items()}
    main = "" if "" in data else "vocab.json"
    stages = work.loaded.tokenizer.pipeline.pretokenizers
    named = str(stages[0]) if len(stages) == 1 and isinstance(stages[0], str) else "none"
    options = ReadOptions(named if work.to == "tiktoken" else None)
    file = SourceFile(main or "output", "output", data[main], data.get, options)
    return Tokenizer(FORMATS[work.to].read(file).definition)
