"""Crate bbpe's command: the time of its whole process, which it spends encoding."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from encoding import documents, joined, measure


def encode(docs):
    rows = []
    with TemporaryDirectory() as folder:
        for doc in docs:
            path = Path(folder) / "document"
            path.write_bytes(doc)
            command = ["bbpe", "encode", "-m", sys.argv[1], str(path), "--json"]
            rows.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    return rows


measure(
    encode, documents(), lambda rows: joined(row["tokens"] if isinstance(row, dict) else row for row in rows)
)
