"""gigabpe on whole files with its ByteLevel splitter, which is GPT-2's pattern line by line."""

import sys
from pathlib import Path

import gigabpe

files = [str(path) for path in sorted(Path(sys.argv[1]).rglob("*")) if path.is_file()]
gigabpe.train_bpe(files, int(sys.argv[2]))
