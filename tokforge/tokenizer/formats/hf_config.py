"""tokenizer_config.json: the roles of special tokens, and the class that loads the folder.

The class is always ``PreTrainedTokenizerFast``: it takes tokenizer.json as it stands, where a
model-specific class may put its own pre-tokenizer over it (transformers #47017).
"""

import json
from collections.abc import Collection

from tokforge.tokenizer.formats.strict_json import parse_json
from tokforge.tokenizer.model import ROLES, Definition

__all__ = ["read_roles", "write_config"]


def write_config(definition: Definition) -> bytes:
    """Returns tokenizer_config.json. ``model_max_length`` is left out: that is the model's to say."""
    roles = {f"{role}_token": token.text for token in definition.added_tokens for role in token.roles}
    content = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **{f"{role}_token": roles[f"{role}_token"] for role in ROLES if f"{role}_token" in roles},
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def read_roles(data: bytes, source: str, texts: Collection[str]) -> dict[str, str]:
    """Returns role -> text for the roles whose token is one of ``texts``.

    A role whose token the tokenizer lacks is left out: such files are common, and transformers then
    adds the token to the vocabulary, which is not ours to do.
    """
    root = parse_json(data, source)
    roles = {}
    for role in ROLES:
        node = root.child(f"{role}_token")
        if node.value is None:
            continue
        text = node.need("content").string() if isinstance(node.value, dict) else node.string()
        if text in texts:
            roles[role] = text
    return roles
