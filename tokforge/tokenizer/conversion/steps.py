"""Converts a tokenizer from one format to another, and proves it before the output appears.

Order of work: read; let the source's own library judge our reading on the probes; write to a temporary
name; let the target's library, and our own reader, read that back and give the same ids; rename. Whatever
differs discards the temporary file, unless ``allow_lossy`` says that the list of what changes is enough.
Cost: each probe is encoded by up to four readers.
"""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, ExportError, UnknownNameError, pick
from tokforge.outputs import StrPath, check_output, output_error, write_files
from tokforge.tokenizer.conversion.adapt import adapted
from tokforge.tokenizer.conversion.libraries import Library, library_of
from tokforge.tokenizer.conversion.losses import left_behind
from tokforge.tokenizer.conversion.probes import chunks, conversion_probes
from tokforge.tokenizer.conversion.result import Comparison, Conversion, Finding, compare_ids
from tokforge.tokenizer.files import Loaded, files_of, read_file, read_tokenizer, sidecar_path
from tokforge.tokenizer.formats.reading import ReadOptions, SourceFile
from tokforge.tokenizer.formats.registry import FORMATS, legacy_merges
from tokforge.tokenizer.formats.sidecar import write_sidecar, write_standalone
from tokforge.tokenizer.formats.tiktoken_ranks import pattern_of
from tokforge.tokenizer.model import Definition
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["WRITABLE", "ConvertConfig", "convert", "try_convert"]

WRITABLE = tuple(name for name, one in FORMATS.items() if one.write is not None)
"""Formats that can be written."""

_OURS = "tokforge"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvertConfig:
    """The options of a conversion."""

    to: str
    """The format to write, one of `WRITABLE`."""
    format: str | None = None
    """The source's format, where its content does not tell."""
    pretokenizer: str | None = None
    """The splitter, where the source names none (a file of ranks)."""
    special_tokens: tuple[str, ...] = ()
    """``TEXT`` or ``TEXT=ID``, where the source holds none."""
    probe_files: tuple[str | Path, ...] = ()
    """Texts to compare on besides the built-in probes."""
    allow_lossy: bool = False
    """Write even where something changes; the findings list it."""
    legacy_merges: bool = False
    """Merges as ``a b`` in a tokenizer.json, for readers from before tokenizers 0.20."""
    id_map: str | Path | None = None
    """Where old id -> new id goes as .npy, (vocab_size,) int64, -1 for none, if ids change."""
    force: bool = False
    """Replace outputs that exist."""

    def __post_init__(self) -> None:
        pick("--to", self.to, dict.fromkeys(WRITABLE))
        if self.legacy_merges and self.to != "hf":
            raise ConfigError(f"{self.to} has no legacy merges", "use --legacy-merges with --to hf alone")


@dataclass(slots=True)
class _Work:
    """What has been found so far."""

    loaded: Loaded
    config: ConvertConfig
    probes: Sequence[bytes]
    findings: list[Finding] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    id_map: npt.NDArray[np.int64] | None = None
    pat_str: str | None = None

    def judge(self, comparison: Comparison) -> None:
        """Keeps a comparison; raises ExportError for a difference that was not allowed."""
        self.comparisons.append(comparison)
        if comparison.differing and not self.config.allow_lossy:
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


def convert(source: str | Path, output: str | Path, *, to: str, **options: Any) -> Conversion:
    """Converts ``source`` to the format ``to`` at ``output``, proven equal; returns what was found.

    ``options`` are the fields of `ConvertConfig`.

    Raises:
        ExportError: the format cannot hold the tokenizer, or a library gives other ids. Nothing is written.
        InputError, FormatError, OutputError, ConfigError: as `Tokenizer.load` and `Tokenizer.save`.

    Example:
        >>> convert("cl100k.tiktoken", "tokenizer.json", to="hf").written  # doctest: +SKIP
        ('tokenizer.tokforge.json', 'tokenizer.json')
    """
    unknown = sorted(options.keys() - {one.name for one in fields(ConvertConfig)})
    if unknown:
        known = ", ".join(one.name for one in fields(ConvertConfig))
        raise UnknownNameError(f"convert has no option {unknown[0]!r}", f"use one of: {known}")
    result = try_convert(source, output, ConvertConfig(to=to, **options))
    if result.refusal is not None:
        raise ExportError(result.refusal, "nothing was written", str(source))
    return result


def try_convert(source: str | Path, output: str | Path, config: ConvertConfig) -> Conversion:
    """As `convert`, but a refusal is a result with ``refusal`` set instead of an ExportError."""
    loaded = read_tokenizer(
        source, config.format, ReadOptions(config.pretokenizer, tuple(config.special_tokens))
    )
    out = Path(output)
    _check_outputs(out, config, [*files_of(source), loaded.path, *config.probe_files])
    work = _Work(loaded, config, _probes(loaded.tokenizer, config))
    work.findings += [Finding("assumed", note) for note in loaded.notes]
    written: tuple[str, ...] = ()
    refusal = None
    try:
        written = _proven(work, out)
    except ExportError as error:
        refusal = f"{error.problem}; {error.hint}"
    return Conversion(
        input=str(source),
        output=str(out),
        source_format=loaded.format,
        target_format=config.to,
        written=written,
        vocab_size=loaded.tokenizer.vocab_size,
        comparisons=tuple(work.comparisons),
        findings=tuple(work.findings),
        refusal=refusal,
        id_map=work.id_map,
        pat_str=None if refusal else work.pat_str,
    )


def _probes(tokenizer: Tokenizer, config: ConvertConfig) -> list[bytes]:
    extra = [
        piece
        for path in config.probe_files
        for piece in chunks(
            read_file(Path(path), "name a file of text to compare on"), text=tokenizer.kind == "text"
        )
    ]
    return conversion_probes(tokenizer, extra)


def _proven(work: _Work, out: Path) -> tuple[str, ...]:
    definition, files = _written(work)
    if work.config.to == "tiktoken":
        work.pat_str = pattern_of(files[""], definition.pipeline)
    work.findings += left_behind(work.loaded, work.config.to)
    return _write(work, out, definition, files, _judge_source(work))


def _check_outputs(out: Path, config: ConvertConfig, read: Sequence[StrPath]) -> None:
    """A format of several files is a folder, which is made; what else stands in it stays."""
    targets = [Path(config.id_map)] if config.id_map is not None else []
    if config.to == "vocab-merges":
        if out.exists() and not out.is_dir():
            _refuse_file(out)
        targets += [out / name for name in ("vocab.json", "merges.txt") if out.is_dir()]
    else:
        targets += [out, *((sidecar_path(out),) if config.to == "hf" else ())]
    check_output(*targets, force=config.force, inputs=read)


def _refuse_file(out: Path) -> NoReturn:
    raise ConfigError("vocab-merges is several files, and the output is one", "name a folder", str(out))


def _written(work: _Work) -> tuple[Definition, Mapping[str, bytes]]:
    """Returns the definition that is written, which ``allow_lossy`` may have changed, and its files."""
    write = FORMATS[work.config.to].write
    definition = work.loaded.tokenizer.definition
    if write is None:
        raise ExportError(f"{work.config.to} is read only", f"choose one of: {', '.join(WRITABLE)}")
    try:
        files = write(definition)
    except ExportError:
        if not work.config.allow_lossy:
            raise
        definition, changes, work.id_map = adapted(definition, work.config.to)
        work.findings += [Finding("changed", change) for change in changes]
        files = write(definition)
    return definition, {
        name: legacy_merges(data) if work.config.legacy_merges else data for name, data in files.items()
    }


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
    work: _Work,
    out: Path,
    definition: Definition,
    files: Mapping[str, bytes],
    ours: Sequence[Sequence[int]],
) -> tuple[str, ...]:
    """Stages the files, has them judged, and renames them; returns their paths."""
    paths = {name: out / name if name else out for name in files}
    contents: dict[StrPath, bytes | str] = {paths[name]: data for name, data in files.items()}
    if work.config.to == "hf":
        contents = {sidecar_path(out): _sidecar(work, definition, files[""]), **contents}
    if work.config.to == "tokforge":
        contents = {out: write_standalone(definition, work.loaded.tokenizer.provenance_json)}
    if work.config.id_map is not None and work.id_map is not None:
        buffer = BytesIO()
        np.save(buffer, work.id_map, allow_pickle=False)
        contents = {Path(work.config.id_map): buffer.getvalue(), **contents}
    with _folder(out, needed="" not in files):
        write_files(
            contents, force=work.config.force,
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
    """Has the staged files read by our reader and by the format's own library; both must agree with ours."""
    target = _read_back(work, staged)
    tables = (work.loaded.tokenizer, target)
    again = _encode(target, work.probes)
    names = (f"{_OURS} before", f"{_OURS} after")
    work.judge(compare_ids(names, work.probes, (ours, again), tables, work.id_map))
    library = library_of(work.config.to, staged, target)
    if library is None:
        if work.config.to != "tokforge":
            work.findings.append(
                Finding(
                    "unproven",
                    f"no installed library reads {work.config.to}: pip install 'tokforge[convert]'",
                )
            )
        return
    theirs = library.encode(work.probes)
    work.judge(compare_ids((_OURS, library.name), work.probes, (ours, theirs), tables, work.id_map))


def _read_back(work: _Work, staged: Mapping[str, Path]) -> Tokenizer:
    """Reads the staged files with what they leave out: the splitter that ranks do not name."""
    data = {name: path.read_bytes() for name, path in staged.items()}
    main = "" if "" in data else "vocab.json"
    stages = work.loaded.tokenizer.pipeline.pretokenizers
    named = str(stages[0]) if len(stages) == 1 and isinstance(stages[0], str) else "none"
    options = ReadOptions(named if work.config.to == "tiktoken" else None)
    file = SourceFile(main or "output", "output", data[main], data.get, options)
    return Tokenizer(FORMATS[work.config.to].read(file).definition)
