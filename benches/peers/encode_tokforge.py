"""tokforge: TOKENIZER DOCUMENTS KIND THREADS."""

import sys

from encoding import documents, measure

from tokforge import Tokenizer

tokenizer = Tokenizer.load(sys.argv[1])
tokenizer.encode(b"a")  # builds the encoder
threads = int(sys.argv[4])
measure(lambda docs: tokenizer.encode_batch(docs, threads), documents(), lambda result: result[0].tolist())
