"""What an installed tokforge must do with nothing but its dependencies; writes into the working folder."""

import subprocess
import sys
from pathlib import Path

import tokforge

data = Path(sys.executable).resolve().read_bytes()[:200_000]
Path("corpus.bin").write_bytes(data)
tokenizer = tokforge.train_bpe(["corpus.bin"], vocab_size=512, preset="binary")
assert tokenizer.decode(tokenizer.encode(data)) == data
tokenizer.save("tokenizer.json")
assert tokforge.Tokenizer.load("tokenizer.json") == tokenizer
heavy = {"torch", "transformers", "scipy", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
subprocess.run([sys.executable, "-m", "tokforge", "--version"], check=True)
subprocess.run([sys.executable, "-m", "tokforge", "encode", "tokenizer.json", "corpus.bin"], check=True)
