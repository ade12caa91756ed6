"""Permutations that are a function of their seed, the last ones kept so that an epoch is shuffled once."""

from collections import OrderedDict

import numpy as np
from jaxtyping import Int


class Shuffle:
    """`shuffle(seed, size)` is a permutation of 0 .. size - 1 that depends on nothing else.

    The newest permutations are remembered up to `keep_bytes`, and always the last one: every replicate has its own, and
    each epoch is asked for in many pieces.
    """

    def __init__(self, keep_bytes: int = 2**28):
        self._keep_bytes = keep_bytes
        self._kept: OrderedDict[tuple[tuple[int, ...], int], np.ndarray] = OrderedDict()

    def __call__(self, seed: tuple[int, ...], size: int) -> Int[np.ndarray, " size"]:
        """The permutation; int32 where that is enough."""
        key = (seed, size)
        if key not in self._kept:
            order = np.random.default_rng(seed).permutation(size)
            self._kept[key] = order.astype(np.int32 if size <= np.iinfo(np.int32).max else np.int64)
            while len(self._kept) > 1 and sum(order.nbytes for order in self._kept.values()) > self._keep_bytes:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
