"""The metric of a decoder: geometry and density read the same volume from it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.calculus import gram
from latax.density import embed_and_log_volume
from latax.density import log_volume as density_log_volume
from latax.geometry import log_volume, pullback_metric
from latax.linear_algebra import log_det
from latax.nn.mlp import MLP


@pytest.fixture(scope="module")
def decoded():
    """The volumes and the metric of a decoder from 3 to 40 numbers, at ten points."""
    with jax.enable_x64(True):
        decoder = MLP(3, 40, (20, 20), activation=jnp.tanh, key=jax.random.key(0))

        @jax.jit
        @jax.vmap
        def compute(z):
            return {
                "geometry": log_volume(decoder, z),
                "density": density_log_volume(decoder, z),
                "with the image": embed_and_log_volume(decoder, z)[1],
                "metric": pullback_metric(decoder, z),
                "gram": gram(decoder, z),
                "of the metric": log_det(pullback_metric(decoder, z)) / 2,
                "slope": jax.grad(lambda z: log_volume(decoder, z))(z),
                "density slope": jax.grad(lambda z: density_log_volume(decoder, z))(z),
            }

        return jax.tree.map(np.asarray, compute(jax.random.normal(jax.random.key(1), (10, 3))))


def test_geometry_and_density_agree_on_the_volume(decoded):
    assert decoded["geometry"].dtype == np.float64
    for other in ("density", "with the image", "of the metric"):
        np.testing.assert_allclose(decoded["geometry"], decoded[other], atol=1e-12, rtol=0)
    np.testing.assert_allclose(decoded["slope"], decoded["density slope"], atol=1e-12, rtol=0)
    np.testing.assert_allclose(decoded["metric"], decoded["gram"], atol=1e-12, rtol=0)


def test_the_volume_is_not_that_of_the_metric_without_the_root(decoded):
    assert (np.abs(np.linalg.slogdet(decoded["metric"])[1] - decoded["geometry"]) > 0.1).all()
