"""tokie: text and bytes alike."""

import sys

import tokie
from encoding import documents, joined, measure

tokenizer = tokie.Tokenizer.from_json(sys.argv[1])
tokenizer.encode_bytes(b"a")
measure(lambda docs: [tokenizer.encode_bytes(doc) for doc in docs], documents(), joined)
