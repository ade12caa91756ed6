"""The encoder of the physics-integrated VAE: what the physics does not know, the cleansing, and the parameters."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn import MLP, DiagonalGaussian, GaussianHead, ImageChange, ImageFeatures


class Encoder(eqx.Module):
    """q(z_A | x), the cleansing, q(v | cleansed) and q(initial | x), for flat standardised samples."""

    features: MLP | ImageFeatures | None
    auxiliary: GaussianHead | None
    cleanser: MLP | ImageChange | None
    physics_features: MLP | ImageFeatures | None
    physics: GaussianHead | None
    initial: GaussianHead | None

    def __init__(
        self,
        size: int,
        physics: int,
        auxiliary: int,
        initial: int,
        *,
        width_size: int,
        image: tuple[int, int, int] | None = None,
        key: PRNGKeyArray,
    ):
        """`size`: numbers in a sample; `physics`, `auxiliary`, `initial`: coordinates of each; `image`: the shape of
        samples that are to be seen by convolutions."""
        keys = jr.split(key, 6)
        wide, hidden = 2 * width_size, (width_size, width_size)

        def features(key: PRNGKeyArray) -> MLP | ImageFeatures:
            return MLP(size, wide, hidden, key=key) if image is None else ImageFeatures(image, wide, key=key)

        def cleanser(key: PRNGKeyArray) -> MLP | ImageChange:
            if image is not None:
                return ImageChange(image, auxiliary, key=key)
            return MLP(size + auxiliary, size, hidden, silent=True, key=key)

        self.features = features(keys[0]) if auxiliary or initial else None
        self.auxiliary = GaussianHead(wide, auxiliary, key=keys[1]) if auxiliary else None
        self.cleanser = cleanser(keys[2]) if auxiliary and physics else None
        self.physics_features = features(keys[3]) if physics else None
        self.physics = GaussianHead(wide, physics, (64, 32), key=keys[4]) if physics else None
        self.initial = GaussianHead(wide, initial, key=keys[5]) if initial else None

    def unknown(self, x: Float[Array, " d"]) -> tuple[DiagonalGaussian, DiagonalGaussian]:
        """q(z_A | x) and q(initial | x)."""
        features = _features(self.features, x)
        return _said(self.auxiliary, features), _said(self.initial, features)

    def cleanse(self, x: Float[Array, " d"], auxiliary: Float[Array, " a"]) -> Float[Array, " d"]:
        """What x would be if only the physics acted."""
        return x if self.cleanser is None else x + self.cleanser(jnp.concatenate([x, auxiliary]))

    def known(self, cleansed: Float[Array, " d"]) -> DiagonalGaussian:
        """q(v | cleansed)."""
        return _said(self.physics, _features(self.physics_features, cleansed))


def _features(net: MLP | ImageFeatures | None, x: Float[Array, " d"]) -> Float[Array, " f"]:
    return x if net is None else jax.nn.elu(net(x))


def _said(head: GaussianHead | None, features: Float[Array, " f"]) -> DiagonalGaussian:
    nothing = jnp.zeros(0, features.dtype)
    return DiagonalGaussian(nothing, nothing) if head is None else head(features)
