"""The studies of the physics-integrated VAE: from no physics to all of it, and without each regulariser."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console

from latax.data import Samples
from latax.estimators import NeuralODEVAE, PhysicsVAE, ProbabilisticPCA, SequenceVAE
from latax.estimators.physics_least_squares import fit_each
from latax.evaluate import paired_difference
from latax.models.physics_objective import Regularisers
from latax.physics.physics import AbstractDynamics
from latax.report import figures
from latax.report.content import Figure, Section
from latax.report.tables import Table
from latax.studies import sequences
from latax.studies.contest import Contest, Results, hold
from latax.studies.result import StudyResult

NONE = Regularisers()._asdict()
BEST, BARE, PHYSICS = "NN + physics, regularised", "NN + physics", "physics only"
#: Test sequences that are looked at beyond the window and with other parameters: their truth is solved anew.
SOME = 300


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Steps of the ladder's models and of the ablations', and replicates of all."""

    steps: int
    ablation_steps: int
    replicates: int


@dataclass(frozen=True, kw_only=True)
class Case:
    """Data whose truth is known, and a physics that knows a part of it.

    - `training`, `test`: sequences, a third of the former for validation.
    - `parameter`: the one that the physics knows; `factors`: what it is multiplied by for what would have been.
    - `solve`: the truth without noise.
    - `physics`, `sizes`: what is known, and the latent sizes of the corrections to it; `larger`: more of them.
    - `published`: weights of the released code (`released_weights`), where training can bear them; `ours`: ours.
    - `others`: what is changed of the best model, by the names of further contestants.
    - `common`: arguments of all models; `unsolved`, `solved`: those of the models without a physics.
    """

    title: str
    unit: str
    training: Samples
    test: Samples
    parameter: str
    factors: Sequence[float]
    solve: sequences.Solve
    physics: AbstractDynamics
    sizes: Mapping[str, int | None]
    larger: Mapping[str, int | None]
    published: Mapping[str, float] | None
    ours: Mapping[str, float]
    common: Mapping[str, Any]
    unsolved: Mapping[str, Any]
    solved: Mapping[str, Any]
    inside_width: int
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def contest(self) -> Contest:
        """What all models are fitted on and measured by."""
        few, name, unit = self.test.take(slice(0, SOME)), self.parameter, self.unit
        found, of_few = sequences.estimates(self.test), sequences.estimates(few)
        return Contest(
            title=self.title,
            training=self.training,
            measures={
                f"reconstruction error ({unit})": sequences.reconstruction_norm(self.test),
                f"element MAE ({unit})": sequences.absolute_error(self.test),
                **sequences.parameter_measures(self.test, found, name),
                "share of the physics": sequences.physics_share(self.test),
                f"error beyond the window ({unit})": sequences.extrapolation_norm(few, self.solve),
                f"error for other {name} ({unit})": sequences.counterfactual_norm(
                    few, of_few, name, self.factors, self.solve
                ),
            },
            caption="Reconstruction error: the mean Euclidean norm of what is missed of a sequence; the first "
            "observation, which is also the initial state, is counted. Element MAE: the mean absolute error. "
            f"Medians of replicates with 95 % intervals where there are enough, on {len(self.test):,} test "
            f"sequences with noise; the last two on {len(few)} of them, against the truth without noise: for a window "
            f"that follows the observed one, and for {name} times {', '.join(map(str, self.factors))}.",
        )

    def ladder(self, budget: Budget, seed: int) -> dict[str, Any]:
        """From no physics to all of it."""
        common = self._common(budget.steps, budget, seed)
        bare: dict[str, Any] = {"inside_size": None, "outside_size": None}
        return {
            "NN only": SequenceVAE(**self.unsolved, **common),
            "NN + solver": NeuralODEVAE(**self.solved, **common, inside_width=self.inside_width),
            PHYSICS: self._with_physics(common, {**self.ours, "effort": 0.0, "ppc": 0.0}, bare),
            BARE: self._with_physics(common, NONE),
            BEST: self._with_physics(common, self.ours),
            **{name: self._with_physics(common, {**self.ours, **changed}) for name, changed in self.others.items()},
            "PCA": ProbabilisticPCA(latent_size=self._latent_size, validation_fraction=1 / 3, seed=seed),
        }

    def ablations(self, budget: Budget, seed: int) -> dict[str, Any]:
        """All our regularisers, without each of them, with those of the released code, and with larger corrections."""
        common = self._common(budget.ablation_steps, budget, seed)
        used = [name for name, weight in self.ours.items() if weight]
        weights = {"all": self.ours, **{f"without {name}": {**self.ours, name: 0.0} for name in used}}
        if self.published is not None:
            weights["published weights"] = self.published
        models = {name: self._with_physics(common, chosen) for name, chosen in weights.items()}
        return models | {"larger corrections": self._with_physics(common, self.ours, self.larger)}

    def controls(self, budget: Budget, seed: int) -> dict[str, Any]:
        """Those with the physics, for data that need nothing else, as many steps as the ablations."""
        chosen = self.ladder(replace(budget, steps=budget.ablation_steps), seed)
        return {name: chosen[name] for name in (PHYSICS, BEST)}

    @property
    def _latent_size(self) -> int:
        return self.physics.parameters.size + sum(size or 0 for size in self.sizes.values())

    def _with_physics(
        self, common: Mapping[str, Any], weights: Mapping[str, Any], sizes: Mapping[str, Any] | None = None
    ) -> PhysicsVAE:
        options: dict[str, Any] = {**common, **(self.sizes if sizes is None else sizes), **weights}
        return PhysicsVAE(physics=self.physics, inside_width=self.inside_width, **options)

    def _common(self, steps: int, budget: Budget, seed: int) -> dict[str, Any]:
        chosen = {"steps": steps, "replicates": budget.replicates, "seed": seed, "validation_fraction": 1 / 3}
        return {**chosen, **self.common}


def released_weights(
    ppc: float, cleansing: float, augmentation: float, *, log_variance: float, variances: Float[np.ndarray, " k"]
) -> dict[str, float]:
    """The weights of the released code in the units of our terms.

    Its loss is 2σ² times ours, with a fixed σ² of exp(`log_variance`). The first weight has no unit. Its cleansing is a
    sum of squares, which ours divides by 2σ² in any case. Its augmentation is the mean square error of parameters in
    their own units; ours divides each by its prior's variance (`variances`), and that of several counts as one with
    their mean.
    """
    in_nats = augmentation / (2 * math.exp(log_variance))
    return {
        "ppc": ppc,
        "effort": 0.0,
        "cleansing": cleansing,
        "augmentation": in_nats * float(np.mean(variances)),
        "simulation": 0.0,
    }


def usual_weights() -> dict[str, float]:
    """The weights of the regularisers that `latax.PhysicsVAE` has when nothing is said."""
    usual = PhysicsVAE()
    return {name: getattr(usual, name) for name in Regularisers._fields}


def ladder_study(
    case: Case,
    budget: Budget,
    seed: int,
    console: Console,
    folder: Path,
    *,
    title: str,
    summary: str,
    explained: Case | None = None,
) -> StudyResult:
    """Fits the ladder and the ablations, and puts what was measured into tables.

    `explained`: the same case with data that the physics explains whole. What is wrong there is not owed to what the
    physics does not know.
    """
    contest = case.contest()
    results = hold(contest, case.ladder(budget, seed), console, folder)
    shorter = hold(contest, case.ablations(budget, seed), console, folder / "ablation")
    table, gained = _with_references(results, case), gains(results)
    without = shorter.table(f"Each regulariser and the size of the corrections, {budget.ablation_steps:,} steps")
    tables = [table, gained, without]
    sections = [
        Section("Ladder of models", tables=[table, gained], figures=[comparison(results)]),
        Section("Ablation", tables=[without], figures=[comparison(shorter)]),
    ]
    if explained is not None:
        held = hold(explained.contest(), explained.controls(budget, seed), console, folder / "explained")
        control = _with_references(held, explained)
        tables.append(control)
        sections.append(Section("Data that the physics explains", tables=[control], figures=[comparison(held)]))
    return StudyResult(
        title=title,
        summary=f"{budget.steps:,} steps, {budget.replicates} replicates. {summary}",
        tables=tables,
        sections=sections,
    )


def _with_references(results: Results, case: Case) -> Table:
    """The table, with what needs no training: the noise itself, and the physics by least squares."""
    table, x = results.table(), np.asarray(case.test.X)
    fitted = fit_each(case.physics, x, np.asarray(case.test.times))
    values = fitted.values[:, case.physics.parameters.names.index(case.parameter)]
    error = values - case.test.truth[case.parameter]
    known = {
        "physics by least squares": _errors(case, fitted.fits.reshape(x.shape))
        | {
            f"{case.parameter} MAE": float(np.mean(np.abs(error))),
            f"{case.parameter} bias": float(np.mean(error)),
            f"{case.parameter} correlation": float(np.corrcoef(values, case.test.truth[case.parameter])[0, 1]),
        },
        "the truth, without noise": _errors(case, case.test.truth["signal"].reshape(x.shape)),
    }
    rows = [[name, *(numbers.get(column) for column in table.columns[1:])] for name, numbers in known.items()]
    return Table(table.title, table.columns, [*table.rows, *rows], table.caption)


def _errors(case: Case, made: np.ndarray) -> dict[str, float]:
    difference = np.asarray(case.test.X) - made
    return {
        f"reconstruction error ({case.unit})": float(np.mean(np.linalg.norm(difference, axis=1))),
        f"element MAE ({case.unit})": float(np.mean(np.abs(difference))),
    }


def gains(results: Results) -> Table:
    """What the regularisers change, replicate by replicate."""
    pairs = {m: (results.values[BEST][m], results.values[BARE][m]) for m in results.contest.measures}
    rows = [[m, paired_difference(a, b)] for m, (a, b) in pairs.items() if a is not None and b is not None]
    return Table(
        f"{BEST}, less {BARE}",
        ["measure", "difference"],
        rows,
        "Means of the differences between replicates of the same seed, with 95 % intervals.",
    )


def comparison(results: Results) -> Figure:
    """All contestants by all measures."""
    intervals = {m: [results.interval(name, m) for name in results.fitted] for m in results.contest.measures}
    return figures.comparison_figure(list(results.fitted), intervals)
