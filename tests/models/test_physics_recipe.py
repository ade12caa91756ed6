"""What the recipe of the physics-integrated VAE trains, and what it leaves alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.models.physics_objective import Regularisers
from latax.models.physics_vae import physics_vae
from latax.models.recipes import Budget, physics_integrated
from latax.physics import pendulum

TIMES = np.linspace(0, 1.2, 7)


def model_and_phase(**options):
    model = physics_vae(pendulum(), TIMES, width_size=4, inside_width=3, key=jax.random.key(0), **options)
    [phase] = physics_integrated(
        Budget(2, 4, 1e-2, 1e-2, 1.0), Regularisers(ppc=0, cleansing=0, augmentation=0), "fixed", 7
    )
    return model, phase


@pytest.mark.parametrize("sizes", [(1, 2), (None, 2), (1, None)])
def test_units_and_physics_are_not_trained(sizes):
    inside, outside = sizes
    model, phase = model_and_phase(inside_size=inside, outside_size=outside)
    trained = phase.filter_spec(model)
    assert not any((trained.loc, trained.scale, trained.state_scale, trained.rate_scale))
    assert not any(jax.tree.leaves(trained.physics))
    # The control: what is to be learned is.
    learned, noise = (model.encoder, model.inside, model.outside), trained.log_noise
    wanted = jax.tree.map(eqx.is_inexact_array, learned)
    assert jax.tree.leaves((trained.encoder, trained.inside, trained.outside)) == jax.tree.leaves(wanted)
    assert noise


def test_a_trained_scale_would_move_a_fixed_noise():
    # Why it is frozen: the likelihood has a slope in the scale, none in the logarithm of a fixed noise.
    model, phase = model_and_phase()
    batch = {"x": 0.5 * jax.random.normal(jax.random.key(1), (6, 7))}
    model = phase.begin(model, batch)

    @eqx.filter_jit
    @eqx.filter_grad
    def slope(model):
        return phase.objective(model, batch, jax.random.key(2))["reconstruction"]

    found = slope(model)
    assert float(jnp.abs(found.scale[0])) > 1
    assert float(found.log_noise) == 0


def test_the_weight_of_the_effort_falls_geometrically():
    regularisers = Regularisers(effort=20.0)
    [phase] = physics_integrated(Budget(100, 4, 1e-2, 1e-2, 1.0), regularisers, "fixed", 7, final_effort=0.2)
    weight = phase.weights["effort"]
    np.testing.assert_allclose([7 * weight(step) for step in (0, 50, 100)], [20, 2, 0.2], rtol=1e-5)
    [phase] = physics_integrated(Budget(100, 4, 1e-2, 1e-2, 1.0), regularisers, "fixed", 7)
    assert phase.weights["effort"] == 20 / 7
