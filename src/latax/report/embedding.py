"""What a report shows of an embedding of a rendered manifold."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from latax.data import Samples
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
    latent = np.linalg.norm(looked.latent - looked.far_latent, axis=1)
    shown = [
        figures.shape_figure(looked.latent, dimension=found.dimension),
        figures.lengths_figure(looked.stretch, latent, looked.far_distance),
    ]
    if found.interpolation is not None:
        shown += [figures.interpolation_figure(*found.interpolation), _path(estimator)]
    return shown


def _path(estimator: LowBendingAutoencoder) -> Figure:
    rendered, start, direction = estimator._rendered, *jr.split(jr.key(3))
    manifold = rendered.manifold
    x = manifold.sample(start)
    v = _PATH * manifold.injectivity_radius * manifold.direction(x, direction)
    times = jnp.linspace(0, 1, _STOPS)
    draw = jax.jit(jax.vmap(lambda t: rendered.render(manifold.exp(x, t * v)).ravel()))
    true = np.asarray(draw(times), np.float64)
    line = estimator.interpolate(true[0], true[-1], steps=_STOPS).reshape(_STOPS, -1)
    return figures.path_figure(true, line, estimator.sample_shape_)
