import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.special

from latax import train
from latax._errors import ConfigError
from latax.data.blobs import Blobs
from latax.models.latent_space import LatentSpace, StandardNormal
from latax.models.pair_classifier import PairClassifier
from latax.models.potential_flow import (
    PathLoss,
    PriorDraws,
    TraversalObjective,
    pair_times,
    potential_flow,
)
from latax.models.recipes import Budget
from latax.models.recipes import potential_flow as recipe
from latax.potential import FixedSpeed, LogJVP, NoPDE, Wave, at_rest, free, misalignment, straight

W = np.random.default_rng(0).normal(size=(5, 3))
DIRECTIONS = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 2)))[0].T
BLOBS = LatentSpace(4, StandardNormal(4), Blobs(8))


def linear(z):
    return jnp.asarray(W, z.dtype) @ z


@pytest.fixture(scope="module")
def straight_model():
    """Straight flows in the space of a linear decoder: all terms are known."""
    with jax.enable_x64(True):
        space = LatentSpace(3, StandardNormal(3), linear)
        model = potential_flow(space, 2, pde=Wave(), hidden=(4,), shape=(5,), key=jr.key(0))
        where = lambda m: (m.potentials, m.loc, m.scale)
        return eqx.tree_at(where, model, (straight(jnp.asarray(DIRECTIONS), 0.4), jnp.ones(3), jnp.asarray(2.0)))


def test_the_terms_of_straight_flows_are_known(straight_model, x64):
    model = straight_model
    batch = PriorDraws(model.space, model.loc, model.scale, 2)(jr.key(1), 6)
    speed = 0.4 * np.sqrt(3)
    objective = TraversalObjective(LogJVP(), at_rest, FixedSpeed(0.3))
    terms = eqx.filter_jit(objective)(model, batch, jr.key(2))
    assert float(terms["equation"]) == pytest.approx(0, abs=1e-20)
    assert float(terms["initial"]) == pytest.approx(speed**2 / 3)
    assert float(terms["speed"]) == pytest.approx(0.1**2)
    # The decoder of the model's points is 2 W.
    changes = np.sum((2 * W @ DIRECTIONS.T) ** 2, axis=0)
    assert float(terms["guidance"]) == pytest.approx(-np.mean(np.log(changes)))
    # The classifier by hand: from z to z + t · speed · d, through 1 + 2 z and W.
    t = np.asarray(batch["s"]) * 7 / 8 + 1 / 8
    first = (1 + 2 * np.asarray(batch["z"])) @ W.T
    second = first + 2 * speed * t[:, None] * DIRECTIONS[np.asarray(batch["k"])] @ W.T
    logits = jax.vmap(model.classifier)(jnp.asarray(first), jnp.asarray(second))
    own = scipy.special.log_softmax(np.asarray(logits), axis=1)[np.arange(6), np.asarray(batch["k"])]
    assert float(terms["distinct"]) == pytest.approx(-own.mean())
    np.testing.assert_allclose(PathLoss("start", 8)(model, batch), -own, atol=1e-10)
    # Straight flows have the same misalignment everywhere.
    amiss = misalignment(linear, jnp.ones(3), jnp.asarray(DIRECTIONS))
    np.testing.assert_allclose(PathLoss("start", 8, 2.0)(model, batch), 2 * float(amiss) - own, atol=1e-10)
    assert float(amiss) > 0.01


def test_adjacent_pairs_are_one_step_apart(x64):
    s = jnp.asarray(0.4)
    times, t = pair_times(s, "adjacent", 5)
    np.testing.assert_allclose(times, [0, 0.32, 0.52])
    assert t == times[-1]
    np.testing.assert_allclose(pair_times(s, "start", 5)[0], [0, 0.52])
    assert pair_times(jnp.asarray(1.0), "start", 5)[1] <= 1


def test_every_batch_has_all_potentials(straight_model):
    draws = PriorDraws(straight_model.space, jnp.ones(3), jnp.asarray(2.0), 3)
    batch = draws(jr.key(0), 12)
    assert np.bincount(batch["k"]).tolist() == [4, 4, 4]
    # Times are spread evenly over the path for each of them.
    assert np.diff(np.sort(np.asarray(batch["s"]).reshape(3, 4)), axis=1) == pytest.approx(0.25)
    with pytest.raises(ConfigError, match=r"batch_size=10 is not a multiple of the 3 potentials"):
        draws(jr.key(0), 10)


def test_points_of_the_model_have_the_units_of_the_prior():
    space = LatentSpace(2, lambda key: 5.0 + 3.0 * jr.normal(key, (2,)), picture)
    model = potential_flow(space, 2, pde=NoPDE(), hidden=(3,), key=jr.key(0))
    np.testing.assert_allclose(model.loc, 5, atol=0.4)
    np.testing.assert_allclose(model.scale, 3, rtol=0.1)
    drawn = jax.vmap(model.draw)(jr.split(jr.key(1), 500))
    np.testing.assert_allclose(jnp.std(drawn), 1, atol=0.1)
    np.testing.assert_allclose(model.decode(drawn[0]), picture(model.loc + model.scale * drawn[0]), rtol=1e-6)
    assert model.pde.residual(lambda z, t: jnp.sum(z), drawn[0], jnp.ones(())) == 0


def picture(z):
    return jnp.outer(z, jnp.arange(1.0, 4.0))


def test_held_norms_and_compositions(x64):
    space = LatentSpace(3, StandardNormal(3), linear)
    make = lambda hold: potential_flow(
        space, 2, pde=NoPDE(), hidden=(8,), speed=1.0, hold_norm=hold, shape=(5,), key=jr.key(0)
    )
    z, ts = jr.normal(jr.key(1), (3,)), np.linspace(0, 1, 2)
    free_path, held = make(False).path(z, jnp.asarray(1), ts), make(True).path(z, jnp.asarray(1), ts)
    assert abs(float(free_path.shell[-1] / free_path.shell[0]) - 1) > 1e-2
    np.testing.assert_allclose(held.shell[-1], held.shell[0], atol=1e-4)
    second = make(False).composed(z, jnp.array([0.0, 1.0]), ts)
    np.testing.assert_allclose(second.z, free_path.z, atol=1e-12)


@functools.cache
def trained():
    init = lambda key: potential_flow(BLOBS, 4, pde=Wave(), hidden=(16,), speed=0.5, shape=(8, 8, 1), key=key)
    start = init(jr.key(0))
    draws = PriorDraws(BLOBS, start.loc, start.scale, 4)
    objective = TraversalObjective(LogJVP(), free, FixedSpeed(0.5))
    budget = Budget(80, 64, 4e-3, 0.0, 1.0)
    fitted = train.fit(
        init,
        recipe(budget, objective, {"guidance": 0.1}, train_equation=True),
        train.SamplerSource(draws),
        validation=draws(jr.key(9), 128),
        reports=2,
    )
    arrays, static = eqx.partition(fitted.model, eqx.is_array)
    return start, eqx.combine(jax.tree.map(lambda a: a[0], arrays), static), float(fitted.metric[0])


def test_paths_between_blobs_are_learned_to_be_distinct():
    start, model, wrong = trained()
    # A pair that is given to a wrong path costs log 2 or more, so that more than four in five are right.
    assert wrong < 0.2 * np.log(2)
    batch = PriorDraws(BLOBS, start.loc, start.scale, 4)(jr.key(3), 64)
    assert float(jnp.mean(PathLoss("start", 8)(start, batch))) > 0.69
    moved = jax.jit(jax.vmap(lambda z, k: jnp.linalg.norm(model.path(z, k, np.array([0.0, 1.0])).z[-1] - z)))
    assert (np.asarray(moved(batch["z"], batch["k"])).reshape(4, -1).mean(axis=1) > 0.05).all()


@pytest.mark.parametrize("train_equation", [True, False])
def test_potentials_and_classifier_are_trained_and_nothing_else(train_equation):
    model = potential_flow(BLOBS, 2, pde=Wave(), hidden=(3,), shape=(8, 8, 1), key=jr.key(0))
    objective = TraversalObjective(LogJVP(), free, FixedSpeed(0.5))
    (phase,) = recipe(Budget(5, 4, 1e-3, 0.0, 1.0), objective, {}, train_equation=train_equation)
    spec = phase.filter_spec(model)
    assert all(jax.tree.leaves((spec.potentials.stacked.net, spec.classifier.net)))
    assert spec.pde.speed == train_equation
    frozen = (spec.space, spec.loc, spec.scale, spec.potentials.stacked.gain, spec.classifier.change)
    assert not any(jax.tree.leaves(frozen))


def test_the_wave_speeds_of_the_potentials_part():
    _, model, _ = trained()
    assert model.pde.speed.shape == (4,)
    assert jnp.std(model.pde.speed) > 1e-3
    assert model.classifier.change > 0


def test_the_classifier_sees_small_changes(x64):
    classifier = PairClassifier((8, 8), 3, channels=(4,), key=jr.key(0))
    first = 100 + jr.normal(jr.key(1), (4, 8, 8))
    second = first + 1e-3 * jr.normal(jr.key(2), (4, 8, 8))
    tuned = classifier.in_units_of(first, second)
    np.testing.assert_allclose([tuned.loc, tuned.scale, tuned.change], [100, 1, 1e-3], rtol=0.2)
    swapped = lambda c: jnp.abs(c(first[0], second[0]) - c(first[0], second[1])).max()
    assert swapped(tuned) > 5 * swapped(classifier)
    assert classifier(first[0], second[0]).shape == (3,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 1}, r"potentials=1: paths are learned by telling them apart; give at least 2"),
        ({"activation": jax.nn.relu}, r"the equation Wave has second derivatives, and that of the activation relu is"),
    ],
)
def test_what_cannot_be_trained(options, said):
    with pytest.raises(ConfigError, match=said):
        potential_flow(BLOBS, **({"count": 2, "pde": Wave(), "key": jr.key(0)} | options))
    # Without second derivatives, kinks are allowed.
    if "activation" in options:
        potential_flow(BLOBS, 2, pde=NoPDE(), hidden=(3,), activation=jax.nn.relu, shape=(8, 8, 1), key=jr.key(0))


def test_the_alignment_of_straight_flows_is_known(straight_model, x64):
    model = straight_model
    batch = PriorDraws(model.space, model.loc, model.scale, 2)(jr.key(1), 6)
    objective = TraversalObjective(LogJVP(), free, FixedSpeed(0.3), aligned=True)
    terms = eqx.filter_jit(objective)(model, batch, jr.key(2))
    # At right angles in latent space, and not in the data.
    first, second = DIRECTIONS @ W.T
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert float(terms["alignment"]) == pytest.approx(-np.log(1 - (0.999 * cosine) ** 2) / (2 * 2 * 2))
    right = np.linalg.svd(W)[2][:2]
    aligned = eqx.tree_at(lambda m: m.potentials, model, straight(jnp.asarray(right), 0.4))
    assert float(eqx.filter_jit(objective)(aligned, batch, jr.key(2))["alignment"]) == pytest.approx(0, abs=1e-12)
    assert cosine**2 > 1e-3
