"""Images of the points of a manifold that is known exactly: what a learned embedding can be held against.

A `RenderedManifold` joins a manifold of `latax.geometry`, whose distances and midpoints are exact, to a function that
draws one of its points. The geometry is that of the manifold and not that of the pixels: the distance of two images is
`manifold.distance` of their points. The renderers that come with it are in `latax.data.renderers`; one's own is any
function in JAX:

    blob = RenderedManifold(FlatTorus(2 * math.pi), draw, "blob", (32, 32, 1))
    blob.samples(1000, seed=0)
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from latax._errors import ConfigError, DataError
from latax.data.samples import Samples, default_names
from latax.geometry import AbstractManifold, pair_at

Point = Float[Array, "..."]
Image = Float[Array, "height width channels"]

_AT_ONCE = 64  # images drawn together: beyond, intermediate arrays of some renderers fill the memory
_ROUNDING = 1e-6


class RenderedManifold(eqx.Module):
    """A manifold and a picture of each of its points.

    **Arguments:**

    - `manifold`: where the points are; its distances are those of the images.
    - `render`: one point -> one image (H, W, C) with values from 0 to 1, in the floating type of the point. It has to
      be pure, and differentiable in JAX for `jax.jvp` to give the velocity of the image. Two properties make it an
      embedding, which nobody can check for you in full: different points have different images, and every small step
      changes the image. Draw edges soft: a hard one, or whole grey levels, make differences of near images arbitrary.
    - `name`: of the set, for people.
    - `image_shape`: (H, W, C).

    Raises `ConfigError` where `render` of one point does not give a floating-point image of this shape, or works in
    only one of single and double precision.
    """

    manifold: AbstractManifold
    render: Callable[[Point], Image]
    name: str = eqx.field(static=True)
    image_shape: tuple[int, int, int] = eqx.field(static=True)

    def __check_init__(self):
        point = jax.ShapeDtypeStruct(self.manifold.point_shape, jnp.float32)
        image = self._traced(point)
        with jax.enable_x64(True):  # as `samples` draws
            self._traced(jax.ShapeDtypeStruct(self.manifold.point_shape, jnp.float64))
        if image.shape != self.image_shape or not jnp.issubdtype(image.dtype, jnp.floating):
            raise ConfigError(
                f"RenderedManifold '{self.name}': render gives {image.dtype} {image.shape} for a point of shape "
                f"{point.shape}. Expected floating-point numbers of shape (height, width, channels) = "
                f"{self.image_shape}; grey images have one channel, image[..., None]."
            )

    def _traced(self, point: jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
        try:
            return jax.eval_shape(self.render, point)
        except (TypeError, ValueError) as error:  # JAX has both for types that do not go together
            if "float32" not in str(error) or "float64" not in str(error):
                raise
            raise self._mixed(error) from error

    def _mixed(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"RenderedManifold '{self.name}': render mixes single and double precision, as it does with constants of "
            "one of them, and with arrays of NumPy, which JAX keeps as it saw them first "
            f"({str(error).splitlines()[0].rstrip('.')}). Give every constant in it the type of the point: "
            "jnp.asarray(constant, point.dtype)."
        )

    def halfway(
        self, distance: Float[Array, ""], key: PRNGKeyArray
    ) -> tuple[Bool[Array, ""], tuple[Float[Array, " d"], Float[Array, " d"], Float[Array, " d"]]]:
        """Flat images of two random points at this distance and of the point halfway between them, in the middle.

        First comes whether there are two points so far apart: see `latax.geometry.pair_at`.
        """
        pair = pair_at(self.manifold, distance, key)
        start, middle, end = (self.render(point).ravel() for point in (pair.x, pair.midpoint, pair.y))
        return jnp.isfinite(pair.distance), (start, middle, end)

    def samples(self, n: int, seed: int = 0) -> Samples:
        """`n` images of points drawn uniformly with respect to the manifold's volume.

        `X` (n, H·W·C) is float32, with `sample_shape` (H, W, C); `truth["position"]` (n, *point_shape) is float64, so
        that distances and midpoints of the points lose nothing. Computed in float64 whatever JAX is set to. The same
        seed and n give the same bits; with another n the rows that both have show the same points, up to rounding.

        Raises `ConfigError` for n < 1, a seed below 0, and a renderer with constants in one precision, `DataError`
        where an image is not finite or not in [0, 1].
        """
        if n < 1 or seed < 0:
            raise ConfigError(f"n = {n}, seed = {seed}: expected at least one image and a seed of 0 or above.")
        with jax.enable_x64(True):
            try:
                positions, images = _draw(self, jr.key(seed), jnp.arange(n, dtype=jnp.uint32))
            except ValueError as error:
                if "Cannot lower jaxpr" not in str(error):
                    raise
                raise self._mixed(error) from error
        images = np.asarray(images)
        self._check(images)
        return Samples(
            images.astype(np.float32).clip(0, 1).reshape(n, -1),
            feature_names=default_names(self.image_shape, "pixel"),
            sample_shape=self.image_shape,
            origin=f"rendered {self.name}: images of {' '.join(repr(self.manifold).split())}, seed {seed}",
            truth={"position": np.asarray(positions)},
        )

    def _check(self, images: Float[np.ndarray, "N H W C"]) -> None:
        good = np.isfinite(images) & (images >= -_ROUNDING) & (images <= 1 + _ROUNDING)
        if not good.all():
            row, *pixel = (int(i) for i in np.argwhere(~good)[0])
            raise DataError(
                f"image {row} (the first is 0) of '{self.name}' has the value {images[row, *pixel]:g} at pixel "
                f"{tuple(pixel)}. A renderer has to give finite numbers from 0 to 1: divide by the largest value, and "
                "look for a quotient of zeros where they are not finite."
            )


@eqx.filter_jit
def _draw(rendered: RenderedManifold, key: PRNGKeyArray, rows: Array) -> tuple[Array, Array]:
    def one(row: Array) -> tuple[Array, Array]:
        # A key for each row and not one split into n: then n does not change the points.
        position = rendered.manifold.sample(jr.fold_in(key, row))
        return position, rendered.render(position)

    return jax.lax.map(one, rows, batch_size=_AT_ONCE)
