"""From a physics in one's own file and a table of one's own to the report: what a new user does first, end to end."""

import numpy as np
import pandas as pd

import latax
from latax.cli import main
from latax.data import read

TIMES = 0.25 * np.arange(13)
NAMES = [f"spring {i}" for i in range(48)]
TINY = ["--width-size=8", "--inside-width=4", "--steps=60", "--batch-size=16", "--learning-rate=0.02", "--no-progress"]
# A price of corrections is enough: each further term costs seconds of compilation.
TINY += ["--effort=1", *(f"--{weight}=0" for weight in ("cleansing", "augmentation", "simulation"))]

#: A spring of which the stiffness is known to matter, and friction is not.
OWN = """
from latax.physics import ODE, Parameter

def move(t, y, p):
    return y.velocity, -p.stiffness * y.position

spring = ODE(
    move,
    parameters=[Parameter("stiffness", 1.0, 9.0, unit="1/s²")],
    states=["position", "velocity"],
    observed=["position"],
    corrected=["velocity"],
)
"""


def damped_springs():
    """A table in long form, and the stiffness of each spring."""
    rng = np.random.default_rng(0)
    k, c = rng.uniform(2, 6, len(NAMES)), rng.uniform(0.4, 0.8, len(NAMES))
    w = np.sqrt(k - c**2 / 4)
    fading = lambda t: np.exp(-c * t / 2) * (np.cos(w * t) + c / (2 * w) * np.sin(w * t))
    noise = lambda: 0.01 * rng.normal(size=len(NAMES))
    moments = [pd.DataFrame({"who": NAMES, "t": t, "x": fading(t) + noise()}) for t in TIMES]
    return pd.concat(moments), k


def test_from_a_physics_and_a_table_to_a_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    table, stiffness = damped_springs()
    table.to_csv("springs.csv", index=False)
    own = ["--series", "who", "--time", "t", "--physics", "mine.py:spring", "--outside-size=None"]
    assert main(["fit", "physics-vae", "springs.csv", *own, "--out", "run", *TINY]) == 0
    printed = capsys.readouterr().out
    assert "reconstruction error" in printed
    assert "stiffness: " in printed
    assert "report: run/report.html" in printed

    page = (tmp_path / "run" / "report.html").read_text()
    fits = "Held-out sequences and their reconstruction"
    parameters = ("Parameter: stiffness", "90 % interval", "stiffness (1/s²)")
    learnt = ("What the corrections add", "of rates", "What the physics explains")
    beyond = "Beyond the data"
    for words in (fits, *parameters, *learnt, beyond, "latax parameters run FILE", "latax explain run FILE"):
        assert words in page

    # Friction, which the physics does not know, was learnt, and stiffness is not taken for it.
    model, samples = latax.load("run"), read("springs.csv", labels="who", time="t")
    ladder, x = model.ladder(samples), np.asarray(samples.X)
    error = lambda made: np.sqrt(np.mean((made.reshape(x.shape) - x) ** 2))
    assert error(ladder.full) < 0.5 * error(ladder.physics)
    assert np.corrcoef(model.transform(samples)[:, 0], stiffness)[0, 1] > 0.9
