"""The physics-integrated VAE on images of galaxies, of which the physics knows the disc alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from rich.console import Console

from latax.data import Samples, galaxies, stacked
from latax.estimators import PhysicsVAE, ProbabilisticPCA
from latax.physics import ClosedForm, exponential_disc
from latax.report.content import Section
from latax.report.tables import Table
from latax.studies import sequences
from latax.studies.contest import Contest, Measure, hold
from latax.studies.physics_ladder import BARE, BEST, NONE, SOME, Budget, comparison, gains
from latax.studies.result import StudyResult

BUDGETS = {
    "quick": Budget(steps=300, ablation_steps=150, replicates=2),
    # A step of one replicate takes 0.9 s on one core: six hours, the half of them for the ablation, which is as long as
    # the ladder's models need to find the angle; with 200 steps none has.
    "full": Budget(steps=1_500, ablation_steps=900, replicates=3),
}
#: What the disc has; the rest of the truth is what the physics does not know.
KNOWN = ("intensity", "radius", "ellipticity", "angle")
FALLING = "the same, effort falling to a twentieth"
#: By how much the angle is turned for what would have been.
TURNED = np.pi / 3


@dataclass(frozen=True, kw_only=True)
class Galaxies:
    """Data, weights of the regularisers, and the arguments of all models."""

    training: Samples
    test: Samples
    ours: Mapping[str, float]
    common: Mapping[str, Any]

    def contest(self) -> Contest:
        """What all models are fitted on and measured by."""
        few = self.test.take(slice(0, SOME))
        found = sequences.estimates(few)
        return Contest(
            title="Galaxies",
            training=self.training,
            measures={
                "reconstruction error": sequences.reconstruction_norm(self.test),
                "element MAE": sequences.absolute_error(self.test),
                **{f"{name} MAE": _error(few, found, name) for name in KNOWN},
                "known ones in their 90 % intervals": _coverage(few, found),
                "share of the physics": sequences.physics_share(self.test),
                "error when turned": _turned(few, found),
            },
            caption=f"Medians of replicates with 95 % intervals where there are enough, on {len(self.test):,} test "
            f"images, those with parameters on {len(few)} of them; the brightest possible disc has brightness one, and "
            "lengths are in half widths of the image. *Turned*: against the truth without noise, with the angle "
            "further by 60 degrees.",
        )

    def ladder(self, budget: Budget, seed: int) -> dict[str, Any]:
        """From no physics to all of it."""
        common = self._common(budget.steps, budget, seed)
        no_physics = {**common, **NONE, "outside_size": len(KNOWN) + 2}
        return {
            "NN only": PhysicsVAE(physics=_nothing(self.test.sample_shape), **no_physics),
            "physics only": self._with_physics(
                {**common, "outside_size": None}, {**self.ours, "ppc": 0.0, "effort": 0.0}
            ),
            BARE: self._with_physics(common, NONE),
            BEST: self._with_physics(common, self.ours),
            # As on advection.
            FALLING: self._with_physics(common, {**self.ours, "final_effort": self.ours["effort"] / 20}),
            "PCA": ProbabilisticPCA(latent_size=len(KNOWN) + 2, validation_fraction=1 / 5, seed=seed),
        }

    def ablations(self, budget: Budget, seed: int) -> dict[str, Any]:
        """All our regularisers, and without each of them."""
        common = self._common(budget.ablation_steps, budget, seed)
        used = [name for name, weight in self.ours.items() if weight]
        without = {f"without {name}": self._with_physics(common, {**self.ours, name: 0.0}) for name in used}
        return {"all": self._with_physics(common, self.ours), **without}

    def _with_physics(self, common: Mapping[str, Any], weights: Mapping[str, float]) -> PhysicsVAE:
        options: dict[str, Any] = {**common, **weights}
        return PhysicsVAE(physics=exponential_disc(self.test.sample_shape[0]), **options)

    def _common(self, steps: int, budget: Budget, seed: int) -> dict[str, Any]:
        chosen = {"steps": steps, "replicates": budget.replicates, "seed": seed, "validation_fraction": 1 / 5}
        return {**chosen, **self.common}


def physics_galaxy(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Physics-integrated VAE on images of galaxies: the ladder of models, and without each regulariser."""
    case, length = galaxy_case(), BUDGETS[budget]
    results = hold(case.contest(), case.ladder(length, seed), console, folder)
    shorter = hold(case.contest(), case.ablations(length, seed), console, folder / "ablation")
    table = _with_truth(results.table(), case.test)
    without = shorter.table(f"Without each regulariser, {length.ablation_steps:,} steps")
    gained = gains(results)
    return StudyResult(
        title="Physics-integrated VAE on galaxies",
        summary=f"{length.steps:,} steps, {length.replicates} replicates. {len(case.training):,} rendered images of "
        "32×32 pixels in three colours; the physics is a disc whose brightness falls off exponentially, and the data "
        "have a red bulge, a disc that is larger in blue than in red, blurring and noise.",
        tables=[table, gained, without],
        sections=[
            Section("Ladder of models", tables=[table, gained], figures=[comparison(results)]),
            Section("Ablation", tables=[without], figures=[comparison(shorter)]),
        ],
    )


def galaxy_case() -> Galaxies:
    """4,000 images for training, 1,000 for validation and 1,000 for testing."""
    return Galaxies(
        training=stacked(galaxies.make(4000, 1234), galaxies.make(1000, 1235)),
        test=galaxies.make(1000, 1236),
        ours={"ppc": 0.0, "effort": 200.0, "cleansing": 0.001, "augmentation": 0.1, "simulation": 0.1},
        common={"batch_size": 100, "outside_size": 2},
    )


def _nothing(shape: tuple[int, ...]) -> ClosedForm:
    """A physics that knows nothing: what is left of the model is a plain autoencoder."""
    return ClosedForm(_dark, [], np.zeros(shape))


def _dark(coordinates: Any, p: Any) -> Any:
    return jnp.asarray(coordinates)


def _error(test: Samples, found: sequences.Estimates, name: str) -> Measure:
    def measure(model: Any) -> float | None:
        if not _knows(model, name):
            return None
        parameter = model._physics().parameters[name]
        value = jnp.asarray(found(model, True)[name].value)
        return float(np.mean(parameter.distance(value, jnp.asarray(test.truth[name], value.dtype))))

    return measure


def _coverage(test: Samples, found: sequences.Estimates) -> Measure:
    def measure(model: Any) -> float | None:
        if not _knows(model, KNOWN[0]):
            return None
        within = []
        for name in KNOWN:
            parameter, estimate = model._physics().parameters[name], found(model, True)[name]
            within.append(parameter.within(test.truth[name], estimate.low, estimate.high))
        return float(np.mean(within))

    return measure


def _turned(test: Samples, found: sequences.Estimates) -> Measure:
    angle = lambda values: np.mod(values + TURNED, np.pi)
    truth = galaxies.render(
        {name: test.truth[name] for name in galaxies.RANGES} | {"angle": angle(test.truth["angle"])},
        size=test.sample_shape[0],
    )

    def measure(model: Any) -> float | None:
        if not _knows(model, "angle"):
            return None
        made = model.intervene(test, angle=angle(np.asarray(found(model, True)["angle"].value, np.float64)))
        return float(np.mean(sequences.norms(made, truth)))

    return measure


def _knows(model: Any, name: str) -> bool:
    return isinstance(model, PhysicsVAE) and name in model._physics().parameters.names


def _with_truth(table: Table, test: Samples) -> Table:
    noise = np.asarray(test.X) - test.truth["signal"].reshape(len(test), -1)
    known = {
        "reconstruction error": float(np.mean(np.linalg.norm(noise, axis=1))),
        "element MAE": float(np.mean(np.abs(noise))),
    }
    row = ["the truth, without noise", *(known.get(column) for column in table.columns[1:])]
    return Table(table.title, table.columns, [*table.rows, row], table.caption)
