"""Hugging Face tokenizers on whole files with ByteLevel, which is GPT-2's pattern."""

import sys
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

files = (path for path in sorted(Path(sys.argv[1]).rglob("*")) if path.is_file())
texts = (path.read_text("utf-8", errors="replace") for path in files)
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(
    vocab_size=int(sys.argv[2]),
    show_progress=False,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
)
tokenizer.train_from_iterator(texts, trainer)
tokenizer.save("/tmp/tokenizers.json")
