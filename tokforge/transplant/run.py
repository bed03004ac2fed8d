"""`transplant`: plan, compose, write, verify, and only then put in place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tokforge.errors import ConfigError, pick
from tokforge.options import from_options
from tokforge.tokenizer.edit import IdMap
from tokforge.tokenizer.locations import locate_model
from tokforge.transplant.alignment import Alignment, align
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.config import TransplantConfig
from tokforge.transplant.method import Method, Recipe, Resources, Side, Task
from tokforge.transplant.methods import METHODS
from tokforge.transplant.mix import Matrix
from tokforge.transplant.models import pick_device
from tokforge.transplant.plan import Plan, make_plan, read_sample
from tokforge.transplant.record import card_section, digest, provenance, write_record
from tokforge.transplant.rows import RowWriter, bias_recipe
from tokforge.transplant.running import may_run, verify_running
from tokforge.transplant.settings import new_settings
from tokforge.transplant.surgery import check_folder, staged_folder, write_model
from tokforge.transplant.verify import Check, verify_rows, verify_tensors
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Transplant", "compose", "transplant"]

Progress = Callable[[str, int, int], object]
_USABLE = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Transplant:
    """What a transplant did, or would do."""

    output: Path | None
    """The folder; None for a dry run, and where a check failed: then nothing was put in place."""
    label: str
    """The method, and the embedder that decided its similarities: ``tokenadapt(minilm)``."""
    plan: Plan
    checks: tuple[Check, ...]
    verdict: Literal["planned", "usable", "needs healing", "failed"]
    notes: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return any(check.outcome == "fail" for check in self.checks)


def transplant(
    model: str | Path,
    tokenizer: str | Path,
    output: str | Path | None = None,
    *,
    config: TransplantConfig | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress = lambda phase, done, total: None,
    **options: Any,
) -> Transplant:
    """Gives ``model`` (a folder, or ``hf:owner/name``) the tokenizer at ``tokenizer``; writes ``output``.

    ``options`` are those of `TransplantConfig`. A check that fails is in the result, and then nothing is
    put in place. Raises InputError and FormatError for a model or tokenizer that cannot be read or do not
    belong together, ConfigError for options, OutputError for ``output``, MissingExtraError without torch.
    """
    config = config or from_options(TransplantConfig, options)
    model = locate_model(model)
    method = pick("method", config.method, METHODS)
    settings = method.checked(config.options)
    _check_needs(method, config)
    if output is None and not dry_run:
        raise ConfigError("there is no output folder", "name one, or ask for a dry run", "output")
    if output is not None:
        others = (tokenizer, config.embedder, config.donor, config.hypernet, config.id_map, *config.text)
        check_folder(Path(output), Path(model), *others, force=force)
    checkpoint, alignment = _opened(model, tokenizer, config)
    plan = make_plan(alignment, read_sample(config.text, config.text_field))
    small = new_settings(checkpoint.folder, checkpoint.config, alignment, config.chat_template)
    label = _label(method, config)
    if dry_run or output is None:
        return Transplant(
            output=None, label=label, plan=plan, checks=(), verdict="planned", notes=small.notes
        )
    resources = _resources(checkpoint, config, progress)
    writers = compose(checkpoint, alignment, method, settings, resources)
    with staged_folder(Path(output)) as (staged, discard):
        write_model(checkpoint, writers, small, staged)
        checks = tuple(_verified(checkpoint, staged, alignment, config))
        result = Transplant(
            output=Path(output),
            label=label,
            plan=plan,
            checks=checks,
            verdict=_verdict(checks, plan),
            notes=small.notes,
        )
        if result.failed:
            discard()
            return replace(result, output=None)
        _write_papers(staged, checkpoint, result, config, alignment, writers[checkpoint.layout.input].recipe)
    return result


def compose(
    checkpoint: Checkpoint,
    alignment: Alignment,
    method: Method,
    options: Mapping[str, Any],
    resources: Resources,
) -> dict[str, RowWriter]:
    """Returns the new rows of each tensor that has some, made when they are asked for."""
    layout = checkpoint.layout
    side: Side = "tied" if layout.tied else "input"
    tensors: list[tuple[str, Side]] = [(layout.input, side)]
    if layout.output:
        tensors.append((layout.output, "output"))
    writers: dict[str, RowWriter] = {}
    for name, part in tensors:
        matrix = Matrix.of(checkpoint.array(name))
        recipe = method.compose(Task(alignment, matrix, part, options, resources))
        writers[name] = RowWriter(alignment, matrix, recipe, checkpoint.dtype(name))
    for name in layout.copies:
        writers[name] = replace(writers[layout.input], matrix=Matrix.of(checkpoint.array(name)))
    head: Recipe = writers[layout.output or layout.input].recipe
    for name in layout.biases:
        bias = Matrix.of(checkpoint.array(name))
        writers[name] = RowWriter(alignment, bias, bias_recipe(head, alignment), checkpoint.dtype(name))
    return writers


def _opened(
    model: str | Path, tokenizer: str | Path, config: TransplantConfig
) -> tuple[Checkpoint, Alignment]:
    checkpoint = Checkpoint.open(model)
    old, new = Vocabulary.load(model), Vocabulary.load(tokenizer)
    id_map = IdMap.load(config.id_map) if config.id_map else None
    return checkpoint, align(
        old, new, checkpoint.rows, mapping=config.mapping, multiple_of=config.multiple_of, id_map=id_map
    )


def _resources(checkpoint: Checkpoint, config: TransplantConfig, progress: Progress) -> Resources:
    return Resources(
        model=str(checkpoint.folder),
        embedder=config.embedder and str(locate_model(config.embedder)),
        donor=config.donor and str(locate_model(config.donor)),
        hypernet=config.hypernet,
        text=config.text,
        text_field=config.text_field,
        device=pick_device(config.device),
        seed=config.seed,
        progress=progress,
    )


def _check_needs(method: Method, config: TransplantConfig) -> None:
    for name in method.needs:
        if not getattr(config, name):
            raise ConfigError(f"{method.name} needs {name}", f"give it with --{name}", "--method")


def _label(method: Method, config: TransplantConfig) -> str:
    if not method.compares:
        return method.name
    return f"{method.name}({Path(config.embedder).name if config.embedder else 'own rows'})"


def _verified(
    checkpoint: Checkpoint, folder: Path, alignment: Alignment, config: TransplantConfig
) -> list[Check]:
    written = Checkpoint.open(folder)
    checks = [verify_tensors(checkpoint, folder)]
    for name in sorted(checkpoint.layout.names):
        checks += verify_rows(checkpoint.array(name), written.array(name), alignment, name)
    if config.checks == "full" or (config.checks == "auto" and may_run(folder)):
        return checks + verify_running(checkpoint.folder, folder, alignment, checkpoint.layout.kind)
    return [*checks, Check("running the models", "skipped", "use --checks full to run them")]


def _verdict(checks: Sequence[Check], plan: Plan) -> Literal["usable", "needs healing", "failed"]:
    if any(check.outcome == "fail" for check in checks):
        return "failed"
    made = (
        plan.rows["composed"] / max(plan.new_rows, 1) if plan.sample is None else plan.sample.new_occurrences
    )
    return "usable" if made <= _USABLE else "needs healing"


def _write_papers(
    folder: Path,
    checkpoint: Checkpoint,
    result: Transplant,
    config: TransplantConfig,
    alignment: Alignment,
    recipe: Recipe,
) -> None:
    from tokforge import __version__

    content = {
        "tokforge": __version__,
        "label": result.label,
        "config": config.as_dict(),
        "rows": result.plan.rows,
        "plan": result.plan.as_dict(),
        "verdict": result.verdict,
        "checks": [check.as_dict() for check in result.checks],
        "notes": list(result.notes),
        "model": {file.path.name: digest(file.path) for file in checkpoint.files},
        "old_tokenizer": digest(alignment.old.source),
        "new_tokenizer": digest(alignment.new.source),
    }
    card = folder / "README.md"
    text = card.read_text("utf-8") if card.is_file() else ""
    card.write_text(card_section(text, content, result.checks), encoding="utf-8")
    write_record(folder, content, provenance(alignment, recipe))
