"""rustbpe on whole files with GPT-2's pattern."""

import sys
from pathlib import Path

import rustbpe

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

files = (path for path in sorted(Path(sys.argv[1]).rglob("*")) if path.is_file())
texts = (path.read_text("utf-8", errors="replace") for path in files)
rustbpe.Tokenizer().train_from_iterator(texts, int(sys.argv[2]), pattern=PATTERN)
