"""What the released training asks for, on flows whose terms are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.special

from latax.models.latent_space import LatentSpace, StandardNormal
from latax.models.potential_flow import potential_flow
from latax.models.reference_potential_flow import ReferenceTraversalObjective
from latax.potential import Wave, straight

W = np.random.default_rng(0).normal(size=(5, 3))
DIRECTIONS = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 2)))[0].T
SPEED = 0.4 * np.sqrt(3)


@pytest.fixture
def model(x64):
    space = LatentSpace(3, StandardNormal(3), lambda z: jnp.asarray(W, z.dtype) @ z)
    made = potential_flow(space, 2, pde=Wave(), hidden=(4,), shape=(5,), key=jr.key(0))
    where = lambda m: (m.potentials, m.loc, m.scale)
    return eqx.tree_at(where, made, (straight(jnp.asarray(DIRECTIONS), 0.4), jnp.zeros(3), jnp.ones(())))


def test_the_terms_of_straight_flows_are_known(model):
    """One path and one pair of adjacent times for the whole batch, whatever the batch says."""
    z = jr.normal(jr.key(1), (6, 3))
    objective = eqx.filter_jit(ReferenceTraversalObjective(steps=4))
    found = [objective(model, {"z": z}, jr.key(seed)) for seed in range(8)]
    possible = np.empty((2, 3))
    for k in range(2):
        for first in (1, 2, 3):
            at = lambda i, k=k: np.asarray(z) + i / 4 * SPEED * DIRECTIONS[k]
            logits = jax.vmap(model.classifier)(jnp.asarray(at(first) @ W.T), jnp.asarray(at(first + 1) @ W.T))
            possible[k, first - 1] = -scipy.special.log_softmax(np.asarray(logits), axis=1)[:, k].mean()
    seen = {int(np.abs(possible - float(terms["distinct"])).argmin()) for terms in found}
    assert min(np.abs(possible - float(terms["distinct"])).min() for terms in found) < 1e-9
    assert len(seen) > 3
    guidance = -np.mean((SPEED / 4 * W @ DIRECTIONS.T) ** 2, axis=0)
    for terms in found:
        assert float(terms["equation"]) == pytest.approx(0, abs=1e-20)
        assert float(terms["initial"]) == pytest.approx((SPEED / 4) ** 2 / 3)
        assert np.abs(guidance - float(terms["guidance"])).min() < 1e-12


def test_terms_are_those_of_unit_steps(model):
    """As released: z + ∇u(z, τ), and derivatives by τ = 0, 1, ..., of which a path of ours takes 4 in the time 1."""
    made = potential_flow(model.space, 2, pde=Wave(1.3), hidden=(6,), shape=(5,), key=jr.key(3))
    start = jr.normal(jr.key(1), (3, 3))
    found = ReferenceTraversalObjective(steps=4)(made, {"z": start}, jr.key(0))
    possible = []
    for k in jnp.arange(2):
        u = lambda z, step, k=k: made.potentials.at(k)(z, step / 4) / 4
        z, residuals = start, []
        for step in range(4):
            at = jnp.asarray(float(step))
            curvature = sum(jax.hessian(u, 1)(row, at) for row in z)
            rows = jnp.stack([jax.hessian(u)(row, at).sum(axis=1) for row in z])
            residuals.append(jnp.mean((curvature - 1.3**2 * rows) ** 2))
            z = z + jnp.stack([jax.grad(u)(row, at) for row in z])
        slope = jnp.stack([jax.grad(u)(row, jnp.zeros(())) for row in start])
        possible.append([float(np.mean(residuals)), float(jnp.mean(slope**2))])
    terms = [float(found["equation"]), float(found["initial"])]
    assert min(np.abs(np.array(possible) / terms - 1).max(axis=1)) < 1e-9


def test_its_residual_grows_with_the_batch(model):
    """Time derivatives of the whole batch are added up, as released."""
    start = potential_flow(model.space, 2, pde=Wave(0.0), hidden=(6,), shape=(5,), key=jr.key(3))
    z = jnp.tile(jr.normal(jr.key(1), (1, 3)), (8, 1))
    objective = eqx.filter_jit(ReferenceTraversalObjective(steps=4))
    one, eight = (float(objective(start, {"z": rows}, jr.key(0))["equation"]) for rows in (z[:1], z))
    assert eight == pytest.approx(64 * one, rel=1e-6)
