"""Several fields in a physics-integrated VAE, from fit to file; one tiny fit serves most."""

import functools

import jax
import numpy as np
import pytest

import latax
from latax import PhysicsVAE
from latax._errors import DataError
from latax.data import Samples
from latax.models.physics_objective import Regularisers
from latax.physics import Grid, Parameter, PDESystem
from latax.report.sequences import _whole_fields

ROWS, NODES, TIMES = 32, 8, 0.2 * np.arange(5)
TINY = {"width_size": 4, "inside_width": 4, "steps": 4, "batch_size": 16, "progress": False}
BOUND = {name: 0.0 for name in Regularisers._fields}
GRID = Grid({"x": (0.0, 8.0, NODES)}, {"x": "periodic"})
RATE = Parameter("rate", 0.2, 2.0, unit="1/s")


def exchange(t, u, p, grid):
    turned = p.rate * u.a
    return 0.2 * grid.laplacian(u.a) - turned, turned - 0.1 * u.b


def system(**options):
    return PDESystem(exchange, [RATE], GRID, ["a", "b"], **options)


BOTH = system(corrected=["a"])


def fields(observed=slice(None)):
    """Solutions of the equation, and their rates."""
    rng, space = np.random.default_rng(0), BOTH.parameters
    rates = rng.uniform(0.3, 1.8, ROWS).astype(np.float32)
    starts = rng.uniform(0.5, 1.5, (ROWS, NODES, 2)).astype(np.float32)
    made = jax.vmap(lambda r, y: BOTH.simulate(space.from_array(r), y, TIMES))(rates[:, None], starts)
    X = np.asarray(made)[..., observed] + 0.01 * rng.normal(size=(ROWS, len(TIMES), NODES, 2))[..., observed]
    return Samples(X.reshape(ROWS, -1), sample_shape=X.shape[1:], times=TIMES, truth={"rate": rates})


data = functools.cache(fields)


@functools.cache
def fitted():
    return PhysicsVAE(physics=BOTH, **{**BOUND, "effort": 20.0}, **TINY).fit(data())


def test_verbs_keep_the_shape_of_the_fields():
    model, samples = fitted(), data()
    X = np.asarray(samples.X).reshape(ROWS, 5, NODES, 2)
    Z = model.transform(samples)
    assert Z.shape == (ROWS, len(model.latent_names_))
    assert model.latent_names_[:8] == (
        *("rate", "inside0", "inside1", "outside0", "outside1"),
        *("initial_a0", "initial_b0", "initial_a1"),
    )
    np.testing.assert_allclose(Z[:, 5:].reshape(ROWS, NODES, 2), X[:, 0], rtol=1e-5)
    assert model.project(samples).shape == (ROWS, 5, NODES, 2)
    longer = model.predict(samples, np.append(TIMES, 1.0))
    assert longer.shape == (ROWS, 6, NODES, 2)
    np.testing.assert_allclose(longer[:, :5], model.project(samples), atol=1e-5)
    assert model.sample(3).shape == (3, 5, NODES, 2)
    assert np.isfinite(model.score(samples))


def test_an_intervention_acts_on_the_fields_that_it_should():
    model, samples = fitted(), data()
    slow, fast = (model.intervene(samples, rate=rate) for rate in (0.3, 1.8))
    assert (fast - slow)[:, -1, :, 0].mean() < -0.1
    assert (fast - slow)[:, -1, :, 1].mean() > 0.1
    estimate = model.parameters(samples)["rate"]
    assert model.units_ == {"rate": "1/s"}
    assert (estimate.low < estimate.value).all()
    assert (estimate.value < estimate.high).all()
    assert (estimate.low >= 0.2).all()


def test_files_keep_it(tmp_path):
    fitted().save(tmp_path / "model")
    loaded = latax.load(tmp_path / "model", physics=system(corrected=["a"]))
    np.testing.assert_array_equal(loaded.transform(data()), fitted().transform(data()))


def test_a_picture_has_each_field_in_one_piece():
    order, words = _whole_fields(fitted(), 2 * NODES)
    np.testing.assert_array_equal(order, [*range(0, 16, 2), *range(1, 16, 2)])
    assert words == ": a, then b"


def test_one_of_two_fields_is_seen_without_an_axis_of_its_own():
    physics = system(observed=["b"], rest={"a": 1.0})
    seen = fields(observed=1)
    assert seen.sample_shape == (5, NODES)
    alone = {"inside_size": None, "outside_size": None, **BOUND}
    model = PhysicsVAE(physics=physics, infers_initial=True, **alone, **TINY).fit(seen)
    assert model.project(seen).shape == (ROWS, 5, NODES)
    initial = model.transform(seen)[:, -2 * NODES :].reshape(ROWS, NODES, 2)
    assert abs(initial[..., 0] - 1).max() > 1e-3  # Inferred around the rest,
    np.testing.assert_allclose(initial[..., 1], np.asarray(seen.X)[:, :NODES], atol=0.5)  # and around what was seen.


def test_fields_in_another_form_are_refused():
    rows = Samples(np.asarray(data().X), sample_shape=(5, 2 * NODES), times=TIMES)
    with pytest.raises(DataError, match=r"has shape \(5, 16\); .* expected \(T, 8, 2\)\. .* to \(N, 5, 8, 2\)\."):
        PhysicsVAE(physics=BOTH, **TINY).fit(rows)
    one = Samples(np.asarray(data().X)[:, :40], sample_shape=(5, NODES), times=TIMES)
    with pytest.raises(DataError, match=r"expected \(T, 8, 2\)\. Bring time to the first axis"):
        PhysicsVAE(physics=BOTH, **TINY).fit(one)
