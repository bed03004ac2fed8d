"""Hugging Face tokenizers, one thread."""

import os
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from encoding import documents, joined, measure
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.encode_special_tokens = True
docs = [doc.decode() for doc in documents()]
measure(
    lambda docs: tokenizer.encode_batch(docs, add_special_tokens=False),
    docs,
    lambda rows: joined(row.ids for row in rows),
)
