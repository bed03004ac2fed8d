"""The budget of a batch: what rounding and long words leave over in one example is made up in the next.

Short examples cannot meet a share by themselves: 15% of 10 tokens is 1 or 2. So an example is due
round(p x tokens so far) less what is masked so far, which keeps a batch's share exact to the token. No
example is due more than half above or below its own share, and one token: a text that is one long word
would else have the next one masked from end to end. O(1).
"""

import math

from tokforge.errors import ConfigError
from tokforge.masking.features import is_share

__all__ = ["BatchBudget"]


class BatchBudget:
    """Deals a share of the tokens of a batch to its examples, in turn."""

    def __init__(self, share: float) -> None:
        if not is_share(share):
            raise ConfigError(f"the mask probability is {share!r}", "use a share from 0 to 1")
        self.share = share
        self._tokens = self._masked = 0

    def due(self, tokens: int) -> int:
        """Returns how many of the next example's ``tokens`` are to be masked."""
        self._tokens += tokens
        own = self.share * tokens
        wanted = math.floor(self.share * self._tokens + 0.5) - self._masked
        least, most = math.ceil(own / 2 - 1), min(math.floor(own * 1.5 + 1), tokens)
        return min(max(wanted, least, 0), most)

    def spend(self, masked: int) -> None:
        """Counts what was masked of it."""
        self._masked += masked

    def is_missed(self) -> bool:
        """Says whether the batch is more than half a point, and a token, off its share."""
        gap = abs(self._masked - self.share * self._tokens)
        return gap > max(0.005 * self._tokens, 1)

    @property
    def reached(self) -> float:
        """The share that is masked so far."""
        return self._masked / max(self._tokens, 1)
