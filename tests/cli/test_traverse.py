"""Potential flows from the command line, as a user runs them."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import latax
from latax.cli import main
from latax.estimators.traversal import Traversal
from latax.report.traversal import write_traversal

TINY = ["--steps", "6", "--width-size", "4", "--path-steps", "2", "--potentials", "2", "--no-progress"]
OWN = """
import jax.numpy as jnp
from latax.models.latent_space import LatentSpace, StandardNormal

pixels = jnp.arange(6.0)
decode = lambda z: jnp.cos(pixels[:, None] * z[0] + pixels[None] * z[1])
space = LatentSpace(2, StandardNormal(2), decode)
"""


def latax_(*args) -> int:
    return main([str(arg) for arg in args])


@pytest.fixture(scope="module")
def on_pca(folder, pca_run):
    """Potentials on a finished run of probabilistic PCA."""
    run = folder / "on-pca"
    assert latax_("fit", "potential-flow", pca_run, "--out", run, "--pde", "hamilton-jacobi", *TINY) == 0
    return run


@pytest.fixture(scope="module")
def on_stripes(folder):
    """Potentials on a latent space of the user's own, with images."""
    own, run = folder / "own.py", folder / "on-stripes"
    own.write_text(OWN)
    assert latax_("fit", "potential-flow", f"{own}:space", "--out", run, "--pde", "none", *TINY) == 0
    return run


def test_a_fit_leaves_a_complete_run_folder(on_pca, pca_run, capsys):
    assert {path.name for path in on_pca.iterdir()} == {
        "checkpoints", "config.json", "metrics.jsonl", "model", "report.html",
    }  # fmt: skip
    config = json.loads((on_pca / "config.json").read_text())
    assert config["estimator"] == "potential-flow"
    assert config["params"]["decoder"] == str(pca_run)
    assert config["params"]["pde"] == "hamilton-jacobi"
    page = (on_pca / "report.html").read_text()
    assert "pairs given to a wrong path" in page
    assert "Paths from one point" in page
    assert latax_("diagnose", on_pca) == 0
    assert "round trip error" in capsys.readouterr().out


def test_a_traversal_of_images_is_a_sheet_an_animation_and_numbers(on_stripes, folder, capsys):
    out = folder / "paths"
    assert latax_("traverse", on_stripes, "--k", 1, "--steps", 4, "--starts", 3, "--out", out) == 0
    names = ("traversal.npz", "contact-sheet.png", "animation.gif")
    assert capsys.readouterr().out.split() == [str(out / name) for name in names]
    numbers = np.load(out / "traversal.npz")
    assert numbers["data"].shape == (3, 4, 6, 6)
    model = latax.load(on_stripes)
    np.testing.assert_allclose(numbers["latent"], model.traverse(model.draw(3), 1, steps=4).latent, atol=1e-5)
    sheet = np.asarray(Image.open(out / "contact-sheet.png"))
    # Three rows of four images of 6 pixels with gaps of one, eleven times as large.
    assert sheet.shape == (20 * 11, 27 * 11, 3)
    with Image.open(out / "animation.gif") as film:
        assert film.n_frames > 1
    assert latax_("traverse", on_stripes, "--out", out) == 2
    assert "paths is already there; nothing in it was touched" in capsys.readouterr().err


def test_a_traversal_of_numbers_is_numbers(on_pca, folder, capsys):
    out = on_pca / "traverse-1"
    assert latax_("traverse", on_pca, "--k", 1, "--steps", 3, "--backwards") == 0
    assert capsys.readouterr().out.split() == [str(out / "traversal.npz")]
    assert [p.name for p in out.iterdir()] == ["traversal.npz"]
    assert np.load(out / "traversal.npz")["times"].tolist() == [1.0, 0.5, 0.0]


def test_a_traversal_may_start_from_data(on_pca, pca_run, folder):
    rows = np.random.default_rng(3).normal(size=(9, 4))
    np.savetxt(folder / "more.csv", rows, delimiter=",", header="a,b,c,d", comments="")
    assert latax_("traverse", on_pca, folder / "more.csv", "--starts", 2, "--steps", 3, "--out", folder / "from") == 0
    latent = np.load(folder / "from" / "traversal.npz")["latent"]
    np.testing.assert_allclose(latent[:, 0], latax.load(pca_run).transform(rows[:2]), atol=1e-4)


def test_data_in_another_order_are_refused(on_pca, pca_run, folder, capsys):
    names = list(latax.load(pca_run).feature_names_)
    swapped = [names[1], names[0], *names[2:]]
    np.savetxt(folder / "swapped.csv", np.ones((3, 4)), delimiter=",", header=",".join(swapped), comments="")
    assert latax_("traverse", on_pca, folder / "swapped.csv", "--out", folder / "no") == 2
    assert "The columns are in another order" in capsys.readouterr().err


def test_a_run_with_an_object_is_gone_on_with_in_python(folder, capsys):
    from latax.models.latent_space import LatentSpace, StandardNormal

    run = folder / "object"
    space = LatentSpace(2, StandardNormal(2), eqx.nn.MLP(2, 6, 8, 2, jnp.tanh, key=jax.random.key(0)))
    latax.PotentialFlow(space, potentials=2, pde="none", steps=1, width_size=2, path_steps=2, progress=False).fit(
        out=run
    )
    assert len(json.loads((run / "config.json").read_text())["params"]["decoder"]) > 255  # No path is that long.
    assert latax_("resume", run) == 2
    assert "The decoder of the run" in (said := capsys.readouterr().err)
    assert "resume=True" in said


def test_a_finished_run_is_resumed_to_what_it_is(on_stripes, capsys):
    before = (on_stripes / "model" / "model.safetensors").read_bytes()
    assert latax_("resume", on_stripes, "--no-report") == 0
    assert (on_stripes / "model" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["traverse", "PCA", "--out", "x"], "A probabilistic-pca has no potentials to follow. Fit some: latax fit"),
        (
            ["traverse", "RUN", "--k", "2", "--out", "x"],
            "k=2: there is no such potential; there are 2",
        ),
        (["sample", "RUN", "--out", "x.csv"], "holds potentials, which move latent points and are no model of data"),
        (["diagnose", "RUN", "x.csv"], "Paths are judged on draws of the decoder; leave the file out"),
        (["fit", "potential-flow", "PCA", "--out", "x", "--pde", "waves"], "there is no equation 'waves'"),
        (["fit", "potential-flow", "nowhere", "--out", "x"], "There is no model nowhere"),
    ],
)
def test_what_cannot_be_done(arguments, said, on_pca, pca_run, folder, capsys):
    names = {"RUN": on_pca, "PCA": pca_run, "x": folder / "x", "x.csv": folder / "x.csv"}
    assert latax_(*(names.get(argument, argument) for argument in arguments)) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("context", [["--context", "which"], []], ids=["known", "not known"])
def test_sequences_are_fitted_with_and_without_their_transformation(context, folder, capsys):
    rng = np.random.default_rng(0)
    file, run = folder / f"sequences{len(context)}.npz", folder / f"flows{len(context)}"
    arrays = {"x": rng.normal(size=(30, 3, 2)), "times": np.arange(3.0)}
    np.savez(file, **arrays, **({"which": rng.integers(2, size=30)} if context else {}))
    sizes = ["--steps", 2, "--width-size", 3, "--latent-size", 2, "--batch-size", 8, "--potentials", 2, "--no-progress"]
    assert latax_("fit", "flow-sequence-vae", file, *context, "--out", run, "--pde", "none", *sizes) == 0
    page = (run / "report.html").read_text()
    assert "nll, upper bound (nats)" in page
    assert "latax traverse" in page
    assert latax_("encode", run, file, *context, "--out", folder / f"z{len(context)}.npz") == 0
    sampled = ["--context", 1] if context else []
    assert latax_("sample", run, "--size", 4, *sampled, "--out", folder / f"drawn{len(context)}.npz") == 0
    assert latax.load(run).transform(arrays["x"].reshape(30, -1), **_which(file, context)).shape == (30, 3)
    assert latax_("traverse", run, file, *context, "--k", 1, "--steps", 3, "--starts", 4) == 0
    numbers = np.load(run / "traverse-1" / "traversal.npz")
    assert numbers["times"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(numbers["data"], latax.load(run).predict(arrays["x"][:4, 0], 1), atol=1e-4)
    np.savez(folder / "plain.npz", **arrays)
    assert latax_("traverse", run, folder / "plain.npz", "--backwards", "--out", folder / f"from{len(context)}") == 0
    np.savez(folder / "faster.npz", x=arrays["x"], times=10 * arrays["times"])
    capsys.readouterr()
    assert latax_("traverse", run, folder / "faster.npz", "--out", folder / "no") == 2
    assert "is at time 10, and the model was fitted on sequences where it is at 1" in capsys.readouterr().err
    assert latax_("fit", "potential-flow", run, "--out", folder / "none") == 2
    assert "A FlowSequenceVAE has flows of its own" in capsys.readouterr().err


def _which(file, context):
    return {"context": np.load(file)["which"]} if context else {}


@pytest.mark.parametrize("shape", [(3, 32, 40), (32, 40, 3)])
def test_images_are_enlarged_by_their_height_and_width(shape, tmp_path):
    path = Traversal(np.random.default_rng(0).random((2, 3, *shape)), np.zeros((2, 3, 2)), np.arange(3.0))
    _, sheet, _ = write_traversal(tmp_path / "out", path, title="some")
    with Image.open(sheet) as image:
        assert image.size == ((3 * 40 + 2 * 2) * 2, (2 * 32 + 2) * 2)
