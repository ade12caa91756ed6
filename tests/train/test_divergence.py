"""The first value that is not finite stops the run and is traced to its term, its replicate and its samples."""

import json

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from latax._errors import DivergenceError, FileError
from latax.train import ArraySource, SamplerSource, fit, replay
from tests.train.problem import Line, data, objective, phase, source, squared_error

BAD_ROW = 37


def spoiled(value=jnp.nan):
    arrays = data()
    return ArraySource(arrays | {"y": arrays["y"].at[BAD_ROW].set(value)})


def two_terms(model, batch, key):
    return objective(model, batch, key) | {"size": jnp.sum(model.weight**2)}


def test_names_term_step_replicate_and_row(tmp_path):
    recipe = [phase("fine", 2, trainable=lambda m: m.bias, objective=of_size), phase("bad", objective=two_terms)]
    with pytest.raises(DivergenceError) as caught:
        fit(Line, recipe, spoiled(), seed=4, replicates=2, folder=tmp_path)
    found = json.loads((tmp_path / "divergence" / "step.json").read_text())
    orders = [np.concatenate(source().plan((4 + r, 2), 0, 4, 16)) for r in range(2)]
    firsts = [int(np.flatnonzero(order == BAD_ROW)[0]) // 16 for order in orders]
    assert found["step"] == min(firsts)
    assert found["replicate"] == firsts.index(min(firsts))
    assert str(caught.value) == (
        f"Training diverged in phase 'bad' at step {found['step']}, replicate {found['replicate']}: the loss term "
        f"'error' is nan, caused by training rows [{BAD_ROW}]. The failing step is kept in {tmp_path / 'divergence'}. "
        "Look at those samples for outliers; else lower the learning rate or the weight of that term."
    )


def test_says_of_the_first_bad_sample_what_the_phase_knows_of_samples():
    def describe(model, batch):
        return {"first": batch["x"][:, 0], "second": batch["x"][:, 1]}

    first, second = np.asarray(data()["x"])[BAD_ROW, :2]
    told = f"rows [{BAD_ROW}], of which the first has first = {first:.4g}, second = {second:.4g}. "
    with pytest.raises(DivergenceError) as caught:
        fit(Line, [phase(describe=describe)], spoiled())
    assert told in str(caught.value)
    validation = data()
    validation["y"] = validation["y"].at[jnp.array([BAD_ROW, BAD_ROW + 2])].set(jnp.inf)
    with pytest.raises(DivergenceError) as caught:
        fit(Line, [phase(metric=squared_error, describe=describe)], source(), validation=validation)
    assert f"of which the first has first = {first:.4g}, second = {second:.4g}. " in str(caught.value)


def of_size(model, batch, key):
    return {"size": model.bias**2}


def test_the_reproducer_repeats_the_failure(tmp_path):
    with pytest.raises(DivergenceError):
        fit(Line, [phase()], spoiled(), folder=tmp_path)
    model = Line(jr.key(123))
    assert np.isnan(replay(tmp_path / "divergence", model, phase())["error"])
    with np.load(tmp_path / "divergence" / "batch.npz") as file:
        batch = dict(file)
    mended = np.where(np.isnan(batch["y"]), 0.0, batch["y"]).astype(np.float32)
    np.savez(tmp_path / "divergence" / "batch.npz", x=batch["x"], y=mended)
    assert np.isfinite(replay(tmp_path / "divergence", model, phase())["error"])


def test_a_folder_without_a_reproducer(tmp_path):
    with pytest.raises(FileError, match=r"holds no reproducer of this model \(FileNotFoundError"):
        replay(tmp_path, Line(jr.key(0)), phase())


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_one_replicate_of_many(bad):
    def sample(key, size):
        return {"x": jr.normal(key, (size, 3)), "y": jnp.zeros(size)}

    def fragile(model, batch, key):
        # The first weights tell the replicates apart.
        return {"error": jnp.where(model.bias > 0, jnp.nan, 1.0) * jnp.mean(squared_error(model, batch))}

    def init(key):
        model = Line(key)
        hit = jnp.all(model.weight == Line(jr.fold_in(jr.key(bad), 0)).weight)
        return jax.tree.map(lambda a: a + hit.astype(a.dtype) if a.ndim == 0 else a, model)

    with pytest.raises(DivergenceError, match=rf"at step 0, replicate {bad}: .*with every sample of the batch\."):
        fit(init, [phase(objective=fragile)], SamplerSource(sample), replicates=3)
    # Where all rows fail, none is to blame.
    with pytest.raises(DivergenceError, match=r"every sample of the batch\. Lower the learning rate or the") as caught:
        fit(init, [phase(objective=fragile)], source(), replicates=3)
    assert caught.value.rows == ()


def test_a_gradient_that_alone_is_not_finite():
    # sqrt(0): finite value, infinite slope, at one row only.
    arrays = data()
    at_zero = ArraySource({"x": arrays["x"].at[BAD_ROW].set(0.0), "y": arrays["y"]})

    def roots(model, batch, key):
        return {"root": jnp.mean(jnp.sqrt(jnp.abs(batch["x"] @ model.weight)))}

    recipe = [phase(objective=roots, trainable=lambda m: m.weight)]
    with pytest.raises(DivergenceError) as caught:
        fit(Line, recipe, at_zero)
    assert "every loss term is finite but the gradient of .weight is not" in str(caught.value)
    assert f"caused by training rows [{BAD_ROW}]" in str(caught.value)


def test_an_update_that_alone_is_not_finite():
    optimizer = optax.sgd(lambda step: jnp.where(step < 3, 0.01, jnp.nan))
    with pytest.raises(DivergenceError, match=r"at step 3, replicate 0: every loss term and gradient is finite, but"):
        fit(Line, [phase(optimizer=optimizer)], source())


def test_a_validation_metric_that_is_not_finite():
    validation = data(40, seed=1)
    validation["y"] = validation["y"].at[jnp.array([3, 5])].set(jnp.inf)
    with pytest.raises(DivergenceError) as caught:
        fit(Line, [phase(metric=squared_error)], source(), validation=validation)
    message = "The validation metric of phase 'all' is inf at step 1, replicate 0, because of validation rows [3, 5]"
    assert message in str(caught.value)
    assert caught.value.rows == (3, 5)
    validation["y"] = jnp.full_like(validation["y"], jnp.inf)
    with pytest.raises(DivergenceError, match=r"because of all 40 validation rows\. Lower the learning rate") as caught:
        fit(Line, [phase(metric=squared_error)], source(), validation=validation)
    assert caught.value.rows == ()


def test_a_reproducer_that_cannot_be_kept(tmp_path):
    (tmp_path / "divergence").write_text("in the way")
    with pytest.raises(DivergenceError, match=r"'error' is nan.*The failing step could not be kept \(.*File exists"):
        fit(Line, [phase()], spoiled(), folder=tmp_path)


def test_the_state_stands_still_at_the_failing_step(tmp_path):
    # The kept weights are those of the run that ends before the failing step.
    with pytest.raises(DivergenceError):
        fit(Line, [phase()], spoiled(), seed=1, folder=tmp_path)
    step = json.loads((tmp_path / "divergence" / "step.json").read_text())["step"]
    assert step > 0
    fitted = fit(Line, [phase(steps=step)], spoiled(), seed=1)
    with np.load(tmp_path / "divergence" / "model.npz") as kept:
        np.testing.assert_allclose(kept["weight"], fitted.model.weight[0], rtol=1e-6)
