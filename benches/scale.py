"""Time and memory against the size of the corpus, ours and the peers': a table and a chart."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import RESULTS, Contender, Measurement, compare, report
from benches.plan import check, planned_bytes
from benches.training import bbpe, text_contenders, tokforge


def train_scale(arguments: Sequence[str]) -> str:
    """Trains on growing beginnings of one corpus: unsplit bytes beside bbpe, or text beside its trainers.

    Ends with exit code 1 where we take more memory than benches/plan.py plans.
    """
    parser = argparse.ArgumentParser(prog="python -m benches train-scale", description=train_scale.__doc__)
    parser.add_argument("kind", choices=("binaries", "text"))
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--size", type=int, default=32768)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument(
        "--peers-up-to", type=float, default=100, help="megabytes that peers are given at most"
    )
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args(arguments)
    rows: dict[float, list[Measurement]] = {}
    plans: dict[float, int] = {}
    for megabytes in options.megabytes:
        with TemporaryDirectory(dir=options.corpus.parent) as folder:
            part = _beginning(options.corpus, Path(folder), int(megabytes * 1e6))
            contenders = _contenders(options.kind, part, options.size)
            kept = contenders if megabytes <= options.peers_up_to else contenders[:1]
            rows[megabytes] = compare(kept, runs=options.runs)
            plans[megabytes] = planned_bytes(part, options.kind)
    name = f"train-scale-{options.kind}-{options.size}"
    for megabytes, measured in rows.items():
        about = {"megabytes": megabytes, "vocab_size": options.size, "planned_bytes": plans[megabytes]}
        report(f"{name}-{megabytes:g}", about, measured)
    _draw(rows, RESULTS.parents[1] / "docs" / "images" / f"{name}.svg")
    table = _table(rows, plans)
    exceeded = [remark for size, measured in rows.items() if (remark := check(measured[0], plans[size]))]
    if exceeded:
        raise SystemExit("\n".join([table, *exceeded]))
    return table


def _contenders(kind: str, corpus: Path, size: int) -> list[Contender]:
    if kind == "binaries":
        return [tokforge(corpus, size, "--preset", "binary"), bbpe(corpus, size)]
    return text_contenders(corpus, size)


def _beginning(corpus: Path, folder: Path, length: int) -> Path:
    """Links the first files of ``corpus`` that hold ``length`` bytes, the last of them cut."""
    part, left = folder / corpus.name, length
    part.mkdir()
    for number, path in enumerate(path for path in sorted(corpus.rglob("*")) if path.is_file()):
        if left <= 0:
            break
        size = path.stat().st_size
        if size <= left:
            (part / f"{number:06}").symlink_to(path.resolve())
        else:
            (part / f"{number:06}").write_bytes(path.read_bytes()[:left])
        left -= size
    return part


def _table(rows: dict[float, list[Measurement]], plans: dict[float, int]) -> str:
    heads = "MB", "", "seconds", "s/GB", "peak MB", "planned for us", "peak bytes/byte"
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [
        f"| {megabytes:g} | {row.name} | {row.seconds:.2f} | {row.seconds / megabytes * 1000:.1f} | "
        f"{row.peak_memory_bytes / 1e6:.0f} | {plans[megabytes] / 1e6:.0f} | "
        f"{row.peak_memory_bytes / 1e6 / megabytes:.1f} |"
        for megabytes, measured in rows.items()
        for row in measured
    ]
    return "\n".join(lines)


def _draw(rows: dict[float, list[Measurement]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name in sorted({row.name for measured in rows.values() for row in measured}):
        points = [
            (megabytes, row.seconds, row.peak_memory_bytes / 1e6)
            for megabytes, measured in rows.items()
            for row in measured
            if row.name == name
        ]
        sizes, seconds, peaks = zip(*points, strict=True)
        time.loglog(sizes, seconds, marker="o", label=name)
        memory.loglog(sizes, peaks, marker="o", label=name)
    time.set(xlabel="corpus, MB", ylabel="seconds")
    memory.set(xlabel="corpus, MB", ylabel="peak memory, MB")
    time.legend()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
