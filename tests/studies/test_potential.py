"""The studies of potential flows: measures of paths that are known, and studies so small that they mean nothing."""

import functools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from rich.console import Console

from latax import PotentialFlow
from latax._errors import DataError
from latax.data import Samples, digit_sequences, sprites
from latax.estimators.traversal import Traversal
from latax.models.latent_space import LatentSpace, StandardNormal
from latax.studies import (
    potential_blobs,
    potential_digits,
    potential_pde,
    potential_regulariser,
    potential_sprites,
    traversals,
)
from latax.studies.paths import EXACT, FactorPaths, StraightPaths
from latax.studies.traversals import DISPLACEMENT, DRIFT, PURITY, ROUND_TRIP, VP, Effort
from latax.studies.world import World, of_images, spans, vae_space

QUIET = Console(quiet=True)
TINY = Effort(steps=2, replicates=2, starts=12, vp_steps=10, vp_seeds=1)
SMALL = {"width_size": 4, "path_steps": 2, "progress": False}


def stripes(z):
    """An image too small for convolutions."""
    return jnp.cos(jnp.arange(5.0)[:, None] * z[0] + jnp.arange(5.0)[None] * z[1] + z[2])[..., None]


@functools.cache
def world():
    known = lambda path: {f"f{i}": np.asarray(path.latent[:, :, i], np.float64) for i in range(3)}
    space = LatentSpace(3, StandardNormal(3), stripes)
    return World(title="Stripes", space=space, attributes=known, names=("f0", "f1", "f2"), potentials=3)


def test_measures_of_lines_that_are_known():
    span = spans(world(), 0)
    # From 5 % to 95 % of a standard normal.
    np.testing.assert_allclose(span, 2 * 1.645, rtol=0.15)
    axes = StraightPaths(world().space, np.eye(3), 0.4)
    turned = StraightPaths(world().space, np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0], 0.4)
    pure, mixed = (traversals.measure(world(), lines, np.ones(3), TINY, 0) for lines in (axes, turned))
    assert pure[PURITY] == pytest.approx(1, abs=1e-5)
    assert mixed[PURITY] < 0.8
    assert pure[DISPLACEMENT] == pytest.approx(0.4, rel=0.1)
    assert pure[DRIFT] > 0.05
    assert pure[ROUND_TRIP] is None
    assert 0 <= pure[VP] <= 1


def test_starts_that_show_nothing_are_left_out():
    lines = StraightPaths(world().space, np.eye(3), 0.4)
    blind = lambda path: {f"f{i}": np.where(path.latent[:, :, 0] > 0, path.latent[:, :, i], np.nan) for i in range(3)}
    some = World(**{**vars(world()), "attributes": blind})
    assert traversals.measure(some, lines, np.ones(3), TINY, 0)[PURITY] == pytest.approx(1, abs=1e-5)
    none = World(**{**vars(world()), "attributes": lambda path: {n: np.nan * path.latent[:, :, 0] for n in some.names}})
    with pytest.raises(DataError, match=r"Every path in Stripes goes through an image that shows nothing"):
        traversals.measure(none, lines, np.ones(3), TINY, 0)


def test_learned_paths_beside_all_baselines(tmp_path):
    with_weight = World(**{**vars(world()), "weight": jr.normal(jr.key(0), (5, 3))})
    kinds = {"aligned": SMALL | {"alignment_weight": 1.0, "pde": "none"}}
    found = traversals.compare(with_weight, kinds, TINY, 0, QUIET, tmp_path)
    names = [row[0] for row in found.table("Stripes").rows]
    baselines = [
        *("random directions", "PCA of the data (GANSpace)", "most visible directions", "mean singular vectors"),
        *("SeFa", "singular vectors at the start"),
    ]
    assert names == ["aligned", *baselines]
    assert found.values["aligned"][ROUND_TRIP].shape == (2,)
    assert found.values["SeFa"][PURITY].std() < 0.2
    assert found.unlearned == baselines
    assert len(found.differences("aligned", ["aligned", *baselines]).rows) == 6
    assert len(found.table("Some", ["SeFa"]).rows) == 1
    correlations, slopes = found.correlations("aligned", starts=8)
    assert correlations.columns == slopes.columns == ["path", "f0", "f1", "f2"]
    assert len(correlations.rows) == len(slopes.rows) == 3
    assert all(-1 <= cell <= 1 for row in correlations.rows for cell in row[1:])
    # All are as fast as one another, but for what a potential that was hardly trained does.
    lengths = [found.values[name][DISPLACEMENT].mean() for name in baselines]
    assert np.ptp(lengths) < 0.02
    again = traversals.compare(with_weight, kinds, TINY, 0, QUIET, tmp_path, baselines=False)
    np.testing.assert_array_equal(again.values["aligned"][PURITY], found.values["aligned"][PURITY])
    assert again.seconds == {"aligned": found.seconds["aligned"]}


def test_the_factors_of_turned_blobs_are_no_axes_and_those_of_the_mixture_are():
    blobs = potential_blobs.blobs_world(3)
    mixing = np.asarray(blobs.space.decode.mixing)
    span = blobs.space.decode.span
    of = lambda directions: traversals.measure(blobs, StraightPaths(blobs.space, directions, 0.5), span, TINY, 0)
    assert of(mixing)[PURITY] == pytest.approx(1, abs=1e-3)
    assert of(np.eye(4))[PURITY] < 0.8


def test_curved_factors_change_alone_along_their_gradients_and_along_no_straight_line():
    blobs = potential_blobs.blobs_world(3, 0.6)
    span = blobs.space.decode.span
    of = lambda paths: traversals.measure(blobs, paths, span, TINY, 0)
    flows = of(FactorPaths(blobs.space, blobs.factors, 0.5))
    assert flows[PURITY] == pytest.approx(1, abs=1e-3)
    far = FactorPaths(blobs.space, blobs.factors, 0.5)(np.full((1, 4), 8, np.float32), 0, steps=3)
    assert np.isfinite(far.latent).all(), "where factors are next to their bounds"
    assert of(StraightPaths(blobs.space, np.asarray(blobs.space.decode.mixing), 0.5))[PURITY] < 0.9
    straight = potential_blobs.blobs_world(3)
    lines = traversals.measure(straight, FactorPaths(straight.space, straight.factors, 0.5), span, TINY, 0)
    assert lines[PURITY] == pytest.approx(1, abs=1e-3)
    assert lines[DISPLACEMENT] == pytest.approx(0.5, rel=0.05)


def test_others_are_as_fast_as_the_first_kind():
    slow = {"speed": 0.1}
    assert traversals.speed_of_first({"first": {}, "slow": slow}) == PotentialFlow.speed
    assert traversals.speed_of_first({"slow": slow, "last": {}}) == 0.1


def test_options_are_those_of_the_estimator():
    for options in (
        *potential_blobs.KINDS.values(), *potential_blobs.ABLATION.values(),
        *potential_pde.KINDS.values(), *potential_pde.PARTS.values(),
        *potential_sprites.KINDS.values(), *potential_sprites.ABLATION.values(),
    ):  # fmt: skip
        PotentialFlow(world().space, **options)._check_params()
    for budgets in (potential_blobs, potential_sprites, potential_digits, potential_regulariser):
        assert set(budgets.BUDGETS) == {"quick", "full"}


def test_images_of_a_decoder_that_is_trained_here(tmp_path):
    made = sprites.make(150, 0)
    small = made.X.reshape(-1, 32, 32)[:, ::6, ::6].reshape(150, -1)
    images = Samples(small, sample_shape=(6, 6, 1), origin="small sprites")
    space, weight = vae_space(images, 3, steps=1, seed=0, folder=tmp_path, console=QUIET)
    assert space.decode(jnp.zeros(3)).shape == (6, 6, 1)
    assert weight.shape[1] == 3
    frames = potential_digits.frames(2, 0)
    assert frames.sample_shape == (28, 28, 3)
    assert len(frames) == 2 * digit_sequences.TIMES
    path = Traversal(np.asarray(frames.X).reshape(2, 9, 28, 28, 3), np.zeros((2, 9, 3)), np.zeros(9))
    assert set(potential_digits.NAMES) < set(of_images(path))


@pytest.mark.parametrize(("module", "shape"), [(potential_sprites, (4, 3, 5)), (potential_digits, (3, 3, 3))])
def test_factors_that_change_alone_change_their_own_attribute_most(module, shape):
    changes = np.abs(module.exact(3, 0))
    assert changes.shape == shape
    assert np.isfinite(changes).all()
    of = list(module.NAMES)
    own = {"x": 0, "y": 1, "size": 2} if module is potential_sprites else {"size": 0, "turned": 1, "hue": 2}
    for name, path in own.items():
        assert changes[:, :, of.index(name)].mean(axis=1).argmax() == path


def test_a_study_of_images_has_its_decoder_its_paths_and_the_factors(tmp_path):
    small = np.asarray(sprites.make(150, 0).X).reshape(-1, 32, 32)[:, ::6, ::6]
    images = Samples(small.reshape(150, -1), sample_shape=(6, 6, 1))
    exact = lambda starts, seed: np.tile(np.eye(3)[:, None], (1, starts, 1))
    arguments = (("x", "y", "size"), {"aligned": SMALL}, exact, TINY, 2, 3, 0, QUIET, tmp_path)
    result = potential_sprites.images_study(images, "Small", *arguments)
    rows = {row[0]: row for row in result.tables[0].rows}
    assert rows[EXACT][1].estimate == pytest.approx(1)
    assert {"aligned", "SeFa", "mean singular vectors"} < set(rows)
    assert len(result.tables) == 4


def turning():
    rng = np.random.default_rng(0)
    which = rng.integers(2, size=40)
    angle = np.array([0.5, -0.5])[which, None] * np.arange(3)[None] + rng.uniform(0, 6, size=(40, 1))
    x = np.stack([np.cos(angle), np.sin(angle)], axis=2)
    parts = {"sample_shape": (3, 2), "times": np.arange(3.0), "groups": np.arange(40) // 2}
    return Samples(x.reshape(40, -1), which[:, None].astype(float), truth={"transformation": which}, **parts)


def test_sequences_with_and_without_their_transformation(tmp_path):
    kinds = {"potential flow": {"pde": "none"}, "VAE of frames": {"flow": "none"}}
    budget = potential_regulariser.Budget(sequences=40, steps=2, replicates=2, draws=2)
    common = {"width_size": 4, "latent_size": 2, "batch_size": 8, "progress": False}
    result = potential_regulariser.regulariser_study(
        turning(), ("left", "right"), kinds, tuple(kinds), budget, 0, QUIET, tmp_path, **common
    )
    known, gained, _, _ = result.tables
    assert [row[0] for row in known.rows] == list(kinds)
    assert [row[0] for row in gained.rows] == ["VAE of frames"]
    assert [len(section.figures) for section in result.sections] == [2, 1]
    assert all(np.isfinite(cell.estimate) for row in known.rows for cell in row[1:4])


def test_a_flow_that_is_right_has_no_equivariance_error():
    data = turning()

    class Right:
        flow = "potential"
        module_, at = None, 1

        def project(self, X):
            return np.asarray(X.X).reshape(len(X), 3, 2)

    class Frame(Right):
        flow = "none"

    original = potential_regulariser.map_rows
    potential_regulariser.map_rows = lambda function, module, frames, chunk: frames
    try:
        right, still = (potential_regulariser.equivariance(model(), data) for model in (Right, Frame))
    finally:
        potential_regulariser.map_rows = original
    np.testing.assert_allclose(right.error, 0, atol=1e-5)
    x = np.asarray(data.X).reshape(40, 3, 2)
    np.testing.assert_allclose(still.error, np.abs(x[:, 1:] - x[:, :1]).sum(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(still.error, still.still, rtol=1e-5)
