import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.models.ambient_flow import AmbientFlow, ambient_flow, ambient_nll
from tests.density.randomised import randomised

KEY = jax.random.key(0)


def model(size=2, **options):
    new = ambient_flow(size, layers=2, width_size=4, blocks=0, bins=3, key=KEY, **options)
    flow = eqx.tree_at(lambda m: m.distribution, new, randomised(new.distribution))
    return eqx.tree_at(lambda m: (m.loc, m.scale), flow, (jnp.full(size, 3.0), jnp.linspace(0.5, 2, size)))


@pytest.mark.parametrize("size", [1, 3])
def test_density_is_that_of_autodiff_in_data_units(size, x64):
    flow = model(size)
    x = jnp.linspace(2, 4, size)

    @eqx.filter_jit
    def compute(flow, x):
        z = flow.encode(x)
        return flow.log_prob(x), z, flow.decode(z), jax.jacfwd(flow.decode)(z), flow.base(flow.sample(KEY))

    result, z, back, jacobian, base = compute(flow, x)
    expected = -0.5 * jnp.sum(z**2) - 0.5 * size * jnp.log(2 * jnp.pi) - jnp.linalg.slogdet(jacobian)[1]
    np.testing.assert_allclose(result.log_prob, expected, atol=1e-10)
    np.testing.assert_allclose(result.latent, z, atol=1e-14)
    np.testing.assert_allclose(back, x, atol=1e-9)
    np.testing.assert_allclose(base, flow.distribution.base_dist.sample(KEY), atol=1e-8)


def test_density_integrates_to_one(x64):
    grid = jnp.linspace(-10, 16, 8001)
    density = jnp.exp(eqx.filter_jit(eqx.filter_vmap(model(1).log_prob))(grid[:, None]).log_prob)
    np.testing.assert_allclose(jnp.trapezoid(density, grid), 1, atol=1e-4)
    assert jnp.max(density) > 0.3


def test_objective_is_the_mean_negative_log_density():
    flow = model(context_size=1)
    batch = {"x": 3 + jax.random.normal(KEY, (5, 2)), "context": jax.random.uniform(KEY, (5, 1))}
    log_prob, objective = eqx.filter_jit(flow.log_prob), eqx.filter_jit(ambient_nll)
    one_by_one = [log_prob(x, c).log_prob for x, c in zip(batch["x"], batch["context"], strict=True)]
    terms = objective(flow, batch, KEY)
    np.testing.assert_allclose(terms["ambient_nll"], -np.mean(one_by_one), rtol=1e-5)
    moved = objective(flow, batch | {"context": 1 - batch["context"]}, KEY)
    assert not np.isclose(moved["ambient_nll"], terms["ambient_nll"])


def test_refuses_a_scaling_of_another_size():
    flow = model()
    with pytest.raises(ConfigError, match=r"one entry per data coordinate, shape \(2,\)"):
        AmbientFlow(flow.distribution, jnp.zeros(3), jnp.ones(3))
