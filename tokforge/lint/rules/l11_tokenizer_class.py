"""L11: A tokenizer_class that rebuilds the pipeline otherwise.

What it finds:
A ``tokenizer_class`` in tokenizer_config.json whose transformers 5 class builds its own normaliser and
pre-tokenizer, where these differ from those in tokenizer.json. The classes' pipelines were read off
transformers 5.23; a test compares them with the version that is installed.

Why it matters:
transformers 5 takes the vocabulary and the merges from tokenizer.json and the rest from the class, so ids
change without a word: `LlamaTokenizer` over byte-level repositories drops spaces (transformers#47017, #45488;
`AutoTokenizer` of 5.23 catches this one case, the class itself does not), and o200k under `GPT2Tokenizer` is
split by GPT-2's regex.

How to fix:
Write ``"tokenizer_class": "PreTrainedTokenizerFast"``, which both majors of transformers read as "take the
file as it stands". `--fix` does so.
"""

from collections.abc import Iterable, Iterator

from tokforge.lint.artefact import CONFIG, Artefact
from tokforge.lint.classes import CLASSES, signature
from tokforge.lint.documents import step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]

GENERIC = "PreTrainedTokenizerFast"


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding if the class would build another pipeline."""
    if not artefact.tokenizer or not artefact.config:
        return
    name = step(artefact.config.value, "tokenizer_class")
    built = CLASSES.get(name.removesuffix("Fast")) if isinstance(name, str) else None
    own = signature(artefact.tokenizer)
    if built is not None and built != own:
        yield RULE.finding(
            artefact.config.place.at("tokenizer_class"),
            name,
            f"transformers 5 builds {_shown(built)} for this class, while {artefact.file} has {_shown(own)}",
            f'write "{GENERIC}"',
        )


def _shown(parts: tuple[str, ...]) -> str:
    return " + ".join(part if len(part) <= 20 else "a regex of its own" for part in dict.fromkeys(parts))


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    config = documents.get(CONFIG)
    if config is not None:
        old, config["tokenizer_class"] = config.get("tokenizer_class"), GENERIC
        yield Change("L11", CONFIG, "/tokenizer_class", f"{old} -> {GENERIC}")


RULE = Rule("L11", "tokenizer-class", "warning", check, __doc__, Fix(_fix, keeps_ids=True))
