"""``tokforge train-bpe``: learn a byte-level BPE tokenizer from text, code or binaries."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokforge.outputs import StrPath, check_output, write_files
from tokforge_cli import _curation
from tokforge_cli._checkpoints import kept_in, resume_option
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import tokenizer_files
from tokforge_cli._options import Config, Force, Json, Quiet, Threads, byte_count, whole_numbers
from tokforge_cli._output import emit, note, pairs, shown_bytes, table
from tokforge_cli._progress import bars
from tokforge_cli._recipe import recipe_path, resolved
from tokforge_cli._supertokens import SupertokensOptions, train_supertokens

if TYPE_CHECKING:
    from tokforge import Tokenizer
    from tokforge.bpe import BpeResult, Checkpoint, SamplingConfig

EXAMPLES = """
tokforge train-bpe /usr/bin -o tokenizer.json --vocab-size 4096 --preset binary
tokforge train-bpe docs/ src/ -o tokenizer.json --special '<|end|>' --multiple-of 64
tokforge train-bpe 'data/*.jsonl.gz' --field text -o tok-{size}.json --family 4096,8192
tokforge train-bpe en/ hi/ -o tokenizer.json --weight en/=0.7 --weight hi/=0.3 --sample 2GiB
tokforge train-bpe law/ -o law.json --extend tokenizer.json --vocab-size 40000 --map ids.json
tokforge train-bpe text/ -o super.json --vocab-size 65536 --supertokens superbpe:40000
tokforge train-bpe samples.zip wheels/ -o malware.json --archives --archive-password infected
tokforge train-bpe families/ -o even.json --cap-per-group 50 --duplicates near --max-entropy 7.2
tokforge train-bpe crawl/ -o big.json --memory 2GB --checkpoint big.checkpoint
tokforge train-bpe --config tokenizer.recipe.yaml --force
"""
SHOWN_REMARKS = 5
VOCABULARY, PRETOKENS, SAMPLING = "Vocabulary", "Splitting", "Reading and sampling"
SUPERTOKENS = "Tokens across words"
SCALE = "Memory and crashes"


def train_bpe(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Files, folders, globs, or - for standard input."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where tokenizer.json goes.")
    ],
    vocab_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Entries in all: specials, 256 bytes, merges. Not set: the family's largest, else 32768.",
            rich_help_panel=VOCABULARY,
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N,N",
            help="Also write these smaller sizes, as FILE-N.json or where FILE says {size}.",
            rich_help_panel=VOCABULARY,
        ),
    ] = None,
    extend: Annotated[
        Path | None,
        typer.Option(
            metavar="TOKENIZER",
            help="Go on from this BPE, ranked by pair: all its ids, merges, specials and its splitter stay.",
            rich_help_panel=VOCABULARY,
        ),
    ] = None,
    id_map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="With --extend: also write the map from old ids to new, as JSON.",
            rich_help_panel=VOCABULARY,
        ),
    ] = None,
    special: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKEN", help="A special token; repeatable.", rich_help_panel=VOCABULARY),
    ] = None,
    min_frequency: Annotated[
        int,
        typer.Option(metavar="K", help="Merge only pairs that occur this often.", rich_help_panel=VOCABULARY),
    ] = 2,
    max_token_bytes: Annotated[
        int | None,
        typer.Option(
            metavar="L",
            help="Longest token, inclusive; 0: no limit; the preset's if not set.",
            rich_help_panel=VOCABULARY,
        ),
    ] = None,
    multiple_of: Annotated[
        int | None,
        typer.Option(metavar="M", help="Round the size up to a multiple, as 64.", rich_help_panel=VOCABULARY),
    ] = None,
    character_coverage: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Make the commonest characters, this share of the text, whole tokens first, as 0.9995.",
            rich_help_panel=VOCABULARY,
        ),
    ] = None,
    exact_size: Annotated[
        bool,
        typer.Option(
            "--exact-size",
            help="Fail if the corpus is exhausted before the size.",
            rich_help_panel=VOCABULARY,
        ),
    ] = False,
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="text, code, binary, chinese-32k or auto.", rich_help_panel=PRETOKENS
        ),
    ] = "auto",
    pretokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="none, gpt2, cl100k, o200k, llama3, qwen2, deepseek-v3 or a regex; the preset's if not set.",
            rich_help_panel=PRETOKENS,
        ),
    ] = None,
    supertokens: Annotated[
        str | None,
        typer.Option(
            metavar="LEARNER",
            help="random-chunks, superbpe:T (T tokens within words; T,T for several), or boundless.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = None,
    max_words: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Most words in a token; 0: no limit; the learner's if not set.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="No token across words holds this; repeatable; the learner's if not set.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = None,
    digits_apart: Annotated[
        bool,
        typer.Option(
            "--digits-apart",
            help="No token across words mixes digits with others.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = False,
    chunks: Annotated[
        str | None,
        typer.Option(
            metavar="LOW-HIGH=SHARE,...",
            help="random-chunks: lengths in characters, shares that sum to 1.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = None,
    sample_documents: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Learn across words from this many documents, drawn from all inputs by --seed.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = None,
    verify: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Held-out text on which Hugging Face must give equal ids; repeatable.",
            rich_help_panel=SUPERTOKENS,
        ),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Field of jsonl and parquet rows that is the document.",
            rich_help_panel=SAMPLING,
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE=SHARE",
            help="Share of the bytes, 0 to 1, for an INPUT; repeatable.",
            rich_help_panel=SAMPLING,
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(metavar="T", help="Shares in proportion to size^(1/T).", rich_help_panel=SAMPLING),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Train on this much, as 10MB or 2GiB; all if not set.",
            rich_help_panel=SAMPLING,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the sample.", rich_help_panel=SAMPLING)] = 0,
    follow_symlinks: Annotated[
        bool, typer.Option(help="Follow symlinks inside folders.", rich_help_panel=SAMPLING)
    ] = True,
    archives: _curation.Archives = False,
    archive_password: _curation.ArchivePassword = None,
    archive_depth: _curation.ArchiveDepth = 4,
    archive_member: _curation.ArchiveMember = "256MiB",
    labels: _curation.Labels = None,
    cap_per_group: _curation.CapPerGroup = None,
    cap_bytes_per_group: _curation.CapBytesPerGroup = None,
    since: _curation.Since = None,
    before: _curation.Before = None,
    duplicates: _curation.Duplicates = "keep",
    similarity: _curation.Similarity = 0.8,
    min_entropy: _curation.MinEntropy = None,
    max_entropy: _curation.MaxEntropy = None,
    entropy_block: _curation.EntropyBlock = "4KiB",
    nul_runs: _curation.NulRuns = None,
    counts: Annotated[
        bool,
        typer.Option("--counts", help="The INPUTs are files of tokforge count.", rich_help_panel=SCALE),
    ] = False,
    engine: Annotated[
        str,
        typer.Option(metavar="local|ray", help="Where words are counted.", rich_help_panel=SCALE),
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="ray: processes to start if no cluster is connected.", rich_help_panel=SCALE
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Most memory to take, as 2GB; words go to TMPDIR where they do not fit. Same result.",
            rich_help_panel=SCALE,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep there what is done, for --resume DIR after a crash.",
            rich_help_panel=SCALE,
        ),
    ] = None,
    resume: Annotated[Path | None, resume_option(SCALE)] = None,
    checkpoint_seconds: Annotated[
        float,
        typer.Option(metavar="S", help="Seconds between two checkpoints.", rich_help_panel=SCALE),
    ] = 60.0,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a byte-level BPE tokenizer on text, code or binaries."""
    from tokforge.bpe import BpeConfig, train, train_from_files

    options = BpeConfig(
        vocab_size=vocab_size,
        family=whole_numbers("--family", family or ()),
        special_tokens=tuple(special or ()),
        min_frequency=min_frequency,
        max_token_bytes=max_token_bytes,
        multiple_of=multiple_of,
        character_coverage=character_coverage,
        exact_size=exact_size,
        preset=preset,
        pretokenizer=pretokenizer,
        field=field,
        sampling=sampling_of(weight, temperature, sample, seed),
        curation=_curation.chosen(context, seed),
        follow_symlinks=follow_symlinks,
        threads=threads,
        memory_bytes=byte_count("--memory", memory),
        engine=engine,
        workers=workers,
    )
    kept = kept_in(checkpoint, resume, checkpoint_seconds, "train-bpe")
    across = (max_words, exclude, digits_apart, chunks, sample_documents, tuple(verify or ()))
    if supertokens is not None:
        refuse_scale_with_learner(memory, counts, engine)
        asked = SupertokensOptions(supertokens, *across)
        train_supertokens(
            context, inputs, output, options, asked, extend, id_map, kept, force, as_json, quiet
        )
        return
    refuse_without_learner(across)
    paths = {size: sized(output, size, many=True) for size in options.family}
    output = sized(output, options.table_size, many=False)
    base = opened(extend, inputs, labels, [output, *paths.values()], id_map, force=force)
    with bars(quiet=quiet) as progress:
        if counts:
            refuse_with_counts(extend, kept)
            result = train_from_files(inputs, options, progress=progress)
        else:
            result = train(inputs, options, extend=base, checkpoint=kept, progress=progress)
    files = save(context, result, paths, output, id_map, force=force)
    figures = {"output": str(output), "map": id_map and str(id_map), "family": files, **result.as_dict()}
    warn(figures, options.table_size - size_before(base, options), quiet=quiet or as_json)
    emit(figures, summary(figures), as_json=as_json)


def size_before(base: Any, options: Any) -> int:
    """Returns the entries that are there before the first merge."""
    return base.vocab_size if base else 256 + len(options.special_tokens)


def sampling_of(
    weight: Sequence[str] | None, temperature: float | None, sample: str | None, seed: int
) -> "SamplingConfig":
    """Returns how sources are mixed."""
    from tokforge.bpe import SamplingConfig, parse_weights

    return SamplingConfig(
        weights=parse_weights(weight or ()),
        temperature=temperature,
        sample_bytes=byte_count("--sample", sample),
        seed=seed,
    )


def refuse_scale_with_learner(memory: str | None, counts: bool, engine: str) -> None:
    """Raises UsageProblem for what supertokens cannot do."""
    if memory or counts or engine != "local":
        raise UsageProblem(
            "--supertokens trains in memory",
            "leave --memory, --counts and --engine out",
            "train-bpe",
        )


def refuse_with_counts(extend: Path | None, kept: "Checkpoint | None") -> None:
    """Raises UsageProblem for options that need the documents themselves."""
    for name, value in (("--extend", extend), ("--checkpoint", kept)):
        if value:
            raise UsageProblem(f"{name} needs documents, not --counts", "leave one of them out", "train-bpe")


def save(
    context: typer.Context,
    result: "BpeResult",
    paths: Mapping[int, Path],
    output: Path,
    id_map: Path | None,
    *,
    force: bool,
) -> dict[str, str]:
    """Writes every size, the recipe beside the largest, and the id map; returns the smaller sizes' files."""
    trained = {paths[size]: member for size, member in result.family.items()} | {output: result.tokenizer}
    for path, tokenizer in trained.items():
        tokenizer.save(path, force=force)
    beside = resolved(context, output)
    if id_map and result.id_map:
        beside[id_map] = result.id_map.to_json()
    write_files(beside, force=force)
    return {str(size): str(paths[size]) for size in result.family}


def refuse_without_learner(options: Iterable[object]) -> None:
    """Raises UsageProblem for options that say something of supertokens, where none are asked for."""
    names = ("--max-words", "--exclude", "--digits-apart", "--chunks", "--sample-documents", "--verify")
    for name, value in zip(names, options, strict=True):
        if value not in (None, False, ()):
            raise UsageProblem(f"{name} is of tokens across words", "add --supertokens LEARNER", "train-bpe")


def opened(
    extend: Path | None,
    inputs: Sequence[str],
    labels: Path | None,
    outputs: Sequence[Path],
    id_map: Path | None,
    *,
    force: bool,
) -> "Tokenizer | None":
    """Loads the tokenizer to extend, if any, once it is sure that every result can be written."""
    from tokforge import Tokenizer

    if Path("-") in (*outputs, id_map):
        raise UsageProblem("standard output cannot hold a tokenizer", "name a file", "train-bpe")
    if id_map and not extend:
        raise UsageProblem("--map is of ids that stay", "add --extend TOKENIZER", "train-bpe")
    targets = [*with_sidecars(*outputs), recipe_path(outputs[0]), *([id_map] if id_map else [])]
    read: list[StrPath] = [*inputs, *([labels] if labels else []), *tokenizer_files(extend)]
    check_output(*targets, force=force, inputs=read)
    return Tokenizer.load(extend) if extend else None


def sized(output: Path, size: int, *, many: bool) -> Path:
    """Returns the file for one size: ``{size}`` is replaced; without it, a family's stem gets ``-N``."""
    if "{size}" in output.name:
        return output.parent / output.name.replace("{size}", str(size))
    return output.parent / f"{output.stem}-{size}{output.suffix}" if many else output


def with_sidecars(*outputs: Path) -> list[Path]:
    """Adds the file that `Tokenizer.save` writes beside each tokenizer.json."""
    from tokforge.tokenizer.files import sidecar_path

    return [*outputs, *(sidecar_path(output) for output in outputs if output.name)]  # "." has no name


def warn(figures: Mapping[str, Any], asked_merges: int, *, quiet: bool) -> None:
    """Says what a user must not overlook: fewer merges than asked for, files not read or read oddly."""
    if figures["stopped"] != "vocab_size":
        note(
            f"warning: corpus exhausted: {figures['merges']:,} merges were made of {asked_merges:,} asked; "
            "give more data, a lower --min-frequency or a smaller --vocab-size",
            quiet=quiet,
        )
    _list("was not read", figures["skipped"], quiet)
    _list("needs a look", figures["warnings"], quiet)


def _list(what: str, remarks: Sequence[Mapping[str, str]], quiet: bool) -> None:
    for remark in remarks[:SHOWN_REMARKS]:
        note(f"warning: {remark['path']} {what}: {remark['reason']}", quiet=quiet)
    if len(remarks) > SHOWN_REMARKS:
        note(f"warning: {len(remarks) - SHOWN_REMARKS:,} more; --json lists all", quiet=quiet)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the figures of a training run."""
    head = pairs(
        [
            ("vocabulary", figures["vocab_size"]),
            ("merges", figures["merges"]),
            *([("characters first", figures["character_tokens"])] if figures["character_tokens"] else ()),
            *([("reserved", figures["reserved_tokens"])] if figures["reserved_tokens"] else ()),
            ("corpus", shown_bytes(figures["corpus_bytes"])),
            ("bytes per token", figures["bytes_per_token"]),
            ("seconds", figures["seconds"]),
            ("peak memory", shown_bytes(figures["peak_memory_bytes"])),
            ("preset", f"{figures['preset']} ({figures['preset_reason']})"),
            ("output", figures["output"]),
            *((f"output {size}", path) for size, path in figures["family"].items()),
        ]
    )
    sources = [(one["name"], one["bytes"], f"{one['share']:.1%}") for one in figures["sources"]]
    parts = [head, table(("source", "bytes", "share"), sources)]
    left_out = figures["curation"]["left_out"]
    if left_out:
        rows = [(why.replace("_", " "), one["documents"], one["bytes"]) for why, one in left_out.items()]
        parts.append(table(("left out", "documents", "bytes"), rows))
    return "\n\n".join(parts)
