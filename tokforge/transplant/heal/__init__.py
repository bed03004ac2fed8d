"""Heals a transplanted model: a short training on text, which never leaves it worse than it was.

Reading order: `config`, `text` (windows, held-out ones, aligned ends), `trained` (which weights move),
`losses`, `state` (checkpoints), `loop` (the steps and the validated stop), `run` (reads, writes, records).
"""

from tokforge.transplant.heal.config import LOSSES, TRAINABLES, HealConfig
from tokforge.transplant.heal.run import Healed, heal

__all__ = ["LOSSES", "TRAINABLES", "HealConfig", "Healed", "heal"]
