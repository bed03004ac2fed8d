"""Loads each malformed file of a folder with one library, in a child process each, and prints how it ended.

``python load_hostile.py LIBRARY FOLDER``: every folder inside FOLDER is one case, whose first file by
``main.txt`` is loaded. One JSON object on stdout: case -> outcome. A child may take 20 s and 4 GiB.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

SECONDS, MEMORY = 20, 2**32
ACCEPTED, REFUSED, PANICKED, LATER = 0, 3, 4, 5
TEXT = "hello world 12 é中"


def tokenizers(path):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda: tokenizer.encode(TEXT)


def tokenizers_pair(path):
    from tokenizers.models import BPE

    model = BPE.from_file(str(path), str(path.with_name("merges.txt")))
    return lambda: model.tokenize(TEXT)


def tokenizers_wordpiece(path):
    from tokenizers.models import WordPiece

    model = WordPiece.from_file(str(path))
    return lambda: model.tokenize("hello")


def tiktoken(path):
    from tiktoken import Encoding
    from tiktoken.load import load_tiktoken_bpe

    ranks = load_tiktoken_bpe(str(path))
    encoding = Encoding("x", pat_str=r"\s*\S+|\s+", mergeable_ranks=ranks, special_tokens={})
    return lambda: encoding.encode_ordinary(TEXT)


def mistral_common(path):
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    tokenizer = Tekkenizer.from_file(path)
    return lambda: tokenizer.encode(TEXT, bos=False, eos=False)


def sentencepiece(path):
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(path))
    return lambda: processor.encode(TEXT)


def gguf(path):
    from gguf import GGUFReader

    reader = GGUFReader(str(path))
    return lambda: [field.contents() for field in reader.fields.values()]


def tokforge(path):
    from tokforge import Tokenizer

    tokenizer = Tokenizer.load(path, pretokenizer="gpt2" if path.suffix == ".tiktoken" else None)
    return lambda: tokenizer.encode(TEXT)


LIBRARIES = {
    one.__name__: one
    for one in (
        tokenizers,
        tokenizers_pair,
        tokenizers_wordpiece,
        tiktoken,
        mistral_common,
        sentencepiece,
        gguf,
        tokforge,
    )
}


def attempt(load, path):
    """Runs in the child: ends the process with the outcome as its exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.alarm(SECONDS)
    use = None
    try:
        use = load(path)
        use()
    except Exception:
        os._exit(LATER if use else REFUSED)
    except BaseException:  # a panic of Rust
        os._exit(PANICKED)
    os._exit(ACCEPTED)


def outcome(status):
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "hang" if number == signal.SIGALRM else f"crash ({signal.Signals(number).name})"
    names = {ACCEPTED: "accepted", REFUSED: "error", PANICKED: "panic", LATER: "error when used"}
    return names.get(os.WEXITSTATUS(status), f"exit {os.WEXITSTATUS(status)}")


def main():
    load, folder = LIBRARIES[sys.argv[1]], Path(sys.argv[2])
    __import__(sys.argv[1].split("_pair")[0].split("_wordpiece")[0])
    found = {}
    for case in sorted(folder.iterdir()):
        path = case / (case / "main.txt").read_text()
        child = os.fork()
        if not child:
            attempt(load, path)
        found[case.name] = outcome(os.waitpid(child, 0)[1])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
