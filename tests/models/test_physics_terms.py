"""The terms of the physics-integrated VAE's objective: bounds, the reach of every gradient, and the batch.

On a physics that has a bit of everything: three states of which two are observed and one is corrected, a circular
parameter, irregular times.
"""

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from latax.models.baselines import sequence_vae
from latax.models.physics_objective import (
    PhysicsObjective,
    Regularisers,
    augmentation,
    reconstruction_error,
    sequences,
    start,
)
from latax.models.physics_vae import Latents, physics_vae
from latax.nn import MLP
from latax.nn.gaussian import LOG_VARIANCE
from latax.nn.linear import Linear
from latax.physics import ODE, Parameter
from tests.density.randomised import randomised

KEY = jax.random.key(0)
TIMES = np.array([0.0, 0.1, 0.3, 0.35, 0.8])
NONE = Regularisers(*[0] * len(Regularisers._fields))
ONLY_PPC = NONE._replace(ppc=1.0)


def rates(t, y, p):
    force = -p.stiffness * y.place + jnp.cos(3 * t + p.phase)
    return y.velocity, force, y.velocity**2 - y.heat


def physics():
    parameters = [Parameter("stiffness", 1.0, 9.0), Parameter("phase", 0.0, 2 * math.pi, circular=True)]
    states = ["place", "velocity", "heat"]
    return ODE(rates, parameters, states, observed=["heat", "place"], corrected=["velocity"], rest={"velocity": 0.5})


def batch(rows=6):
    return {"x": 0.5 * jax.random.normal(jax.random.key(1), (rows, 10)) + 0.3}


@functools.cache
def model():
    fresh = physics_vae(physics(), TIMES, width_size=4, inside_width=3, key=KEY)
    fresh = eqx.filter_jit(start)(fresh, batch())
    parts = lambda m: (m.encoder, m.inside, m.outside)
    return eqx.tree_at(parts, fresh, [randomised(p, scale=0.3, seed=i) for i, p in enumerate(parts(fresh))])


def paths(tree):
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


@functools.cache
def gradients():
    """Which leaves each term moves: one compilation for all tests."""
    arrays, static = eqx.partition(model(), eqx.is_inexact_array)
    every = Regularisers(*[1.0] * len(Regularisers._fields))
    objective = lambda a: PhysicsObjective(every)(eqx.combine(a, static), batch(), KEY)
    found = jax.jit(jax.jacrev(objective))(arrays)
    learned = ("encoder", "inside", "outside", "log_noise")
    return {term: {p: g for p, g in paths(tree).items() if p[1:].startswith(learned)} for term, tree in found.items()}


ENCODER = (".encoder",)
CORRECTIONS = (".inside", ".outside")
REACH = {
    "reconstruction": (*ENCODER, *CORRECTIONS, ".log_noise"),
    "kl": ENCODER,
    "ppc": (*ENCODER, *CORRECTIONS),
    "effort": (*ENCODER, *CORRECTIONS),
    "cleansing": (".encoder.features", ".encoder.auxiliary", ".encoder.cleanser"),
    "augmentation": (".encoder.physics_features", ".encoder.physics."),
    "matching": ENCODER,
    "simulation": ENCODER,
}


def test_every_term_has_a_reach():
    assert set(gradients()) == set(REACH)


@pytest.mark.parametrize("term", REACH)
def test_a_term_moves_every_leaf_within_its_reach_and_none_beyond(term):
    moved = {path for path, slope in gradients()[term].items() if float(jnp.abs(slope).max()) > 0}
    assert moved == {path for path in gradients()[term] if path.startswith(REACH[term])}


def test_augmentation_says_nothing_about_the_width_of_the_posterior():
    path = ".encoder.physics.net.layers[2].bias"
    width = lambda term: float(jnp.abs(gradients()[term][path][3:]).max())
    assert width("augmentation") == 0
    assert width("simulation") > 0


def test_augmentation_is_the_mean_over_simulations_one_by_one():
    # Catches sequences that are mixed up with times, and angles compared the long way round.
    m = model()
    x = sequences(m, batch())
    initial = jax.vmap(m.physics.initial_state)(x[:, 0])
    np.testing.assert_allclose(initial[:, 1], 0.5)
    errors = []
    for v, y0 in zip(jax.random.normal(KEY, (len(x), 3), m.scale.dtype), initial, strict=True):
        truth = m.parameters(v)
        made = (m.physics.simulate(truth, y0, TIMES) - m.loc[None]) / m.scale[None]
        found = m.parameters(m.encoder.known(made.ravel()).mean)
        turn = abs(float(found.phase - truth.phase))
        phase = min(turn, 2 * math.pi - turn) / (2 * math.pi / math.sqrt(12))
        stiffness = float(found.stiffness - truth.stiffness) / (8 / math.sqrt(12))
        errors.append((phase**2 + stiffness**2) / 2)
    assert float(augmentation(m, initial, KEY)) == pytest.approx(np.mean(errors), rel=1e-4)


def test_sequences_do_not_know_each_other():
    m, x = model(), batch()["x"]
    order = jnp.array([3, 1, 0, 2, 5, 4])
    one_by_one = jnp.concatenate([reconstruction_error(m, {"x": row[None]}) for row in x])
    np.testing.assert_allclose(reconstruction_error(m, {"x": x}), one_by_one, rtol=1e-4)
    np.testing.assert_allclose(reconstruction_error(m, {"x": x[order]}), one_by_one[order], rtol=1e-4)


def test_the_same_key_gives_the_same_terms_and_another_others():
    objective = eqx.filter_jit(PhysicsObjective(ONLY_PPC))
    first, again = objective(model(), batch(), KEY), objective(model(), batch(), KEY)
    other = objective(model(), batch(), jax.random.key(5))
    for name in first:
        assert float(first[name]) == float(again[name])
    assert float(first["reconstruction"]) != float(other["reconstruction"])


def test_a_discrepancy_that_counts_alone_silences_the_corrections():
    # Spec, test 17: with frozen encoders and an infinite weight of R_PPC, both corrections go to zero.
    arrays, static = eqx.partition(model(), eqx.is_inexact_array)
    optimizer = optax.adam(1e-2)
    chosen = lambda tree: (tree.inside, tree.outside)

    def size(m):
        x = sequences(m, batch())
        ladder = jax.vmap(lambda x: m.ladder(m.encode(x)))(x)
        inside, outside = ladder.with_inside - ladder.physics, ladder.with_outside - ladder.physics
        return [float(jnp.sqrt(jnp.mean(a**2))) for a in (inside, outside)]

    def loss(parts, key):
        m = eqx.combine(eqx.tree_at(chosen, arrays, parts), static)
        return PhysicsObjective(ONLY_PPC, "fixed")(m, batch(), key)["ppc"]

    @jax.jit
    def trained(parts):
        def step(i, carry):
            parts, state = carry
            updates, state = optimizer.update(jax.grad(loss)(parts, jax.random.fold_in(KEY, i)), state)
            return optax.apply_updates(parts, updates), state

        return jax.lax.fori_loop(0, 400, step, (parts, optimizer.init(parts)))[0]

    with jax.numpy_dtype_promotion("standard"):  # Optax: see conftest.
        parts = trained(chosen(arrays))
    before, after = size(model()), size(eqx.combine(eqx.tree_at(chosen, arrays, parts), static))
    assert min(before) > 0.01
    assert all(a < 0.1 * b for a, b in zip(after, before, strict=True))


# ---- the bound: x | z ~ N(w z, s²) at T times, reduced N(0, s²), q(z | x) = N(m, r²), prior N(0, 1)


def toy(w, m, r, noise):
    """A sequence VAE with this decoder and posterior, whatever the sequence."""
    vae = sequence_vae(np.array([0.0, 1.0]), latent_size=1, width_size=2, noise=1.0, key=KEY)
    low, high = LOG_VARIANCE
    middle, half = (low + high) / 2, (high - low) / 2
    raw = middle + half * jnp.arctanh((2 * jnp.log(r) - middle) / half)
    head = vae.encoder.auxiliary.net.layers[-1]
    said = Linear(jnp.zeros_like(head.weight), jnp.stack([m, raw]))
    terms = 2 * vae.outside.frequencies.size + 2
    constant = MLP(1, terms, (), key=KEY)
    line = Linear(jnp.zeros((terms, 1)).at[-2, 0].set(w), jnp.zeros(terms))
    constant = eqx.tree_at(lambda net: net.layers[0], constant, line)
    parts = lambda v: (v.encoder.auxiliary.net.layers[-1], v.outside.net, v.log_noise)
    return eqx.tree_at(parts, vae, (said, constant, jnp.log(noise)))


@eqx.filter_jit
def discrepancy(w, m, r, noise):
    """Our R_PPC, by many draws."""
    terms = PhysicsObjective(ONLY_PPC, "fixed")(toy(w, m, r, noise), {"x": jnp.zeros((20_000, 2))}, KEY)
    return terms["ppc"], terms["kl"]


def exact(w, m, r, noise):
    """KL of the posterior predictives, and what the bound has to be."""
    spread, shift = 2 * (w * r / noise) ** 2, 2 * (w * m / noise) ** 2
    kl = 0.5 * (m**2 + r**2 - 1 - 2 * math.log(r))
    return 0.5 * (spread - math.log1p(spread) + shift), 0.5 * (spread + shift) + kl, kl


def test_the_discrepancy_is_the_bound_and_never_below_the_truth(x64):
    rng = np.random.default_rng(0)
    draws = np.stack([rng.normal(0, 2, 40), rng.normal(0, 1.5, 40), rng.uniform(0.05, 1.5, 40)], 1)
    for w, m, r, noise in [*np.c_[draws, rng.uniform(0.3, 2, 40)], (1.0, 0.5, 0.6, 1.0)]:
        found, kl = map(float, discrepancy(*map(jnp.asarray, (w, m, r, noise))))
        truth, wanted, wanted_kl = exact(w, m, r, noise)
        assert kl == pytest.approx(wanted_kl, abs=1e-9)
        assert found == pytest.approx(wanted, rel=0.05)
        assert found >= truth


def test_the_bound_is_tight_only_where_there_is_nothing(x64):
    nothing = [jnp.asarray(value) for value in (0.0, 0.0, 1.0, 1.0)]
    assert float(discrepancy(*nothing)[0]) == pytest.approx(0.0, abs=1e-12)
    # The control: half of it, the released factor of the KL, would be none.
    truth, wanted, _ = exact(1.0, 2.0, 1.0, 0.5)
    assert truth > 0.5 * wanted


def test_the_toy_is_what_it_says(x64):
    vae = toy(*map(jnp.asarray, (0.7, 0.2, 0.4, 0.3)))
    found = vae.posterior(jnp.ones((2, 1))).auxiliary
    assert (float(found.mean[0]), float(found.std[0])) == pytest.approx((0.2, 0.4), abs=1e-9)
    latents = Latents(jnp.zeros(0), jnp.zeros(0), jnp.ones(1), jnp.zeros(0))
    np.testing.assert_allclose(vae.decode(latents)[:, 0], [0.7, 0.7], atol=1e-9)
