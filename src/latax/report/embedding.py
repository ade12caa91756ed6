"""What a report shows of an embedding."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.embedding_assessment import EmbeddingAssessment
from latax.estimators.low_bending import LowBendingAutoencoder
from latax.report import figures
from latax.report.content import Figure

_STOPS = 9
#: Length of the path that is shown, as a share of the injectivity radius.
_PATH = 0.45


def embedding_figures(found: EmbeddingAssessment, estimator: LowBendingAutoencoder, held_out: Samples) -> list[Figure]:
    """The embedding, its lengths and, with a decoder, what straight lines decode to."""
    looked = found.looked
    shown = [
        figures.shape_figure(looked.latent, dimension=found.dimension),
        figures.lengths_figure(looked.stretch, looked.far_length, looked.far_distance),
    ]
    if found.interpolation is not None:
        shown.append(figures.interpolation_figure(*found.interpolation))
        if found.rendered is not None:
            shown.append(_path(estimator, found.rendered))
    return shown


def _path(estimator: LowBendingAutoencoder, rendered: RenderedManifold) -> Figure:
    start, direction = jr.split(jr.key(3))
    manifold = rendered.manifold
    x = manifold.sample(start)
    v = _PATH * manifold.injectivity_radius * manifold.direction(x, direction)
    times = jnp.linspace(0, 1, _STOPS)
    draw = jax.jit(jax.vmap(lambda t: rendered.render(manifold.exp(x, t * v)).ravel()))
    true = np.asarray(draw(times), np.float64)
    line = estimator.interpolate(true[0], true[-1], steps=_STOPS).reshape(_STOPS, -1)
    return figures.path_figure(true, line, estimator.sample_shape_)
