"""What an estimator's manifold, and its samples, tell of near ones."""

from typing import Any

import numpy as np
from jaxtyping import Int

from latax._errors import DataError
from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.nearness import AbstractNearness
from latax.estimators.paired_nearness import Paired
from latax.estimators.positioned_nearness import Positioned
from latax.estimators.positions import positions_of
from latax.estimators.rendered_nearness import Rendered


def find_nearness(
    estimator: Any, samples: Samples, rows: tuple[Int[np.ndarray, " T"], Int[np.ndarray, " V"]]
) -> AbstractNearness:
    """What the estimator's manifold, and its samples, tell of near ones; `rows`: (training, held-out) of them.

    Raises `DataError` where the samples do not come with what this needs.
    """
    found = estimator._manifold
    if isinstance(found, RenderedManifold):
        _require_images(samples, found)
        return Rendered(found, estimator._law(found.manifold), estimator.scaling_.loc)
    x = estimator.scaling_.centre(np.asarray(samples.X[:]))
    if found is not None:
        positions = positions_of(samples, found)
        return Positioned(found, positions, x, *rows, estimator.seed, estimator.nearest, estimator.farthest)
    if samples.pairs is None or not len(samples.pairs):
        raise DataError(
            f"manifold='{estimator.manifold}' learns from pairs, and these samples have none. Make samples with "
            "latax.data.from_triples, or give Samples(..., pairs=latax.data.Pairs(...))."
        )
    return Paired(samples.pairs, x, *rows, estimator.seed)


def _require_images(samples: Samples, rendered: RenderedManifold) -> None:
    wanted, found = rendered.image_shape, samples.sample_shape
    if samples.pairs is not None:
        raise DataError(
            f"These samples come with pairs, and '{rendered.name}' renders its own. Give manifold='pairs' to learn "
            "from these."
        )
    if found != wanted and (*found, 1) != wanted:
        raise DataError(
            f"Each sample has shape {found}, and '{rendered.name}' renders images of {wanted}. Give images "
            "of that shape (`latax data make` has those of the built-in ones), or the manifold that they show. For "
            "a table, or images that nothing renders, give what is known of them: positions, manifold='circle' with "
            "read(path, position='angle') for instance (on the command line --manifold circle --position angle), or "
            "pairs, manifold='pairs' with latax.data.from_triples."
        )
