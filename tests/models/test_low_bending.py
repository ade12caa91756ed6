"""The low-bending autoencoder's objective against known answers, and training against the proven bound."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax import train
from latax._errors import ConfigError
from latax.data.renderers import check_circle
from latax.geometry import Annulus, FlatTorus, Inverse, Pair, PairSampler, Sphere, lowest_energy, pair_terms
from latax.models import low_bending
from latax.models.autoencoder import Autoencoder, autoencoder, image_shape
from latax.models.near_pairs import RenderedPairs
from latax.models.recipes import Budget
from latax.models.recipes import low_bending as recipe
from latax.nn import MLP
from latax.train import SamplerSource

LAW = Annulus(0.5, 0.1)
CIRCLE = FlatTorus(2 * math.pi)


def waves(point):
    """A "picture" of the circle from which every map of low frequency is linear."""
    angles = jnp.arange(1, 4).astype(point.dtype) * point[0]
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)])


def pairs(manifold, render, size):
    return RenderedPairs(PairSampler(manifold, LAW), render, jnp.zeros(size))


def known(encoder, size, latent_size, decoder=None):
    """An autoencoder whose encoder is given."""
    one = jnp.ones(())
    return Autoencoder(encoder, decoder, jnp.zeros(size), one, one, jnp.zeros(latent_size), one)


@eqx.filter_jit
def energies(model, batch):
    return low_bending.energies(model, batch, Inverse())


@eqx.filter_jit
def batch_of(source, count, seed=0):
    return source(jr.key(seed), count)


def test_batches_are_pairs_with_their_distances():
    batch = batch_of(pairs(Sphere(2), lambda x: x, 3), 64)
    distance = jax.vmap(Sphere(2).distance)
    np.testing.assert_allclose(distance(batch["x"], batch["y"]), batch["distance"], atol=1e-5)
    np.testing.assert_allclose(distance(batch["x"], batch["midpoint"]), batch["distance"] / 2, atol=1e-5)
    np.testing.assert_allclose(distance(batch["far_x"], batch["far_y"]), batch["far_distance"], atol=1e-5)
    assert ((batch["distance"] >= 0.1) & (batch["distance"] <= 0.5)).all()
    assert batch["far_distance"].max() > 2


def test_the_objective_in_one_pass_is_that_of_each_pair():
    encoder = MLP(3, 4, (8,), activation=jnp.tanh, key=jr.key(1))
    model, batch = known(encoder, 3, 4), batch_of(pairs(Sphere(2), lambda x: x, 3), 32)
    found = low_bending.energies(model, batch, Inverse())
    one = lambda x, y, m, d: pair_terms(encoder, Pair(x, y, m, d))
    expected = jax.vmap(one)(batch["x"], batch["y"], batch["midpoint"], batch["distance"])
    np.testing.assert_allclose(found[0], expected.distortion, rtol=1e-4)
    np.testing.assert_allclose(found[1], expected.bending, rtol=2e-2, atol=1e-4)
    terms = low_bending.EmbeddingObjective(Inverse())(model, batch, jr.key(0))
    np.testing.assert_allclose(terms["distortion"], np.mean(expected.distortion), rtol=1e-4)
    metric = low_bending.EmbeddingEnergy(Inverse(), 0.3)(model, batch)
    np.testing.assert_allclose(np.mean(metric), terms["distortion"] + 0.3 * terms["bending"], rtol=1e-4)


def test_stress_is_zero_where_chords_are_distances():
    line = lambda x: jnp.array([0.6, 0.8]) * x[0]
    batch = {
        "far_x": jnp.array([[0.0], [1.0]]),
        "far_y": jnp.array([[3.0], [-1.0]]),
        "far_distance": jnp.array([3.0, 2.0]),
    }
    np.testing.assert_allclose(low_bending.stress_per_sample(known(line, 1, 2), batch), 0, atol=1e-12)
    twice = known(lambda x: 2 * line(x), 1, 2)
    np.testing.assert_allclose(low_bending.stress_per_sample(twice, batch), [(3 / 2.5) ** 2, (2 / 2.5) ** 2], rtol=1e-5)


def test_starts_make_stretches_and_latents_of_order_one():
    model = autoencoder((6,), 3, width_size=8, key=jr.key(2))
    model = eqx.tree_at(lambda m: m.encoder.layers[-1].weight, model, replace_fn=lambda w: 1e-3 * w)
    batch = batch_of(pairs(CIRCLE, waves, 6), 256)
    started = low_bending.start_encoder(model, batch)
    stretch = lambda m: np.linalg.norm(jax.vmap(m.encode)(batch["y"]) - jax.vmap(m.encode)(batch["x"]), axis=1)
    assert np.median(stretch(model) / batch["distance"]) < 0.01
    assert np.median(stretch(started) / batch["distance"]) == pytest.approx(1, rel=1e-3)
    begun = low_bending.start_decoder(started, low_bending.encode_batch(started, batch))
    z = (jax.vmap(begun.encode)(batch["x"]) - begun.latent_loc[None]) / begun.latent_scale
    np.testing.assert_allclose(np.mean(z, axis=0), 0, atol=2e-3)
    assert float(jnp.mean(z**2)) == pytest.approx(1, rel=1e-3)


def test_training_reaches_the_proven_bound_and_not_less():
    # All maps of the circle with frequencies up to three: the energy's minimum over them is that over all maps.
    weight, source = 0.1, pairs(CIRCLE, waves, 6)
    steps = recipe(Budget(2000, 64, 1e-2, 0.0, 10.0), Inverse(), weight, stress_share=0.25, decoder_share=0.1)
    assert [phase.name for phase in steps] == ["stress", "embedding", "decoder"]

    def begin(key):
        up, down = jr.split(key)
        return known(MLP(6, 4, (), key=up), 6, 4, MLP(4, 6, (), key=down))

    fitted = train.fit(begin, steps, SamplerSource(source), validation=batch_of(source, 512, 3), seed=0, reports=4)
    model = jax.tree.map(lambda leaf: leaf[0] if eqx.is_array(leaf) else leaf, fitted.model)
    fresh = batch_of(source, 8192, 4)
    gamma, bending = (np.asarray(a, np.float64) for a in low_bending.energies(model, fresh, Inverse()))
    total = gamma + weight * bending
    lowest, error = lowest_energy(CIRCLE, weight, law=LAW).energy, total.std() / len(total) ** 0.5
    assert total.mean() <= 1.02 * lowest
    assert total.mean() >= lowest - 5 * error
    # Angle by angle it is a circle of the radius that the theory says, not one that is wound around twice.
    angles = jnp.linspace(0, 2 * math.pi, 65)[:-1, None]
    z = np.asarray(jax.vmap(lambda t: model.encode(waves(t)))(angles))
    radii = np.linalg.norm(z - z.mean(axis=0), axis=1)
    np.testing.assert_allclose(radii, lowest_energy(CIRCLE, weight, law=LAW).scale, rtol=0.02)
    assert np.linalg.norm(z[0] - z[32]) > 1.8
    # Only low waves are rebuilt by a linear decoder, but these are.
    assert float(jnp.abs(jax.vmap(model.decode)(jnp.asarray(z))[:, 0] - jnp.cos(angles[:, 0])).max()) < 0.1


def test_a_network_that_sees_pixels_comes_near_the_proven_bound():
    weight, rendered = 0.1, check_circle()
    source = pairs(CIRCLE, rendered.render, 256)
    steps = recipe(Budget(400, 48, 4e-3, 0.0, 10.0), Inverse(), weight, stress_share=0.3, decoder_share=0.0)
    begin = lambda key: autoencoder((256,), 4, width_size=64, scale=jnp.asarray(0.2), decoder=False, key=key)
    batch = batch_of(source, 1024, 3)
    fitted = train.fit(begin, steps, SamplerSource(source), validation=batch, seed=0, reports=2)
    model = jax.tree.map(lambda leaf: leaf[0] if eqx.is_array(leaf) else leaf, fitted.model)
    gamma, bending = (np.asarray(a, np.float64) for a in energies(model, batch_of(source, 1024, 4)))
    total, lowest = gamma + weight * bending, lowest_energy(CIRCLE, weight, law=LAW).energy
    # A circle that winds around twice has 3.8 times the lowest energy.
    assert lowest - 5 * total.std() / len(total) ** 0.5 <= total.mean() <= 1.2 * lowest


def test_without_stress_and_decoder_there_is_one_phase():
    (phase,) = recipe(Budget(10, 4, 1e-3, 0.0, 1.0), Inverse(), 0.1, stress_share=0.0, decoder_share=0.0)
    assert phase.name == "embedding"
    assert phase.begin is low_bending.start_encoder


def test_encoder_and_decoder_together():
    encoder, decoder = MLP(3, 4, (8,), activation=jnp.tanh, key=jr.key(1)), MLP(4, 3, (8,), key=jr.key(2))
    model = known(encoder, 3, 4, decoder)
    model = eqx.tree_at(lambda m: m.scale, model, jnp.asarray(2.0))
    batch = batch_of(pairs(Sphere(2), lambda x: x, 3), 32)
    terms = low_bending.JointObjective(Inverse())(model, batch, jr.key(0))
    rebuilt = jax.vmap(lambda x: 2 * decoder(encoder(x / 2)))(batch["x"])
    by_hand = np.mean((rebuilt - batch["x"]) ** 2, axis=1) / 4
    np.testing.assert_allclose(terms["reconstruction"], by_hand.mean(), rtol=1e-5)
    energy = low_bending.EmbeddingEnergy(Inverse(), 0.1)(model, batch)
    np.testing.assert_allclose(
        low_bending.JointEnergy(Inverse(), 0.1, 3.0)(model, batch), energy + 3 * by_hand, rtol=1e-5
    )
    # The encoder hears of the reconstruction: with weight zero of all else, its gradient is not zero.
    alone = lambda m: low_bending.JointObjective(Inverse())(m, batch, jr.key(0))["reconstruction"]
    gradient = eqx.filter_grad(alone)(model)
    assert all(float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(gradient.encoder))
    phases = recipe(
        Budget(10, 4, 1e-3, 0.0, 1.0), Inverse(), 0.1, stress_share=0.0, decoder_share=0.2, reconstruction_weight=3.0
    )
    assert [phase.name for phase in phases] == ["embedding", "decoder"]
    assert phases[0].weights == {"bending": 0.1, "reconstruction": 3.0}
    assert phases[0].begin is low_bending.start_both


def test_images_are_seen_through_convolutions():
    assert image_shape((16, 16, 3)) == (16, 16, 3)
    assert image_shape((9, 12)) == (9, 12, 1)
    assert image_shape((4, 4)) is None
    assert image_shape((100,)) is None
    model = autoencoder((9, 12), 5, key=jr.key(0))
    z = model.encode(jnp.ones(108))
    assert z.shape == (5,)
    np.testing.assert_allclose(model.decode(z), 0, atol=1e-6)  # the decoder starts at the mean
    with pytest.raises(ConfigError, match="latent_size=0"):
        autoencoder((9, 12), 0, key=jr.key(0))
    with pytest.raises(ConfigError, match="decoder=False"):
        autoencoder((9, 12), 2, decoder=False, key=jr.key(0)).decode(jnp.zeros(2))
