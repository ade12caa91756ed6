"""What is near on a rendered manifold: pairs drawn by the law of distances, and rendered."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float

from latax.data.rendered import RenderedManifold
from latax.estimators.halfway import Interpolation, between_rendered
from latax.estimators.nearness import AT_ONCE, AbstractNearness
from latax.geometry import AbstractDistanceLaw, AbstractDistortion, PairSampler, lowest_energy, lowest_is_known
from latax.models.autoencoder import Autoencoder
from latax.models.near_pairs import RenderedPairs
from latax.train import Batch


@dataclass(frozen=True)
class Rendered(AbstractNearness):
    """Fresh pairs, rendered on the way: nothing is learnt twice, and nothing is held out."""

    rendered: RenderedManifold
    law: AbstractDistanceLaw
    loc: Float[np.ndarray, " d"]

    @property
    def length(self) -> float:
        """The manifold's."""
        return self.rendered.manifold.length_scale

    @property
    def reach(self) -> float:
        """The manifold's."""
        return self.rendered.manifold.reach

    def training(self) -> RenderedPairs:
        """Pairs by the law of distances."""
        sampler = PairSampler(self.rendered.manifold, self.law)
        return RenderedPairs(sampler, self.rendered.render, jnp.asarray(self.loc, jnp.float32))

    def judging(self, count: int, seed: int, *, far: int = 0) -> Iterator[Batch]:
        """Pairs by the law of distances, with as many far ones as near ones: each costs an image."""
        pairs = self.training()
        for key in jr.split(jr.key(seed), -(-count // AT_ONCE)):
            yield pairs.draw(key, AT_ONCE)

    def lowest(self, bending_weight: float, distortion: AbstractDistortion, count: int, seed: int) -> float | None:
        """The proven bound for pairs by this law; None without a weight, since it is then zero."""
        manifold = self.rendered.manifold
        if not bending_weight or not lowest_is_known(manifold):
            return None
        return lowest_energy(manifold, bending_weight, law=self.law, distortion=distortion).energy

    def interpolation(self, model: Autoencoder) -> Interpolation | None:
        """Between fresh pairs at a series of distances."""
        return between_rendered(model, self.rendered, self.loc)
