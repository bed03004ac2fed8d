"""The merges of a model that ranks by product: every two tokens that are a third end to end.

Of a token of up to `SHORT` bytes every split is looked up. A longer one is never sliced at each place, or a
file with one token of a megabyte would take an hour: the long tokens that it begins with stand below each
other on a stack in sorted order, those that it ends with in the order of the reversed bytes. Linear in the
tokens' bytes, but for sorting.
"""

from collections.abc import Iterator, Mapping, Sequence

from tokforge.tokenizer.model.merges import Merge

__all__ = ["product_merges"]

SHORT = 64


def product_merges(
    tokens: Sequence[bytes | None], scored: Sequence[tuple[float, int]]
) -> tuple[tuple[Merge, ...], tuple[int, ...]]:
    """Returns the merges and ranks of a model that ranks by product.

    ``scored``: (rank, id) of the tokens that merging may produce, lower ranks first; equal ones stay
    equal. ``tokens``: by id, the tokens that may take part, None for the others (control, user-defined,
    byte). A product is every pair of tokens whose bytes are its own end to end; a token of which there
    is no such pair is left out.

    Example:
        >>> product_merges([b"a", b"b", b"ab", b"aba", b"ba"], [(0, 2), (1, 4), (2, 3)])
        (((0, 1, 2), (1, 0, 4), (0, 4, 3), (2, 0, 3)), (0, 1, 2, 2))
    """
    ids = {token: token_id for token_id, token in enumerate(tokens) if token}
    long = {token: token_id for token, token_id in ids.items() if len(token) > SHORT}
    starts = _beginnings(long)
    ends = _beginnings({token[::-1]: token_id for token, token_id in long.items()})
    merges: list[Merge] = []
    ranks: list[int] = []
    dense: dict[float, int] = {}
    for value, token_id in sorted(scored):
        token = tokens[token_id] or b""
        rank = dense.setdefault(value, len(dense))
        if len(token) > SHORT:
            pairs = _long_splits(token, ids, starts[token], ends[token[::-1]])
            found = [(left, right, token_id) for left, right in pairs]
            merges += found
            ranks += [rank] * len(found)
            continue
        for cut in range(1, len(token)):
            left, right = ids.get(token[:cut]), ids.get(token[cut:])
            if left is not None and right is not None:
                merges.append((left, right, token_id))
                ranks.append(rank)
    return tuple(merges), tuple(ranks)


def _beginnings(tokens: Mapping[bytes, int]) -> dict[bytes, dict[int, int]]:
    """Returns, for each token, length -> id of those it begins with, itself left out."""
    found: dict[bytes, dict[int, int]] = {}
    within: list[bytes] = []
    for token in sorted(tokens):
        while within and not token.startswith(within[-1]):
            within.pop()
        found[token] = {len(one): tokens[one] for one in within}
        within.append(token)
    return found


def _long_splits(
    token: bytes, ids: Mapping[bytes, int], starts: Mapping[int, int], ends: Mapping[int, int]
) -> Iterator[tuple[int, int]]:
    """Yields (left, right) ids of a long token's splits, the shortest left one first.

    ``starts``, ``ends``: the long tokens that it begins and ends with.
    """
    size = len(token)
    near_ends = {*range(1, SHORT + 1), *range(size - SHORT, size)}
    for cut in sorted(near_ends | starts.keys()):
        left = ids.get(token[:cut]) if cut <= SHORT else starts.get(cut)
        if left is None:
            continue
        right = ids.get(token[cut:]) if size - cut <= SHORT else ends.get(size - cut)
        if right is not None:
            yield left, right
