"""`python -m benches explore --text FILE TOKENIZER...`: how long the live page waits for 100 KB of text.

Each time is a whole HTTP round trip over the loopback, a new connection each, as a client of Python sees it:
the request, the encoding, the JSON, and its reading; the drawing in the browser is not in it.
"""

import argparse
import http.client
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tokforge import Tokenizer
from tokforge.report.server import Server

TEXT_BYTES, RUNS = 100_000, 15


def explore_round_trip(arguments: Sequence[str]) -> str:
    """Measures each tokenizer alone; returns Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benches explore", description=__doc__)
    parser.add_argument("tokenizers", nargs="+", metavar="TOKENIZER")
    parser.add_argument("--text", type=Path, required=True)
    options = parser.parse_args(arguments)
    text = options.text.read_bytes()[:TEXT_BYTES]
    if len(text) < TEXT_BYTES:
        raise SystemExit(f"{options.text} has fewer than {TEXT_BYTES:,} bytes")
    server = Server({path: Tokenizer.load(path) for path in options.tokenizers})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rows = []
    for number, path in enumerate(options.tokenizers):
        times = [_round_trip(server, number, text) for _ in range(RUNS)]
        rows.append(f"| {path} | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} |")
    server.shutdown()
    server.server_close()
    head = ["| 100 KB with | median ms | best | worst |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _round_trip(server: Server, number: int, text: bytes) -> float:
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    path, headers = f"/encode?tokenizer={number}", {"X-Tokforge-Token": server.secret}
    connection.request("POST", path, text, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the server answered {answer.status}")
    return 1000 * (time.perf_counter() - begun)
