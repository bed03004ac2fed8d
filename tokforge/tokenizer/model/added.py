"""Tokens that are matched whole in text."""

from dataclasses import dataclass

from tokforge.errors import ConfigError, pick
from tokforge.tokenizer.display import quoted

__all__ = ["ROLES", "AddedToken"]

ROLES = ("bos", "eos", "pad", "unk", "mask", "sep", "cls")


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is matched whole in text, before splitting and merging.

    A ``special`` one is control: it is matched only when the caller allows it. The other flags are
    Hugging Face's; ``normalized`` tokens are looked for after normalisation, ``single_word`` ones only
    where no word character stands beside them.
    """

    id: int
    text: str
    roles: tuple[str, ...] = ()
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    single_word: bool = False

    def __post_init__(self) -> None:
        if not self.text:
            raise ConfigError(f"the added token with id {self.id} is empty", "give it a text")
        if any("\ud800" <= char <= "\udfff" for char in self.text):
            raise ConfigError(
                f"the added token {quoted(self.text)} holds a lone surrogate", "use valid Unicode text"
            )
        for role in self.roles:
            pick("an added token's role", role, dict.fromkeys(ROLES))
        object.__setattr__(self, "roles", tuple(sorted(set(self.roles))))
