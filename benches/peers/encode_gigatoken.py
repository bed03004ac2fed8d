"""gigatoken, not in parallel: its words' cache starts empty."""

import sys
from pathlib import Path

import gigatoken
from encoding import documents, joined, measure

tokenizer = gigatoken.Tokenizer.from_json(Path(sys.argv[1]).read_bytes())
tokenizer.encode(b"a")
measure(
    lambda docs: tokenizer.encode_batch(docs, parallel=False),
    documents(),
    lambda rows: joined(list(row) for row in rows),
)
