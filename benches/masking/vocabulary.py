"""Characters per token on Chinese that no contender was trained on: `masking-vocabulary`.

Every contender is trained on the same passages to 32,768 entries, as its own documentation says, with the
options that serve it best. A token that stands for something unknown costs the bytes that it hides, as byte
fallback would: a whole word lost in one token is no thrift. Rows that are in WORK/rows.jsonl are not
measured again. Held out: sources that are unrelated to the training text (news of 1998, reviews,
Cantonese talk and sentences). Published vocabularies, which saw other data and are larger, stand beside.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tokforge

SIZE = 32768
HELD_OUT = ("news", "reviews-positive", "reviews-negative", "cantonese-hkcancor", "cantonese-common-voice")
POEM_CHARACTERS = 4_000_000
Counter = Callable[[str], tuple[int, int]]
"""Text -> tokens, and how many of them stand for something unknown."""


def training_passages(folder: Path) -> list[str]:
    """All sources but the held-out ones; of the poems, which are more than all else, the first part."""
    lines: list[str] = []
    for path in sorted(folder.glob("*.txt")):
        if path.stem not in HELD_OUT:
            text = path.read_text()
            lines += (text[:POEM_CHARACTERS] if path.stem == "poems" else text).splitlines()
    return lines


def ours(**options: Any) -> Callable[[Path, Path], Counter]:
    """The preset, and the preset with one of its parts left out: what each part adds."""

    def build(passages: Path, work: Path) -> Counter:
        tokenizer = tokforge.train_bpe(passages, preset="chinese-32k", threads=1, **options)
        return lambda text: (len(tokenizer.encode(text)), 0)

    return build


def hf(kind: str) -> Callable[[Path, Path], Counter]:
    """Hugging Face's trainers: ``bpe`` on bytes, ``wordpiece`` and ``bert`` (a token a Han character)."""

    def build(passages: Path, work: Path) -> Counter:
        from tokenizers import Tokenizer

        path = work / f"hf-{kind}.json"
        if not path.exists():
            _train_hf(kind, passages, path)
        tokenizer = Tokenizer.from_file(str(path))
        unknown = tokenizer.token_to_id("[UNK]")
        return lambda text: _charged(text, tokenizer.encode(text, add_special_tokens=False), unknown)

    return build


def _train_hf(kind: str, passages: Path, path: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer: Any = trainers.BpeTrainer(vocab_size=SIZE, initial_alphabet=alphabet, show_progress=False)
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=1000))
        tokenizer.normalizer = normalizers.BertNormalizer(
            lowercase=False, handle_chinese_chars=kind == "bert"
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(passages.read_text().splitlines(), trainer)
    tokenizer.save(str(path))


def sentencepiece(kind: str) -> Callable[[Path, Path], Counter]:
    def build(passages: Path, work: Path) -> Counter:
        import sentencepiece as library

        path = work / f"sentencepiece-{kind}.model"
        if not path.exists():
            library.SentencePieceTrainer.train(
                input=str(passages),
                model_prefix=str(path.with_suffix("")),
                vocab_size=SIZE,
                model_type=kind,
                byte_fallback=True,
                character_coverage=0.9995,
                max_sentence_length=1 << 16,
                num_threads=1,
                minloglevel=2,
            )
        model = library.SentencePieceProcessor(model_file=str(path))
        return lambda text: _counted(model.encode(text), model.unk_id())

    return build


def published(path: Path) -> Callable[[Path, Path], Counter]:
    def build(passages: Path, work: Path) -> Counter:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(path))
        return lambda text: (len(tokenizer.encode(text, add_special_tokens=False).ids), 0)

    return build


def _charged(text: str, encoding: Any, unknown: int | None) -> tuple[int, int]:
    """A token for each byte that an unknown token hides."""
    ids = encoding.ids
    hidden = [
        text[start:end] for one, (start, end) in zip(ids, encoding.offsets, strict=True) if one == unknown
    ]
    return len(ids) - len(hidden) + sum(len(one.encode()) for one in hidden), len(hidden)


def _counted(ids: Sequence[int], unknown: int | None) -> tuple[int, int]:
    return len(ids), sum(one == unknown for one in ids)


TRAINED: dict[str, Callable[[Path, Path], Counter]] = {
    "tokforge chinese-32k": ours(),
    "the same, characters not first": ours(character_coverage=0),
    "the same, o200k's splitter": ours(pretokenizer="o200k"),
    "tokenizers BPE, ByteLevel": hf("bpe"),
    "tokenizers WordPiece": hf("wordpiece"),
    "tokenizers WordPiece, BERT's splitter": hf("bert"),
    "sentencepiece BPE": sentencepiece("bpe"),
    "sentencepiece Unigram": sentencepiece("unigram"),
}


def rows(folder: Path, work: Path, beside: Sequence[Path]) -> Iterator[dict[str, object]]:
    passages = work / "passages.txt"
    if not passages.exists():
        passages.write_text("".join(line + "\n" for line in training_passages(folder)))
    contenders = TRAINED | {f"({path.parent.parent.name})": published(path) for path in beside}
    held_out = {name: (folder / f"{name}.txt").read_text().splitlines() for name in HELD_OUT}
    record = work / "rows.jsonl"
    done = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    yield from done
    left = contenders.keys() - {row["contender"] for row in done}
    for name in (name for name in contenders if name in left):
        count = contenders[name](passages, work)
        figures: dict[str, object] = {"contender": name}
        unknown = 0
        for source, lines in held_out.items():
            counts = [count(line) for line in lines]
            figures[source] = sum(map(len, lines)) / sum(tokens for tokens, _ in counts)
            unknown += sum(one for _, one in counts)
        with record.open("a") as file:
            print(json.dumps({**figures, "unknown": unknown}), file=file)
        yield {**figures, "unknown": unknown}


def vocabulary(arguments: Sequence[str]) -> str:
    parser = argparse.ArgumentParser(prog="masking-vocabulary", description=__doc__)
    parser.add_argument("text", type=Path, help="the folder that `masking-text` wrote")
    parser.add_argument("work", type=Path, help="where models are kept, and found again")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="published tokenizer.json files")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    heads = (*HELD_OUT, "mean", "unknown")
    lines = [f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for row in rows(options.text, options.work, options.beside):
        figures = [float(str(row[name])) for name in HELD_OUT]
        cells = [f"{one:.3f}" for one in (*figures, statistics.mean(figures))]
        lines.append(f"| {row['contender']} | {' | '.join(cells)} | {row['unknown']:,} |")
        print(json.dumps(row, ensure_ascii=False), flush=True)
    return "\n".join(lines)
