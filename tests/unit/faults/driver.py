"""Runs command lines with one failing system call each: the process under the preloaded shim.

Reads a JSON object a line (root, arguments, kind, nth, error, sticky), runs the command in a forked child,
and answers with {code, err, seen}. A fork costs milliseconds, a new interpreter a second.
"""

import ctypes
import importlib
import io
import json
import os
import sys

from tokforge_cli.app import run

KINDS = 6
SHIM = ctypes.CDLL(None)
SHIM.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int]
SHIM.faults_seen.restype = ctypes.c_long


def child(case: dict, answer: int) -> None:
    """Runs one command; its answer goes to the pipe ``answer``."""
    os.chdir(case["root"])
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    nth = -1 if case["nth"] is None else case["nth"]
    SHIM.faults_arm(case["root"].encode(), case["kind"], nth, case["error"], case["sticky"])
    try:
        code = run(case["arguments"])
    except SystemExit as ended:
        code = ended.code
    seen = [SHIM.faults_seen(kind) for kind in range(KINDS)]
    SHIM.faults_arm(b"/nowhere", -1, -1, 0, 0)
    os.write(answer, json.dumps({"code": code, "err": sys.stderr.getvalue()[-4000:], "seen": seen}).encode())
    os._exit(0)


def main() -> None:
    """Answers until standard input ends."""
    for name in ("tokforge._core", "tokforge.bpe", "tokforge.supertokens", "tokforge.report", "tokenizers"):
        importlib.import_module(name)
    for line in sys.stdin:
        read, write = os.pipe()
        if os.fork() == 0:
            child(json.loads(line), write)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            said = pipe.read()
        _, status = os.wait()
        ended = {"code": None, "err": f"wait status {status}", "seen": []}
        print(said.decode() or json.dumps(ended), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
