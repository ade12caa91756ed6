"""The physics-integrated VAE on forced, damped pendulums, of which the physics knows neither force nor damping."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from latax.data import Samples, pendulum, stacked
from latax.physics import ODE, FixedStep
from latax.physics import pendulum as physics
from latax.report.content import Section
from latax.studies.physics_ladder import Budget, Case, ladder_study, released_weights, usual_weights
from latax.studies.physics_released import released_table
from latax.studies.result import StudyResult

#: The full ladder has the paper's 5,000 epochs of 1,000 sequences.
BUDGETS = {
    "quick": Budget(steps=1_000, ablation_steps=500, replicates=2),
    "full": Budget(steps=25_000, ablation_steps=4_000, replicates=5),
}


def physics_pendulum(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Physics-integrated VAE on forced, damped pendulums: the ladder of models, and without each regulariser."""
    case, length = pendulum_case(), BUDGETS[budget]
    result = ladder_study(
        case,
        length,
        seed,
        console,
        folder,
        title="Physics-integrated VAE on pendulums",
        summary="1,000 sequences of 50 angles; the physics is a free, undamped pendulum, and the data are damped and "
        "forced. One run of the released code, at its full length: reconstruction error 0.345 rad and an error of ω "
        "of 0.168 rad/s with physics and regularisers, 0.424 without physics, 0.410 with a solver, 1.551 with "
        "the physics alone.",
        explained=explained_case(),
    )
    released = released_table(
        physics(solver=FixedStep("euler")),
        case.parameter,
        case.training,
        case.test,
        steps=length.steps,
        replicates=length.replicates,
        seed=seed,
        console=console,
        folder=folder,
    )
    section = Section("Released training", tables=[released])
    return replace(result, tables=[*result.tables, released], sections=[*result.sections, section])


def known() -> ODE:
    """A free, undamped pendulum.

    It is slow against the 0.05 s between observations: a step for two of them errs by less than a tenth of the noise.
    """
    return physics(solver=FixedStep(every=2))


def pendulum_case() -> Case:
    """The published sets and sizes."""
    return Case(
        title="Pendulum",
        unit="rad",
        training=stacked(pendulum.make(1000, 1234), pendulum.make(500, 1235)),
        test=pendulum.make(1000, 1236),
        parameter="omega",
        factors=(0.6, 0.8, 1.5),
        solve=pendulum.solve,
        physics=known(),
        sizes={"inside_size": 1, "outside_size": 2},
        larger={"inside_size": 2, "outside_size": 2},
        published=released_weights(0.01, 0.001, 0.1, log_variance=-9.0, variances=known().parameters.std ** 2),
        ours=usual_weights(),
        common={"batch_size": 200},
        unsolved={"latent_size": 4},
        solved={"order": 2, "inside_size": 2, "outside_size": 2, "every": 2},
        inside_width=32,
    )


def explained_case() -> Case:
    """The same pendulums, neither damped nor forced, with noise of their own."""
    case = pendulum_case()
    return replace(
        case,
        title="Pendulum without damping and force",
        training=_free(case.training, 1237),
        test=_free(case.test, 1238),
    )


def _free(samples: Samples, seed: int) -> Samples:
    truth = {**samples.truth, "gamma": np.zeros(len(samples)), "amplitude": np.zeros(len(samples))}
    signal = pendulum.solve(truth)
    noisy = signal + np.random.default_rng(seed).normal(0.0, pendulum.NOISE, signal.shape)
    origin = f"{samples.origin}; neither damped nor forced, noise of seed {seed}"
    return replace(samples, X=noisy, origin=origin, truth={**truth, "signal": signal})
