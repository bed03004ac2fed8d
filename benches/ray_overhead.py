"""What counting on Ray's workers costs beside threads of one process, both in whole processes."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import Contender, compare, report

MOST = 2.0


def ray_overhead(arguments: Sequence[str]) -> str:
    """Trains by threads and on a local Ray cluster; exit code 1 if it takes over twice as long.

    The cluster runs already, as clusters do. The time holds the rest: joining it, starting the workers'
    interpreters, counting, combining, the same merge loop.
    """
    parser = argparse.ArgumentParser(prog="python -m benches ray", description=ray_overhead.__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--size", type=int, default=32768)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        outputs = {name: Path(folder) / f"{name}.json" for name in ("local", "ray")}
        contenders = [
            contender("local", options, outputs["local"]),
            contender(f"ray, {options.workers} workers", options, outputs["ray"], "--engine", "ray"),
        ]
        with cluster(options.workers):
            measured = compare(contenders, runs=options.runs)
        local, distributed = (path.read_bytes() for path in outputs.values())
    about = {
        "corpus": " ".join(path.name for path in options.corpus),
        "vocab_size": options.size,
        "workers": options.workers,
    }
    table = report("ray-overhead", about, measured)
    ratio = measured[1].seconds / measured[0].seconds
    if local != distributed or ratio > MOST:
        raise SystemExit(f"{table}\nequal: {local == distributed}, {ratio:.2f} times the time")
    return table


@contextmanager
def cluster(workers: int) -> Iterator[None]:
    """Starts a cluster on this machine that Ray finds by itself, and ends it."""
    import ray

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    os.environ["RAY_ADDRESS"] = ray.get_runtime_context().gcs_address
    try:
        yield
    finally:
        del os.environ["RAY_ADDRESS"]
        ray.shutdown()


def contender(name: str, options: argparse.Namespace, output: Path, *engine: str) -> Contender:
    command = [
        sys.executable,
        "-m",
        "tokforge_cli",
        "train-bpe",
        *map(str, options.corpus),
        "-o",
        str(output),
    ]
    shared = ["--force", "--quiet", "--vocab-size", str(options.size), "--pretokenizer", "o200k"]
    return Contender(name=name, version=version("tokforge"), command=[*command, *shared, *engine])
