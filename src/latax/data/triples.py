"""From arrays of points, partners and midpoints to `Samples` with pairs."""

from typing import Any

import numpy as np

from latax._errors import DataError
from latax.data.pairs import Pairs
from latax.data.samples import Samples, default_names


def from_triples(points: Any, partners: Any, midpoints: Any, distances: Any) -> Samples:
    """Samples with `pairs`, from P near points with a partner each, the point halfway between them and their distance.

        from_triples(images[:-2], images[2:], images[1:-1], 2 * step)   # frames of a steady motion

    **Arguments:**

    - `points`, `partners`, `midpoints`: (P, d) or (P, ...) numbers, all of one shape.
    - `distances`: (P,), or one number for all pairs: lengths of the shortest paths on the manifold of the data, in one
      unit of your choice.

    **Returns:** all different points among them, in the order in which they come first; equal ones become one row, so
    that pairs with a point in common are joined, and distances of far points follow from those of near ones.

    Raises `DataError` for shapes that do not belong together and for what `Pairs` refuses.
    """
    parts = [np.asarray(part) for part in (points, partners, midpoints)]
    shapes = [part.shape for part in parts]
    if len(set(shapes)) > 1 or len(shapes[0]) < 2 or not shapes[0][0]:
        raise DataError(
            f"points, partners and midpoints have the shapes {', '.join(map(str, shapes))}; expected one shape (P, d) "
            "or (P, ...) for all three, with at least one pair."
        )
    dtype = np.result_type(*parts, np.float32)
    if dtype.kind != "f":
        raise DataError(f"points, partners and midpoints hold {dtype}; expected real numbers.")
    count, *shape = shapes[0]
    given = np.asarray(distances, np.float64)
    if given.shape not in ((), (count,)):
        raise DataError(f"distances have shape {given.shape}; expected ({count},), or one number for all pairs.")
    X, rows = _distinct(np.concatenate(parts).astype(dtype).reshape(3 * count, -1))
    first, second, midpoint = rows.reshape(3, count)
    return Samples(
        X,
        feature_names=default_names(tuple(shape)),
        sample_shape=tuple(shape),
        origin=f"{count} pairs of points with their midpoints",
        pairs=Pairs(first, second, midpoint, np.broadcast_to(given, (count,)).copy()),
    )


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(different rows in the order in which they come first, for each row its place among them)."""
    places: dict[bytes, int] = {}
    # Minus zero equals zero but has other bits.
    found = np.array([places.setdefault((row + 0.0).tobytes(), len(places)) for row in rows])
    _, first = np.unique(found, return_index=True)
    return rows[first], found
