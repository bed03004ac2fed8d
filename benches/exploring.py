"""`python -m benches explore --text FILE TOKENIZER...`: how long the live page waits for 100 KB of text.

The server is `tokforge explore` in a process of its own. Each time is a whole HTTP round trip over the
loopback, a new connection each, as a client of Python sees it: the request, the encoding, the JSON, and its
reading; the drawing in the browser is not in it. The last row asks all tokenizers at once, as the page does,
and waits for all.
"""

import argparse
import http.client
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

TEXT_BYTES, RUNS = 100_000, 15


class Page(NamedTuple):
    """Where the page is."""

    port: int
    secret: str


def explore_round_trip(arguments: Sequence[str]) -> str:
    """Measures each tokenizer alone, then all at once; returns Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benches explore", description=__doc__)
    parser.add_argument("tokenizers", nargs="+", metavar="TOKENIZER")
    parser.add_argument("--text", type=Path, required=True)
    options = parser.parse_args(arguments)
    text = options.text.read_bytes()[:TEXT_BYTES]
    if len(text) < TEXT_BYTES:
        raise SystemExit(f"{options.text} has fewer than {TEXT_BYTES:,} bytes")
    rows = []
    with _served(options.tokenizers) as page, ThreadPoolExecutor(len(options.tokenizers)) as pool:
        for number, path in enumerate(options.tokenizers):
            rows.append(_row(path, [_round_trip(page, number, text) for _ in range(RUNS)]))
        together = [_all_at_once(pool, page, len(options.tokenizers), text) for _ in range(RUNS)]
    rows.append(_row(f"all {len(options.tokenizers)} at once", together))
    head = ["| 100 KB with | median ms | best | worst |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _row(name: str, times: Sequence[float]) -> str:
    return f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} |"


@contextmanager
def _served(tokenizers: Sequence[str]) -> Iterator[Page]:
    command = [sys.executable, "-m", "tokforge_cli", "explore", *tokenizers, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            url = urlsplit(json.loads(process.stdout.readline())["url"])  # type: ignore[union-attr]  # a pipe
            yield Page(url.port or 0, parse_qs(url.query)["token"][0])
        finally:
            process.send_signal(signal.SIGINT)


def _all_at_once(pool: ThreadPoolExecutor, page: Page, count: int, text: bytes) -> float:
    begun = time.perf_counter()
    list(pool.map(lambda number: _round_trip(page, number, text), range(count)))
    return 1000 * (time.perf_counter() - begun)


def _round_trip(page: Page, number: int, text: bytes) -> float:
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    path, headers = f"/encode?tokenizer={number}", {"X-Tokforge-Token": page.secret}
    connection.request("POST", path, text, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the server answered {answer.status}")
    return 1000 * (time.perf_counter() - begun)
