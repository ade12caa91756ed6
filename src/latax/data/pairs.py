"""Pairs of near samples whose distance, and whose sample halfway between them, somebody knows."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from latax._errors import DataError
from latax._wording import counted, listed

_SHOWN = 5
#: Distances of the same two samples may differ by this share: they may have been measured twice.
_ROUNDING = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of samples as row numbers, the first row being 0.

    * `first`, `second`, `midpoint`: (P,) rows; the sample `midpoint` lies halfway on the shortest path between the
      other two. It is a sample of its own: the mean of two images is none.
    * `distance`: (P,) the length of that path, in one unit for all pairs.

    Raises `DataError` where the arrays do not belong together, a row is negative, a distance is not a positive finite
    number, two of the three rows of a pair are the same, or the same two rows have two different distances.
    """

    first: Int[np.ndarray, " _"]
    second: Int[np.ndarray, " _"]
    midpoint: Int[np.ndarray, " _"]
    distance: Float[np.ndarray, " _"]

    def __post_init__(self):
        shapes = {name: values.shape for name, values in self._arrays().items()}
        if len(set(shapes.values())) > 1:
            raise DataError(
                f"the arrays of pairs have the shapes {shapes}; expected one row and one distance per pair."
            )
        if len(self) and self.rows.min() < 0:
            raise DataError(f"pairs name row {self.rows.min()}; rows count from 0.")
        self._refuse(~np.isfinite(self.distance), "have a distance that is not finite", "Leave these pairs out.")
        zero = self.distance == 0
        self._refuse(
            zero,
            "have a distance of 0: their samples are said to be duplicates, and nothing can be learnt from them",
            "Leave these pairs out; of samples at the same place keep one.",
        )
        self._refuse(self.distance < 0, "have a negative distance", "A distance is a length: give it without a sign.")
        self._refuse(self.first == self.second, "join a row with itself", "Leave these pairs out.")
        self._refuse(
            (self.midpoint == self.first) | (self.midpoint == self.second),
            "have one of their ends for a midpoint",
            "The midpoint has to be the sample that is halfway; where there is none, leave the pair out.",
        )
        self._refuse(
            self._of_two_distances(),
            "are given several times with different distances",
            "Two samples have one distance: correct it, or keep one of them.",
        )

    def __len__(self) -> int:
        return len(self.distance)

    @property
    def rows(self) -> Int[np.ndarray, "3 P"]:
        """All rows: first, second, midpoint."""
        return np.stack([self.first, self.second, self.midpoint])

    def check_rows(self, count: int) -> None:
        """Raises `DataError` where a pair names a row that `count` samples do not have."""
        if len(self) and self.rows.max() >= count:
            raise DataError(
                f"pairs name row {self.rows.max()}, but there are {counted(count, 'sample')}: rows go from 0 to "
                f"{count - 1}. Give the pairs of these samples."
            )

    def where(self, chosen: Bool[np.ndarray, " _"] | Int[np.ndarray, " _"]) -> "Pairs":
        """These pairs only, by a mask or by their numbers."""
        return Pairs(**{name: values[chosen] for name, values in self._arrays().items()})

    def taken(self, rows: slice | Int[np.ndarray, " rows"], count: int) -> "Pairs":
        """The pairs whose three rows are all among `rows` of `count` samples, by their new numbers.

        Of a row that is taken several times, its last place counts.
        """
        taken = np.arange(count)[rows]
        place = np.full(count, -1)
        place[taken] = np.arange(len(taken))
        kept = self.where(np.all(place[self.rows] >= 0, axis=0))
        return Pairs(place[kept.first], place[kept.second], place[kept.midpoint], kept.distance)

    def moved(self, rows: int) -> "Pairs":
        """The same pairs of samples that come after `rows` others."""
        return Pairs(self.first + rows, self.second + rows, self.midpoint + rows, self.distance)

    def _of_two_distances(self) -> Bool[np.ndarray, " _"]:
        """The first of several pairs of the same two rows whose distances differ by more than rounding."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        order = np.lexsort((self.distance, high, low))
        before, after = order[:-1], order[1:]
        same = (low[before] == low[after]) & (high[before] == high[after])
        found = np.zeros(len(self), bool)
        found[before] = same & (self.distance[after] > (1 + _ROUNDING) * self.distance[before])
        return found

    def _arrays(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def _refuse(self, bad: Bool[np.ndarray, " _"], what: str, cure: str) -> None:
        if not bad.any():
            return
        found = np.flatnonzero(bad)
        names = listed((f"rows {self.first[i]} and {self.second[i]}" for i in found), _SHOWN)
        raise DataError(f"{counted(len(found), 'pair')} of {len(self)} {what}: {names}. {cure}")


def both(a: Pairs | None, b: Pairs | None, rows: int) -> Pairs | None:
    """The pairs of two sets of samples that are stacked, the first of which has `rows` rows."""
    if a is None or b is None:
        return a if b is None else b.moved(rows)
    parts = zip(a._arrays().values(), b.moved(rows)._arrays().values(), strict=True)
    return Pairs(*(np.concatenate(part) for part in parts))
