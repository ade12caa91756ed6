"""What a report shows of an embedding."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.base import AbstractEstimator
from latax.estimators.embedding_assessment import EmbeddingAssessment
from latax.estimators.low_bending import LowBendingAutoencoder
from latax.estimators.reconstruction import ReconstructionAssessment
from latax.evaluate.embedding import principal_dimension
from latax.geometry import pair_at
from latax.report import figures
from latax.report.content import Figure

_STOPS = 9
_BESIDE = 1000
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


def reconstruction_figures(
    found: ReconstructionAssessment, estimator: AbstractEstimator, held_out: Samples
) -> list[Figure]:
    """Reconstructions beside data, the shape of the latent points, and errors beside those of PCA."""
    shown = held_out.take(np.arange(min(len(held_out), _BESIDE)))
    latent = np.asarray(estimator.transform(held_out), np.float64)
    lines = {} if found.pca_error is None else {"PCA": found.pca_error}
    data, made = (np.asarray(x, np.float64).reshape(len(shown), -1) for x in (shown.X, estimator.project(shown)))
    return [
        figures.samples_figure(
            data, made, sample_shape=shown.sample_shape, labels=("data", "rebuilt"), title="Reconstructions beside data"
        ),
        figures.shape_figure(latent, dimension=principal_dimension(latent)),
        figures.error_figure({"held out": found.errors}, lines=lines),
    ]


def _path(estimator: LowBendingAutoencoder, rendered: RenderedManifold) -> Figure:
    manifold = rendered.manifold
    pair = jax.jit(lambda key: pair_at(manifold, jnp.asarray(_PATH * manifold.reach), key))(jr.key(3))
    v = manifold.log(pair.x, pair.y)
    times = jnp.linspace(0, 1, _STOPS)
    draw = jax.jit(jax.vmap(lambda t: rendered.render(manifold.exp(pair.x, t * v)).ravel()))
    true = np.asarray(draw(times), np.float64)
    line = estimator.interpolate(true[0], true[-1], steps=_STOPS).reshape(_STOPS, -1)
    return figures.path_figure(true, line, estimator.sample_shape_)
