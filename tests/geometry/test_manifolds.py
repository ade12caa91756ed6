"""What every manifold promises: one line in `CONSTRUCTORS` and it is checked for all of it."""

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.geometry import SO3, Euclidean, FlatTorus, MetricSpace, Product, Sphere, SphericalCap
from latax.geometry.rotation import quaternion, rotation_matrix

CONSTRUCTORS = {
    "plane": lambda: Euclidean(2, -1, 2),
    "circle": lambda: Sphere(1),
    "sphere": lambda: Sphere(2, radius=1.7),
    "three-sphere": lambda: Sphere(3),
    "cap": lambda: SphericalCap(2, opening=1.2, radius=0.8),
    "torus": lambda: FlatTorus((2 * math.pi, 3.0)),
    "rotations": SO3,
    "poses": lambda: Product([SO3(), FlatTorus(2.0), Sphere(2)], weights=[1.0, 0.5, 2.0]),
}
COUNT = 64
every = pytest.mark.parametrize("name", CONSTRUCTORS)


@functools.cache
def case(name):
    """A manifold, and everything that is tested of it for COUNT pairs of points, from one compiled function."""
    with jax.enable_x64(True):
        manifold = CONSTRUCTORS[name]()

        @eqx.filter_jit
        def compute(key):
            def one(key):
                a, b, c, d, e = jr.split(key, 5)
                x, z = manifold.sample(a), manifold.sample(b)
                length = jr.uniform(c, minval=0.05, maxval=0.95) * min(manifold.injectivity_radius, 3.0)
                v = length * manifold.direction(x, d)
                y = manifold.exp(x, v)
                m = manifold.midpoint(x, y)
                basis = manifold.basis(x)
                coordinates = jr.normal(e, (manifold.dim,))

                def normal(t):
                    return manifold.exp(x, manifold.tangent(x, t)).reshape(-1)

                zero = jnp.zeros(manifold.dim)
                return {
                    "x": x,
                    "y": y,
                    "length": length,
                    "distance": manifold.distance(x, y),
                    "back": manifold.distance(y, x),
                    "v": v,
                    "log": manifold.log(x, y),
                    "log_length": jnp.sqrt(manifold.metric(x, v, v)),
                    "to_middle": manifold.distance(x, m),
                    "from_middle": manifold.distance(m, y),
                    "gap": manifold.distance(m, manifold.midpoint(y, x)),
                    "gram": jax.vmap(lambda a: jax.vmap(lambda b: manifold.metric(x, a, b))(basis))(basis),
                    "triangle": manifold.distance(x, y) + manifold.distance(y, z) - manifold.distance(x, z),
                    "inside": manifold.contains(x),
                    "at_itself": manifold.distance(x, x),
                    "slope_at_itself": jax.grad(manifold.distance)(x, x),
                    "log_at_itself": manifold.log(x, x),
                    "log_slope_at_itself": jax.jacfwd(lambda y: manifold.log(x, y))(x),
                    "middle_slope_at_itself": jax.jacrev(lambda y: manifold.midpoint(x, y))(x),
                    "slopes": jax.jacfwd(normal)(zero),
                    "bends": jax.jacfwd(jax.jacfwd(normal))(zero),
                    "bend_along": jax.jvp(
                        lambda t: jax.jvp(normal, (t,), (coordinates,))[1], (0.3 * coordinates,), (coordinates,)
                    )[1],
                }

            return jax.vmap(one)(jr.split(key, COUNT))

        return manifold, jax.tree.map(np.asarray, compute(jr.key(0)))


@every
def test_exp_goes_as_far_as_it_is_told(name):
    _, got = case(name)
    np.testing.assert_allclose(got["distance"], got["length"], atol=1e-13)
    np.testing.assert_allclose(got["log_length"], got["length"], atol=1e-13)
    np.testing.assert_allclose(got["back"], got["distance"], atol=1e-13)


@every
def test_log_is_the_inverse_of_exp(name):
    _, got = case(name)
    np.testing.assert_allclose(got["log"], got["v"], atol=1e-11)


@every
def test_the_midpoint_is_halfway_for_both(name):
    _, got = case(name)
    np.testing.assert_allclose(got["to_middle"], got["distance"] / 2, atol=1e-13)
    np.testing.assert_allclose(got["from_middle"], got["distance"] / 2, atol=1e-13)
    np.testing.assert_allclose(got["gap"], 0, atol=1e-13)


@every
def test_the_basis_is_orthonormal_and_the_triangle_inequality_holds(name):
    manifold, got = case(name)
    identity = np.broadcast_to(np.eye(manifold.dim), got["gram"].shape)
    np.testing.assert_allclose(got["gram"], identity, atol=1e-14)
    assert (got["triangle"] > -1e-13).all()
    assert got["inside"].all()
    assert got["x"].shape == (COUNT, *manifold.point_shape)
    assert got["v"].shape == (COUNT, *manifold.tangent_shape)


@every
def test_derivatives_are_finite_where_points_coincide(name):
    _, got = case(name)
    np.testing.assert_allclose(got["at_itself"], 0, atol=1e-7)
    np.testing.assert_allclose(got["log_at_itself"], 0, atol=1e-14)
    for key in ("slope_at_itself", "log_slope_at_itself", "middle_slope_at_itself", "slopes", "bends", "bend_along"):
        assert np.isfinite(got[key]).all(), key


@every
def test_single_precision_stays_single_and_is_accurate(name):
    manifold, got = case(name)
    x, y = (jnp.asarray(got[key], jnp.float32) for key in "xy")
    distance, middle, log = (jax.vmap(f)(x, y) for f in (manifold.distance, manifold.midpoint, manifold.log))
    assert {distance.dtype, middle.dtype, log.dtype} == {jnp.dtype("float32")}
    np.testing.assert_allclose(distance, got["distance"], atol=5e-6)
    np.testing.assert_allclose(log, got["log"], atol=2e-4)


@pytest.mark.parametrize(
    ("manifold", "volume"),
    [
        (Euclidean(2, -1, 2), 9),
        (Sphere(1), 2 * math.pi),
        (Sphere(2, radius=2), 16 * math.pi),
        (Sphere(3), 2 * math.pi**2),
        (SphericalCap(2, 1.2, radius=2), 8 * math.pi * (1 - math.cos(1.2))),
        (SphericalCap(1, 0.7), 1.4),
        (FlatTorus((2, 3)), 6),
        (SO3(), 8 * math.pi**2),
        (Product([FlatTorus(2), SO3()], [3, 0.5]), 6 * math.pi**2),
    ],
)
def test_volumes(manifold, volume):
    np.testing.assert_allclose(manifold.volume, volume, rtol=1e-14)


def samples(manifold, count=20_000):
    return np.asarray(jax.jit(jax.vmap(manifold.sample))(jr.split(jr.key(1), count)))


def test_samples_are_uniform_by_volume():
    height = samples(SphericalCap(2, 1.2))[:, 2]
    assert height.min() > math.cos(1.2) - 1e-6
    np.testing.assert_allclose(height.mean(), (1 + math.cos(1.2)) / 2, atol=4 * height.std() / 20_000**0.5)
    trace = np.trace(samples(SO3()), axis1=1, axis2=2)
    np.testing.assert_allclose(trace.mean(), 0, atol=4 * trace.std() / 20_000**0.5)
    np.testing.assert_allclose((trace**2).mean(), 1, atol=4 * (trace**2).std() / 20_000**0.5)
    uniform_angle = 1 + 2 * np.cos(np.linspace(0, np.pi, 1001))
    assert abs((uniform_angle**2).mean() - 1) > 0.5


def test_spheres_are_accurate_near_zero_and_near_the_antipode(x64):
    sphere = Sphere(2)
    for angle in (1e-12, 1e-9, 1e-5, math.pi - 1e-5, math.pi - 1e-9):
        x, y = jnp.array([1.0, 0, 0]), jnp.array([math.cos(angle), math.sin(angle), 0.0])
        np.testing.assert_allclose(sphere.distance(x, y), angle, rtol=1e-14, atol=2e-16)
        assert np.isfinite(jax.grad(sphere.distance)(x, y)).all()
    small = 1e-9
    assert abs(math.acos(math.cos(small)) - small) > 0.1 * small


def turn(axis, angle):
    axis = jnp.asarray(axis) / jnp.linalg.norm(jnp.asarray(axis))
    return SO3().exp(jnp.eye(3), angle * axis)


def test_rotations_by_hand(x64):
    known = [[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_allclose(turn([0, 0, 1.0], math.pi / 2), known, atol=1e-15)
    axis = [0.6, -0.5, 0.3]
    matrix = np.asarray(turn(axis, 2.1))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-15)
    np.testing.assert_allclose(SO3().distance(turn(axis, 0.4), turn(axis, 2.9)), 2.5, atol=1e-14)
    np.testing.assert_allclose(SO3().distance(turn(axis, 0.1), turn(axis, 6.1)), 2 * math.pi - 6.0, atol=1e-14)
    chord = np.linalg.norm(np.asarray(turn(axis, 0.4) - turn(axis, 2.9)))
    assert abs(chord - 2.5) > 0.1


def test_rotations_are_accurate_near_zero_and_near_half_a_turn(x64):
    angles = [1e-10, 1e-6, math.pi - 1e-3, math.pi - 1e-7, math.pi - 1e-11]
    axes = np.array([[1.0, 0, 0], [-0.2, 0.9, 0.3], [0.1, -0.4, 3.0], [0, -1.0, 0]])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    vectors = jnp.asarray(np.concatenate([angle * axes for angle in angles]))
    manifold, start = SO3(), jnp.eye(3)

    @jax.jit
    @jax.vmap
    def compute(v):
        end, functions = manifold.exp(start, v), (manifold.distance, manifold.log, manifold.midpoint)
        slopes = [jax.jacrev(function, argnums=1)(start, end) for function in functions]
        return [function(start, end) for function in functions], manifold.exp(start, v / 2), slopes

    (distance, log, middle), half, slopes = compute(vectors)
    np.testing.assert_allclose(distance, np.repeat(angles, 4), atol=1e-15)
    np.testing.assert_allclose(log, vectors, atol=1e-14)
    np.testing.assert_allclose(middle, half, atol=1e-14)
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_quaternions_and_matrices_are_inverse(x64):
    q = jax.vmap(lambda k: jr.normal(k, (4,)))(jr.split(jr.key(0), 50))
    q = np.asarray(q / jnp.linalg.norm(q, axis=1, keepdims=True))
    back = jax.vmap(lambda q: quaternion(rotation_matrix(q)))(jnp.asarray(q))
    np.testing.assert_allclose(back, q * np.sign(q[:, :1]), atol=1e-14)


def test_the_shortest_way_round_a_torus(x64):
    torus = FlatTorus((2 * math.pi, 4.0))
    x, y = jnp.array([0.1, 3.9]), jnp.array([2 * math.pi - 0.2, 0.1])
    np.testing.assert_allclose(torus.distance(x, y), math.hypot(0.3, 0.2), atol=1e-14)
    np.testing.assert_allclose(torus.midpoint(x, y), [2 * math.pi - 0.05, 0.0], atol=1e-14)
    np.testing.assert_allclose(torus.distance(x, y + jnp.array([2 * math.pi, -8.0])), math.hypot(0.3, 0.2), atol=1e-14)
    assert float(Euclidean(2).distance(x, y)) > 5


def test_products_add_squares_with_their_weights(x64):
    product = Product([Sphere(1), Euclidean(1)], weights=[2.0, 3.0])
    x, y = jnp.array([1.0, 0, 0]), jnp.array([0.0, 1, 0.7])
    np.testing.assert_allclose(product.distance(x, y), math.hypot(math.pi, 2.1), atol=1e-14)
    np.testing.assert_allclose(product.midpoint(x, y), [0.5**0.5, 0.5**0.5, 0.35], atol=1e-15)
    assert product.injectivity_radius == 2 * math.pi


def test_a_manifold_of_ones_own_is_two_functions(x64):
    circle = FlatTorus(2 * math.pi)

    def signed(x, y):
        return jnp.arctan2(jnp.sin(y - x), jnp.cos(y - x))

    own = MetricSpace(
        lambda x, y: jnp.abs(signed(x, y))[0],
        lambda x, y: x + signed(x, y) / 2,
        point_shape=1,
        injectivity_radius=math.pi,
    )
    x, y = jnp.array([0.3]), jnp.array([5.9])
    np.testing.assert_allclose(own.distance(x, y), circle.distance(x, y), atol=1e-14)
    np.testing.assert_allclose(circle.distance(own.midpoint(x, y), circle.midpoint(x, y)), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Euclidean(0), "dimension has to be at least 1"),
        (lambda: Euclidean(2, 1.0, 0.5), "Exchange them"),
        (lambda: Sphere(0), "Use 1 for a circle"),
        (lambda: Sphere(2, radius=-1), "has to be positive"),
        (lambda: SphericalCap(2, opening=2.0), "use the whole Sphere"),
        (lambda: FlatTorus((1.0, -2.0)), "positive period for each coordinate"),
        (lambda: Product([]), "at least one factor"),
        (lambda: Product([SO3()], [1.0, 2.0]), "one positive number each"),
        (lambda: MetricSpace(abs, abs, point_shape=2, injectivity_radius=-1), "has to be positive"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(ConfigError, match=message):
        build()
