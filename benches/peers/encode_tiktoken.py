"""tiktoken with the tokens of a byte-level tokenizer.json as ranks, and its pattern."""

import json
import sys
from pathlib import Path

import tiktoken
from encoding import documents, joined, measure

from tokforge import Tokenizer

tokens = Tokenizer.load(sys.argv[1]).definition.table.ordinary()
ranks = {token: number for number, token in enumerate(tokens) if token is not None}
stages = json.loads(Path(sys.argv[1]).read_text())["pre_tokenizer"]["pretokenizers"]
pattern = stages[0]["pattern"]["Regex"]
encoding = tiktoken.Encoding("peer", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
encoding.encode_ordinary("a")
docs = [doc.decode() for doc in documents()]
measure(lambda docs: [encoding.encode_ordinary(doc) for doc in docs], docs, joined)
