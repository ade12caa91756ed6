"""What every rendered manifold promises: one line in `CONSTRUCTORS` and it is checked for all of it."""

import functools
import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.data import renderers
from latax.data.rendered import RenderedManifold
from latax.geometry import FlatTorus


def picture(side=24):
    """A soft L, off the middle, black at the border."""
    row, column = np.indices((side, side)) / side
    blob = lambda a, b: np.exp(-(((row - a) / 0.09) ** 2 + ((column - b) / 0.09) ** 2))
    image = blob(0.35, 0.4) + blob(0.5, 0.4) + blob(0.65, 0.4) + 0.8 * blob(0.65, 0.6)
    return np.where(image > 1e-4, 0.8 * image / image.max(), 0)


CONSTRUCTORS = {
    "sundial": renderers.sundial,
    "rotating-object": renderers.rotating_object,
    "translations": renderers.translations,
    "ellipses": renderers.ellipses,
    "rotated-digits": renderers.rotated_digits,
    "rotated-digit": lambda size=24: renderers.rotated_digit(picture(), size),
    "check-circle": renderers.check_circle,
    "check-torus": renderers.check_torus,
    "check-sphere": renderers.check_sphere,
    "check-rotations": renderers.check_rotations,
}
SPLINES = ("rotated-digits", "rotated-digit")
OF_ANY_SIZE = [name for name in CONSTRUCTORS if not name.startswith("check")]
COUNT = 48
BATCH = 8
LEAST_SPEED, LEAST_FAR_RATIO = 0.3, 0.4
STEPS = 0.016, 0.008, 0.004
every = pytest.mark.parametrize("name", CONSTRUCTORS)


def measure(rendered: RenderedManifold) -> dict[str, np.ndarray]:
    """Everything that is tested of a renderer at COUNT random points, in float64 and from one compiled function."""
    manifold, render = rendered.manifold, rendered.render

    def one(key):
        a, b, c = jr.split(key, 3)
        x, far = manifold.sample(a), manifold.sample(b)
        basis = manifold.basis(x)
        along = lambda v: lambda t: render(manifold.exp(x, t * v))
        push = lambda v: jax.jvp(along(v), (0.0,), (1.0,))[1]
        line = along(manifold.direction(x, c))
        speed = lambda t: jax.jvp(line, (t,), (1.0,))[1]
        steps = jnp.array(STEPS)
        middle, ahead, behind = (jax.vmap(line)(t) for t in (jnp.zeros(1), steps, -steps))
        here, there = jax.vmap(render)(jnp.stack([x, far]))
        return {
            "x": x,
            "image": here,
            "jacobian": jax.vmap(push)(basis).reshape(manifold.dim, -1),
            "second_derivative": jax.jvp(speed, (0.0,), (1.0,))[1],
            "seconds": (ahead - 2 * middle + behind) / steps[:, None, None, None] ** 2,
            "distance": manifold.distance(x, far),
            "image_distance": jnp.linalg.norm(there - here),
        }

    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, eqx.filter_jit(jax.vmap(one))(jr.split(jr.key(0), COUNT)))


def least_speed(measured) -> float:
    """The smallest singular value of the differential anywhere, relative to the mean length of an image."""
    singular = np.linalg.svd(measured["jacobian"], compute_uv=False)[:, -1]
    return singular.min() / contrast(measured)


def least_far_ratio(measured) -> float:
    """The smallest distance of two images at a distance of at least 0.2, relative to that and to their contrast."""
    far = measured["distance"] > 0.2
    assert far.sum() > COUNT / 3
    return (measured["image_distance"] / np.minimum(measured["distance"], 1))[far].min() / contrast(measured)


def contrast(measured) -> float:
    """The root mean square distance of images from their mean."""
    image = measured["image"].reshape(COUNT, -1)
    return math.sqrt(((image - image.mean(axis=0)) ** 2).sum(axis=1).mean())


@functools.cache
def built(name) -> RenderedManifold:
    return CONSTRUCTORS[name]()


@functools.cache
def measured(name):
    return measure(built(name))


@functools.cache
def compiled(name):
    return eqx.filter_jit(jax.vmap(built(name).render))


def drawn(name, points):
    """The images of up to BATCH points, in float64; one shape, so that it is compiled once."""
    with jax.enable_x64(True):
        points = jnp.asarray(points)
        filled = jnp.concatenate([points, jnp.repeat(points[:1], BATCH - len(points), axis=0)])
        return np.asarray(compiled(name)(filled))[: len(points)]


@every
def test_images_are_float_and_in_the_unit_interval(name):
    image = measured(name)["image"]
    assert image.shape == (COUNT, *built(name).image_shape)
    assert image.dtype == np.float64
    assert image.min() >= 0
    assert image.max() <= 1 + 1e-7
    assert image.max(axis=(1, 2, 3)).min() > 0.2
    assert len(np.unique(image)) > 257  # No grey levels.


@every
def test_derivatives_are_finite(name):
    assert np.isfinite(measured(name)["jacobian"]).all()
    assert np.isfinite(measured(name)["second_derivative"]).all()


@every
def test_a_small_step_changes_the_image(name):
    assert least_speed(measured(name)) > LEAST_SPEED


@every
def test_distant_points_have_different_images(name):
    assert least_far_ratio(measured(name)) > LEAST_FAR_RATIO


@every
def test_second_differences_converge(name):
    """By h² where the image is smooth, and by h^1.5 in the mean square where its third derivative jumps at knots."""
    differences = measured(name)["seconds"] - measured(name)["second_derivative"][:, None]
    error = np.sqrt((differences**2).sum(axis=(2, 3, 4)).mean(axis=0))
    ratios = error[:-1] / error[1:]
    expected = 2**1.5 if name in SPLINES else 4
    np.testing.assert_array_less(0.85 * expected, ratios)


@every
def test_float32_and_the_shape_under_vmap_and_jit(name):
    rendered, x = built(name), jnp.asarray(measured(name)["x"], jnp.float32)
    images = compiled(name)(x)
    assert images.dtype == jnp.float32
    np.testing.assert_allclose(images[0], rendered.render(x[0]), atol=1e-5)
    np.testing.assert_allclose(images, measured(name)["image"], atol=1e-4)


@every
def test_samples(name):
    rendered = built(name)
    few, more = rendered.samples(3, seed=5), rendered.samples(BATCH, seed=5)
    assert few.X.shape == (3, math.prod(rendered.image_shape))
    assert few.X.dtype == np.float32
    assert few.sample_shape == rendered.image_shape
    position = few.truth["position"]
    assert position.shape == (3, *rendered.manifold.point_shape)
    assert position.dtype == np.float64
    assert "seed 5" in few.origin
    assert "\n" not in few.origin
    np.testing.assert_array_equal(few.X, rendered.samples(3, seed=5).X)
    np.testing.assert_allclose(position, more.truth["position"][:3], atol=1e-12)
    np.testing.assert_allclose(few.X, more.X[:3], atol=1e-6)
    assert abs(position - rendered.samples(3, seed=6).truth["position"]).max() > 0.01
    np.testing.assert_allclose(few.X, drawn(name, position).reshape(3, -1), atol=1e-6)


@every
def test_the_image_closes_where_the_manifold_does(name, x64):
    """A turn by a whole period, or once around a closed geodesic, gives the same image."""
    rendered, x = built(name), jnp.asarray(measured(name)["x"][0])
    manifold = rendered.manifold
    period = {"ellipses": math.pi}.get(name, 2 * math.pi)
    steps = jnp.eye(3)[2:] if name == "ellipses" else manifold.basis(x)
    if isinstance(manifold, FlatTorus) or name == "ellipses":
        around = [x + period * step for step in steps]
    else:
        around = [manifold.exp(x, period * step) for step in steps]
    first, *others = drawn(name, jnp.stack([x, *around]))
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-10)


@pytest.mark.parametrize("name", OF_ANY_SIZE)
def test_more_pixels_show_the_same(name, x64):
    large = CONSTRUCTORS[name](2 * built(name).image_shape[0])
    x = jnp.asarray(measured(name)["x"][:4])
    fine = eqx.filter_jit(jax.vmap(large.render))(x)
    n, h, w, c = fine.shape
    averaged = np.asarray(fine).reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))
    assert np.abs(averaged - drawn(name, x)).mean() < 0.01


def test_many_samples_are_drawn_in_turns():
    rendered = built("check-circle")
    many, few = rendered.samples(150, seed=2), rendered.samples(3, seed=2)
    assert len(np.unique(many.truth["position"])) == 150
    np.testing.assert_allclose(many.X[:3], few.X, atol=1e-6)


def test_the_shadow_points_away_from_the_sun(x64):
    rendered = built("sundial")
    axis = np.linspace(-1, 1, 65)[1::2]
    for azimuth in np.linspace(0, 2 * math.pi, 8, endpoint=False):
        towards = np.array([math.cos(azimuth), math.sin(azimuth)])
        sun = jnp.asarray(np.append(math.sin(0.9) * towards, math.cos(0.9)))
        shadow = 1 - rendered.render(sun)[..., 0]
        shadow = np.asarray(shadow / shadow.sum())
        centre = np.array([(shadow * axis[None]).sum(), (shadow * -axis[:, None]).sum()])
        assert centre @ towards / np.linalg.norm(centre) == pytest.approx(-1, abs=1e-3)
        # Half the way to the tip of a rod whose longest shadow, of the lowest sun, is 0.9 long.
        assert np.linalg.norm(centre) == pytest.approx(0.45 * math.tan(0.9) / math.tan(1.0), rel=0.02)


def test_the_shadow_is_smooth_where_it_vanishes(x64):
    rendered = built("sundial")
    zenith = jnp.array([0.0, 0.0, 1.0])
    for step in rendered.manifold.basis(zenith):
        along = lambda t, step=step: rendered.render(rendered.manifold.exp(zenith, t * step))
        speed = jax.jvp(along, (0.0,), (1.0,))[1]
        assert jnp.linalg.norm(speed) > LEAST_SPEED * contrast(measured("sundial"))
        np.testing.assert_allclose((along(1e-4) - along(-1e-4)) / 2e-4, speed, atol=1e-5)


def test_the_toy_has_no_symmetry(x64):
    assert rotations_apart(built("rotating-object")) > 0.3
    assert rotations_apart(built("check-rotations")) > 0.3


def rotations_apart(rendered):
    """The least distance of the images of two of the 24 rotations of a cube, relative to an image's length."""
    signed = [
        np.diag(signs) @ np.eye(3)[list(order)]
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    ]
    turns = np.array([turn for turn in signed if np.linalg.det(turn) > 0])
    assert len(turns) == 24
    base = np.asarray(rendered.manifold.exp(jnp.eye(3), jnp.array([0.3, -0.2, 0.5])))
    images = np.asarray(eqx.filter_jit(jax.vmap(rendered.render))(jnp.asarray(base @ turns))).reshape(24, -1)
    gaps = np.linalg.norm(images[:, None] - images[None], axis=-1) + 1e9 * np.eye(24)
    return gaps.min() / np.linalg.norm(images, axis=1).mean()


def test_a_symmetric_object_is_not_injective():
    """The negative control: without the second blob, and with two equal ones, what is promised fails."""

    def alike(angle):
        both = renderers.check_circle().render(angle), renderers.check_circle().render(angle + math.pi)
        return 0.5 * (both[0] + both[1])

    still = RenderedManifold(FlatTorus(2 * math.pi), lambda a: alike(a) * 0 + 0.5, "still", (16, 16, 1))
    twice = RenderedManifold(FlatTorus(2 * math.pi), alike, "twice", (16, 16, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        assert not least_speed(measure(still)) > LEAST_SPEED
    assert least_far_ratio(measure(twice)) < LEAST_FAR_RATIO / 2
    assert rotations_apart_of_a_ball() < 1e-6


def rotations_apart_of_a_ball():
    from latax.data.renderers.rotating_object import _Piece, draw
    from latax.geometry import SO3

    ball = (_Piece((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),)
    with jax.enable_x64(True):
        return rotations_apart(RenderedManifold(SO3(), lambda r: draw(r, ball, 16, 0.01), "ball", (16, 16, 3)))


def test_hard_edges_do_not_pass_for_smooth():
    def hard(angles):
        image = renderers.check_torus().render(angles)
        return jnp.round(image * 255) / 255

    seconds = measure(RenderedManifold(FlatTorus((2 * math.pi,) * 2), hard, "bytes", (16, 16, 1)))["seconds"]
    change = np.linalg.norm(np.diff(seconds, axis=1).reshape(COUNT, 2, -1), axis=-1).mean(axis=0)
    assert change[1] > 2 * change[0]


def test_a_quarter_turn_is_that_of_numpy(x64):
    image = picture()
    rendered = renderers.rotated_digit(image)
    shown = rendered.render(jnp.zeros(1))[..., 0]
    assert abs(shown - image).max() < 0.01
    for quarters in range(4):
        turned = rendered.render(jnp.full(1, quarters * math.pi / 2))[..., 0]
        np.testing.assert_allclose(turned, np.rot90(shown, quarters), atol=1e-12)
        np.testing.assert_allclose(turned, np.rot90(image, quarters), atol=0.01)


def test_a_small_turn_is_accurate(x64):
    """Against the same picture drawn turned, of which the blobs are known in closed form."""

    def draw(angle):
        row, column = (np.indices((48, 48)) - 23.5) / 48
        x, y = column * math.cos(angle) - row * math.sin(angle), row * math.cos(angle) + column * math.sin(angle)
        return 0.8 * np.exp(-(((x - 0.1) / 0.1) ** 2 + ((y - 0.05) / 0.07) ** 2))

    image = np.where(draw(0) > 1e-6, draw(0), 0)
    rendered = renderers.rotated_digit(image)
    for angle in (1e-3, 1e-2, 0.3, 2.0):
        moved = np.asarray(rendered.render(jnp.full(1, angle)) - rendered.render(jnp.zeros(1)))[..., 0]
        truth = draw(angle) - draw(0)
        assert np.linalg.norm(moved - truth) < 0.01 * np.linalg.norm(truth)


def test_images_that_cannot_be_turned():
    image = picture()
    with pytest.raises(DataError, match=r"shape \(24, 20\)\. Expected a square one, \(H, H\).*numpy\.pad makes it"):
        renderers.rotated_digit(image[:, 2:22])
    with pytest.raises(DataError, match=r"1 pixels of the image are NaN or infinite"):
        renderers.rotated_digit(np.where(image == image.max(), np.nan, image))
    with pytest.raises(DataError, match=r"values from 0 to 204\. Expected 0, black, to 1: divide by 255"):
        renderers.rotated_digit(255 * image)
    with pytest.raises(DataError, match=r"not black beyond the largest circle.*numpy\.pad\(image, 5\)"):
        renderers.rotated_digit(np.full((24, 24), 0.5))
    row, column = np.indices((24, 24)) - 11.5
    with pytest.raises(DataError, match=r"looks the same after 1/2 of a turn"):
        renderers.rotated_digit(np.exp(-(row**2 + 4 * column**2) / 12) * (np.hypot(row, column) < 10))
    with pytest.raises(DataError, match=r"looks the same after 1/2 of a turn"):
        renderers.rotated_digit(np.zeros((24, 24)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: renderers.sundial(8), r"a sundial of 8 by 8 pixels: .* Take a size of at least 16"),
        (lambda: renderers.rotating_object(15), r"a rotating object of 15 by 15 pixels"),
        (lambda: renderers.translations(4), r"translations of 4 by 4 pixels: .* at least 8"),
        (lambda: renderers.translations(16, concentration=20.0), r"concentration = 20\. .* \(size / 2π\)² = 6\.48"),
        (lambda: renderers.ellipses(8), r"ellipses of 8 by 8 pixels"),
        (lambda: renderers.ellipses(ratio=1.0), r"ratio = 1 of .* from 0\.1 to 0\.9: a circle looks the same in every"),
        (lambda: renderers.ellipses(16, ratio=0.2), r"narrower than two pixels at size = 16\. Use a ratio of at least"),
        (lambda: renderers.rotated_digits(4), r"a rotated image of 4 by 4 pixels"),
        (lambda: renderers.rotated_digits(row=1797), r"there is no digit 1797; there are 1797, from 0 on"),
        (lambda: built("check-circle").samples(0), r"n = 0, seed = 0: expected at least one image"),
        (lambda: built("check-circle").samples(1, -1), r"n = 1, seed = -1: .* a seed of 0 or above"),
    ],
)
def test_what_cannot_be_made(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_a_renderer_of_ones_own_is_checked():
    circle = FlatTorus(2 * math.pi)
    with pytest.raises(
        ConfigError, match=r"render gives float32 \(4, 4\) for a point of shape \(1,\).*image\[..., Non"
    ):
        RenderedManifold(circle, lambda a: jnp.full((4, 4), jnp.cos(a[0])), "flat", (4, 4, 1))
    loud = RenderedManifold(circle, lambda a: jnp.full((4, 4, 1), 3 + jnp.cos(a[0])), "loud", (4, 4, 1))
    with pytest.raises(DataError, match=r"image 0 .* of 'loud' has the value .* at pixel \(0, 0, 0\)\. .* from 0 to 1"):
        loud.samples(2)
    broken = RenderedManifold(circle, lambda a: jnp.full((4, 4, 1), 0 * a[0] / 0), "broken", (4, 4, 1))
    with pytest.raises(DataError, match=r"has the value nan at pixel"):
        broken.samples(2)
