"""``train-bpe --supertokens``: one file a transition and size, and what was learned across words."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from tokforge.outputs import StrPath, check_output, write_files
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import tokenizer_files
from tokforge_cli._output import emit, pairs, shown_bytes
from tokforge_cli._progress import bars
from tokforge_cli._recipe import recipe_path, resolved

if TYPE_CHECKING:
    from tokforge.bpe import BpeConfig, Checkpoint
    from tokforge.supertokens import SupertokensConfig, SupertokensResult


class SupertokensOptions(NamedTuple):
    """The options as they are given."""

    learner: str
    max_words: int | None
    exclude: Sequence[str] | None
    digits_apart: bool
    chunks: str | None
    sample_documents: int | None
    verify: tuple[str, ...]

    def config(self) -> "SupertokensConfig":
        """Reads them."""
        from tokforge.supertokens import SupertokensConfig, parse_chunks

        return SupertokensConfig.parse(
            self.learner,
            max_words=self.max_words,
            excluded=None if self.exclude is None else tuple(self.exclude),
            digits_apart=self.digits_apart,
            sample_documents=self.sample_documents,
            verify=self.verify,
            **({"chunks": parse_chunks(self.chunks)} if self.chunks is not None else {}),
        )


def train_supertokens(
    context: typer.Context,
    inputs: Sequence[str],
    output: Path,
    options: "BpeConfig",
    across: SupertokensOptions,
    extend: Path | None,
    id_map: Path | None,
    checkpoint: "Checkpoint | None",
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Trains, writes every size and transition, and shows the figures."""
    from tokforge import Tokenizer
    from tokforge.supertokens import train
    from tokforge.tokenizer.files import sidecar_path

    if id_map:
        raise UsageProblem("ids beyond the transition change", "leave --map out", "train-bpe")
    config = across.config()
    main = named(output, options.table_size, None, options, config)
    targets = {
        (t, size): named(output, size, t, options, config)
        for t in config.transitions or (None,)
        for size in (*options.family, options.table_size)
    }
    sidecars = [sidecar_path(path) for path in targets.values()]
    labels = [options.curation.labels] if options.curation.labels else []
    read: list[StrPath] = [*inputs, *labels, *tokenizer_files(extend)]
    check_output(*targets.values(), *sidecars, recipe_path(main), force=force, inputs=read)
    base = Tokenizer.load(extend) if extend else None
    with bars(quiet=quiet) as progress:
        result = train(inputs, options, config, extend=base, checkpoint=checkpoint, progress=progress)
    for key, tokenizer in result.variants.items():
        tokenizer.save(targets[key], force=force)
    last = targets[(config.transitions or (None,))[-1], options.table_size]
    write_files(resolved(context, last), force=force)
    figures = figures_of(result, last, [str(targets[key]) for key in result.variants], config)
    own = base.added_tokens if base else options.special_tokens
    figures["character_tokens"] = 0
    figures["reserved_tokens"] = len(result.tokenizer.added_tokens) - len(own)
    emit(figures, summary(figures), as_json=as_json)


def named(
    output: Path, size: int, transition: int | None, options: "BpeConfig", config: "SupertokensConfig"
) -> Path:
    """Returns one variant's file: ``{size}`` and ``{t}`` are replaced, or ``-SIZE`` and ``-tT`` added."""
    name, stem = output.name, output.stem
    if "{size}" in name or "{t}" in name:
        return output.parent / name.replace("{size}", str(size)).replace("{t}", str(transition))
    if transition is not None and len(config.transitions) > 1:
        stem += f"-t{transition}"
    if size != options.table_size:
        stem += f"-{size}"
    return output.parent / f"{stem}{output.suffix}"


def figures_of(
    result: "SupertokensResult", output: Path, outputs: list[str], config: "SupertokensConfig"
) -> dict[str, Any]:
    """Returns what ``--json`` prints: the fields of every training run, and ``supertokens``."""
    size = result.tokenizer.vocab_size
    transition = (config.transitions or (None,))[-1]
    smaller = [key for key in result.variants if key[0] == transition and key[1] != size]
    files = dict(zip(result.variants, outputs, strict=True))
    return {
        "output": str(output),
        "map": None,
        "curation": result.curation.as_dict(),
        "family": {str(n): path for (t, n), path in files.items() if (t, n) in smaller},
        "vocab_size": size,
        "merges": len(result.tokenizer.merges),
        "corpus_bytes": result.corpus_bytes,
        "seconds": result.seconds,
        "peak_memory_bytes": result.peak_memory_bytes,
        "bytes_per_token": result.bytes_per_token,
        "extends": result.tokenizer.provenance.get("extends"),
        "stopped": result.stopped,
        "preset": "text",
        "preset_reason": f"of {config.learner}",
        "sources": result.mixture.as_dict()["sources"],
        "skipped": [{"path": remark.path, "reason": remark.reason} for remark in result.skipped],
        "warnings": [{"path": remark.path, "reason": remark.reason} for remark in result.warnings],
        "supertokens": {
            "learner": config.learner,
            "outputs": outputs,
            "words": result.words,
            "across_words": size - result.words,
            "least_count": result.least_count,
            "sequences": result.sequences,
            "word_seconds": result.word_seconds,
            "verified": result.verified._asdict() if result.verified else None,
        },
    }


def summary(figures: dict[str, Any]) -> str:
    """Lays the figures out."""
    across = figures["supertokens"]
    verified = across["verified"]
    return pairs(
        [
            ("learner", across["learner"]),
            ("vocabulary", figures["vocab_size"]),
            ("within words", across["words"]),
            ("across words", across["across_words"]),
            ("corpus", shown_bytes(figures["corpus_bytes"])),
            ("bytes per token", figures["bytes_per_token"]),
            ("seconds", figures["seconds"]),
            ("peak memory", shown_bytes(figures["peak_memory_bytes"])),
            *([("equal ids on", shown_bytes(verified["bytes"]))] if verified else []),
            *(("output", path) for path in across["outputs"]),
        ]
    )
