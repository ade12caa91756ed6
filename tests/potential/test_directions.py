import jax
import jax.extend
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.potential import (
    follow,
    gradient,
    local_frames,
    matched,
    mean_frame,
    principal_directions,
    random_directions,
    sefa_directions,
    straight,
    visible_directions,
)

W = np.random.default_rng(0).normal(size=(6, 3)) * [1.0, 3.0, 0.2]
RIGHT = np.linalg.svd(W)[2]


def alike(found, wanted):
    """|cos| of the angle between rows."""
    return np.abs(np.sum(np.asarray(found) * wanted, axis=1))


def linear(z):
    return (jnp.asarray(W, z.dtype) @ z).reshape(2, 3)


def test_of_a_linear_decoder_sefa_and_jacobian_are_its_singular_vectors(x64):
    z = jr.normal(jr.key(0), (4, 3))
    np.testing.assert_allclose(alike(sefa_directions(jnp.asarray(W), 2), RIGHT[:2]), 1, atol=1e-12)
    np.testing.assert_allclose(alike(visible_directions(linear, z, 3), RIGHT), 1, atol=1e-12)
    # Where the decoder is not linear, only the Jacobian sees it.
    bent = lambda z: jnp.concatenate([linear(z).ravel(), 50 * z[2:]])
    assert alike(visible_directions(bent, z, 1), np.array([[0.0, 0, 1]]))[0] > 0.99
    assert alike(sefa_directions(jnp.asarray(W), 1), np.array([[0.0, 0, 1]]))[0] < 0.5


TURN = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]


def crossing(z):
    """Its Jacobian has the rows of TURN as right-singular vectors everywhere, in an order that changes."""
    return jnp.sinh(jnp.asarray(TURN, z.dtype) @ z) * jnp.array([1.0, 1.1, 0.9])


def test_singular_vectors_are_matched_by_what_they_are_and_not_by_their_number(x64):
    z = jr.normal(jr.key(0), (200, 3))
    frames, squares = (np.asarray(found) for found in local_frames(crossing, z))
    jacobian = np.asarray(jax.vmap(jax.jacfwd(crossing))(z))
    singular = np.linalg.svd(jacobian)[1]
    np.testing.assert_allclose(squares, singular**2, rtol=1e-9)
    found = matched(frames, -TURN[[1, 0]])
    np.testing.assert_allclose(found, np.broadcast_to(-TURN[[1, 0]], (200, 2, 3)), atol=1e-7)
    axes = mean_frame(crossing, z, 3)
    np.testing.assert_allclose(np.abs(axes @ TURN.T).max(axis=1), 1, atol=1e-7)
    assert sorted(np.abs(axes @ TURN.T).argmax(axis=1)) == [0, 1, 2]
    # The first of each frame is another one in different places.
    assert len(set(np.abs(frames[:, 0] @ TURN.T).argmax(axis=1))) == 3
    # The most visible come first, and fewer are those.
    visible = np.mean(np.sum((jacobian @ axes.T) ** 2, axis=1), axis=0)
    assert (np.diff(visible) < 0).all()
    np.testing.assert_allclose(mean_frame(crossing, z, 1), axes[:1], atol=1e-12)


def test_principal_directions_of_the_latent_samples(x64):
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    z = jr.normal(jr.key(0), (4000, 3)) @ (np.diag([2.0, 1.0, 0.3]) @ axes.T) + 5.0
    assert (alike(principal_directions(z, 3), axes.T) > 0.995).all()
    # Without centring, the mean would be the first of them.
    assert alike(principal_directions(z, 1), np.full((1, 3), 3**-0.5))[0] < 0.9


def test_principal_directions_of_features_are_taken_back_to_latent_space(x64):
    z = jr.normal(jr.key(0), (4000, 3))
    found = principal_directions(z, 3, features=lambda z: jnp.asarray(W) @ z)
    # For a standard normal and linear features W z: Cov(z, c) / Var(c) is along the right-singular vectors.
    assert (alike(found, RIGHT) > 0.99).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-12)


def test_random_directions_are_orthonormal_and_random():
    first, second = (random_directions(5, 3, key=jr.key(i)) for i in range(2))
    np.testing.assert_allclose(first @ first.T, np.eye(3), atol=1e-6)
    assert not np.allclose(first, second, atol=0.1)


def test_straight_flows_have_the_speed_of_the_others(x64):
    potentials = straight(random_directions(4, 2, key=jr.key(0)) * 7.0, 0.3)
    z = jr.normal(jr.key(1), (4,))
    path = follow(gradient(potentials[1]), z, np.linspace(0, 1, 3)).z
    np.testing.assert_allclose(jnp.linalg.norm(path[-1] - z), 0.3 * 2, atol=1e-6)
    np.testing.assert_allclose(path[1] - path[0], path[2] - path[1], atol=1e-12)


def test_signs_do_not_depend_on_the_algorithm():
    found = np.asarray(sefa_directions(jnp.asarray(W, jnp.float32), 3))
    assert (found[np.arange(3), np.abs(found).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("count", [0, 4])
def test_no_more_directions_than_dimensions(count):
    said = rf"count={count}: there are at most 3 different directions in 3 dimensions"
    for make in (
        lambda: random_directions(3, count, key=jr.key(0)),
        lambda: principal_directions(jnp.ones((5, 3)), count),
        lambda: sefa_directions(jnp.ones((5, 3)), count),
        lambda: visible_directions(linear, jnp.ones((5, 3)), count),
        lambda: mean_frame(linear, jnp.ones((5, 3)), count),
    ):
        with pytest.raises(ConfigError, match=said):
            make()


def test_they_can_be_compiled():
    compiled = jax.jit(lambda z: visible_directions(linear, z, 2))(jnp.ones((3, 3)))
    assert (alike(compiled, RIGHT[:2]) > 0.999).all()


def test_many_samples_need_no_square_matrix():
    z = jax.ShapeDtypeStruct((5000, 3), jnp.float32)
    steps = jax.make_jaxpr(lambda z: principal_directions(z, 2))(z).jaxpr
    largest = max(np.prod(shape) for shape in _shapes(steps))
    assert largest <= 5000 * 3
    # With fewer rows than dimensions, there are as many directions as asked for all the same.
    assert sefa_directions(jnp.ones((1, 3)), 3).shape == (3, 3)


def _shapes(jaxpr):
    for equation in jaxpr.eqns:
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from _shapes(inner)
        yield from (variable.aval.shape for variable in equation.outvars)
