"""Alignment, where the singular vectors are known."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax.data.blobs import Blobs
from latax.potential import LogJVP, hadamard_gap, misalignment

W = np.random.default_rng(0).normal(size=(6, 3)) * [1.0, 3.0, 0.2]
RIGHT = np.linalg.svd(W)[2]


def linear(z):
    return (jnp.asarray(W, z.dtype) @ z).reshape(2, 3)


@pytest.fixture
def z(x64):
    return jr.normal(jr.key(0), (3,))


def test_singular_vectors_are_aligned_and_other_orthonormal_vectors_are_not(z):
    lengths = np.array([[2.0], [0.1], [-5.0]])
    assert misalignment(linear, z, jnp.asarray(lengths * RIGHT)) == pytest.approx(0, abs=1e-14)
    # Distinct, at right angles to one another, and mixed.
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    changes = turned @ W.T
    cosines = np.corrcoef(np.concatenate([changes, -changes], axis=1))
    found = float(misalignment(linear, z, jnp.asarray(turned)))
    wanted = -np.log(np.linalg.det(0.999 * cosines + 0.001 * np.eye(3))) / (2 * 2 * 3)
    assert found == pytest.approx(wanted, rel=1e-10)
    assert found > 0.1
    # At right angles in the data alone: the same number of vectors, another frame.
    skew = np.linalg.qr(W)[1]
    whitened = turned @ np.linalg.inv(skew).T
    np.testing.assert_allclose(hadamard_gap(jnp.asarray(whitened @ W.T)), 0, atol=1e-12)
    assert misalignment(linear, z, jnp.asarray(whitened)) > 0.05


def test_descent_from_any_frame_ends_at_the_singular_vectors(z):
    loss = lambda v: misalignment(linear, z, v)

    def step(i, v):
        v = v - 0.1 / (1 + i / 300) * jax.grad(loss)(v)
        return v / jnp.linalg.norm(v, axis=1, keepdims=True)

    descend = jax.jit(lambda v: jax.lax.fori_loop(0, 3000, step, v))
    for seed in range(3):
        start = jr.normal(jr.key(seed), (3, 3))
        alike = np.abs(np.asarray(descend(start)) @ RIGHT.T)
        assert sorted(alike.argmax(axis=1)) == [0, 1, 2]
        # Descent of the mean squared cosine ends at 0.88 from each of these.
        assert alike.max(axis=1).min() > 0.995


def test_fewer_flows_than_coordinates_need_a_little_visibility(x64):
    """Alone, the loss is zero at many frames; with the guidance, only the most visible singular vectors are best."""
    wide = np.random.default_rng(5).normal(size=(7, 4)) * [1.0, 3.0, 0.2, 2.0]
    decode = lambda z: jnp.asarray(wide) @ z
    right, z = np.linalg.svd(wide)[2], jnp.zeros(4)

    def guided(v, weight):
        seen = jax.vmap(lambda v: LogJVP().loss(decode(z), decode(v), v, jnp.asarray(0)))(v)
        return 3.0 * misalignment(decode, z, v) + weight * jnp.mean(seen)

    def step(i, v, weight):
        v = v - 0.03 / (1 + i / 500) * jax.grad(guided)(v, weight)
        return v / jnp.linalg.norm(v, axis=1, keepdims=True)

    descend = jax.jit(lambda v, weight: jax.lax.fori_loop(0, 6000, lambda i, v: step(i, v, weight), v))
    for seed in range(3):
        start = jr.normal(jr.key(seed), (2, 4))
        alike = np.abs(np.asarray(descend(start, 0.1)) @ right.T)
        assert sorted(alike.argmax(axis=1)) == [0, 1]
        assert alike.max(axis=1).min() > 0.99
    # Third and fourth are at right angles in both spaces as well, and so are others that are no singular vectors.
    assert float(misalignment(decode, z, jnp.asarray(right[2:]))) == pytest.approx(0, abs=1e-12)
    alone = descend(jr.normal(jr.key(0), (2, 4)), 0.0)
    assert float(misalignment(decode, z, alone)) < 1e-6
    assert (np.abs(np.asarray(alone) @ right.T).max(axis=1) < 0.9).any()


def test_visibility_prefers_the_mixed_frame(x64):
    # Hadamard: Π |J v| of orthonormal v is at least |det J|, and equal to it for singular vectors alone.
    jacobian = np.diag([1.0, 0.2])
    seen = lambda v: float(np.sum(np.log(np.linalg.norm(v @ jacobian.T, axis=1))))
    half = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    assert seen(half) > seen(np.eye(2)) + 0.5
    assert seen(np.eye(2)) == pytest.approx(np.log(0.2))


def test_factors_of_blobs_are_nearly_aligned_and_turned_ones_are_not(x64):
    decoder = Blobs(64)
    z = jnp.zeros(4)
    wanted = -np.log(1 - (0.999 / 3) ** 2) / (2 * 2 * 4)
    # Places are at right angles to all else; the changes by the two widths have the cosine 1/3 of x²g and y²g.
    assert float(misalignment(decoder, z, jnp.eye(4))) == pytest.approx(wanted, rel=0.02)
    z = jnp.array([0.3, -0.4, 0.9, -0.5])
    factors = float(misalignment(decoder, z, jnp.eye(4)))
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))[0]
    assert float(misalignment(decoder, z, jnp.asarray(turned))) > 3 * factors


def test_gradients_are_finite_where_a_flow_stands_still(z):
    slope = jax.grad(lambda v: misalignment(linear, z, v))(jnp.asarray(RIGHT).at[1].set(0.0))
    assert jnp.isfinite(slope).all()
