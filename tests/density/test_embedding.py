import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import Flip

from latax._errors import ConfigError
from latax.density import AffineOutput, FlowEmbedding, spline_coupling_flow
from latax.density.embedding import standardised
from tests.density.randomised import randomised

SMALL = {"layers": 2, "width_size": 4, "blocks": 0, "bins": 3}
LOC, SCALE = (5.0, -1.0, 0.0), (2.0, 0.1, 30.0)


def embedding(latent_size, context_size=None):
    flow = spline_coupling_flow(3, context_size=context_size, key=jax.random.key(0), **SMALL)
    inner = FlowEmbedding(randomised(flow, seed=1), latent_size)
    return AffineOutput(inner, jnp.array(LOC), jnp.array(SCALE))


@pytest.mark.parametrize("latent_size", [1, 2, 3])
def test_projection_of_an_embedded_point_is_its_latent_point(latent_size, x64):
    g = embedding(latent_size)
    u = jnp.linspace(-1, 1, latent_size)
    back, v = g.project(g.embed(u))
    np.testing.assert_allclose(back, u, atol=1e-9)
    np.testing.assert_allclose(v, jnp.zeros(3 - latent_size), atol=1e-9)
    assert (g.in_size, g.out_size, g.context_size) == (latent_size, 3, None)


def test_output_scaling_is_elementwise_and_can_be_taken_off(x64):
    g = embedding(2)
    u = jnp.array([0.4, -0.2])
    np.testing.assert_allclose(g.embed(u), jnp.array(LOC) + jnp.array(SCALE) * g.embedding.embed(u), atol=1e-14)
    inner, x = standardised(AffineOutput(g, jnp.ones(3), jnp.full(3, 2.0)), 1 + 2 * g.embed(u))
    assert inner is g.embedding
    np.testing.assert_allclose(x, inner.embed(u), atol=1e-13)


def test_context_moves_the_manifold_where_it_is_declared(x64):
    g = embedding(2, context_size=1)
    u = jnp.array([0.4, -0.2])
    assert g.context_size == 1
    assert float(jnp.abs(g.embed(u, jnp.zeros(1)) - g.embed(u, jnp.ones(1))).max()) > 1e-3


@pytest.mark.parametrize("latent_size", [0, 4])
def test_refuses_impossible_latent_sizes(latent_size):
    with pytest.raises(ConfigError, match=f"Cannot embed {latent_size} latent coordinates"):
        FlowEmbedding(Flip((3,)), latent_size)


def test_refuses_a_scaling_of_another_size():
    with pytest.raises(ConfigError, match=r"one entry per data coordinate, shape \(3,\)"):
        AffineOutput(FlowEmbedding(Flip((3,)), 2), jnp.zeros(2), jnp.ones(2))
