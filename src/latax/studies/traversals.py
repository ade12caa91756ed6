"""Learned potentials and paths of other kinds on one decoder: fit, measure by known attributes, put into tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console

from latax._errors import DataError
from latax.estimators import PotentialFlow
from latax.estimators.decoders import draws_of
from latax.evaluate import (
    Interval,
    attribute_correlation,
    confidence_interval,
    factor_purity,
    norm_drift,
    paired_difference,
    round_trip_error,
    variation_predictability,
)
from latax.potential import HORIZON
from latax.report import figures
from latax.report.content import Figure
from latax.report.tables import Table
from latax.studies.contest import fit_or_resume, slug
from latax.studies.paths import EXACT, Follow, unlearned_paths
from latax.studies.world import World, changes_of, spans, units

#: Points of a path on which it is measured.
POINTS = 9

PURITY, VP, ACCURACY = "purity", "VP accuracy", "pair accuracy"
DISPLACEMENT, DRIFT, ROUND_TRIP = "displacement / √n", "drift", "worst round trip"
MEASURES = (PURITY, VP, ACCURACY, DISPLACEMENT, DRIFT, ROUND_TRIP)

CAPTION = (
    "Medians of replicates with 95 % intervals where there are enough; replicates differ in weights and starts, and "
    "have the same decoder. Purity: the mean share of its own attribute in "
    "what each path changes, by the best one-to-one assignment (1: each path changes one attribute, and each another). "
    "VP accuracy: of a classifier that is shown differences of test pairs; it sees that paths are distinct, not that "
    "they are factors. Pair accuracy: that of the potentials' own classifier. Drift: the greatest relative change "
    "of |z| on a path, mean over paths. "
    "Straight lines are as fast as the first potentials, and begin at the same points. Singular vectors are of the "
    "decoder's Jacobian: at the start of each line, or their mean directions. The factors themselves: along the "
    "gradients of functions that are known, or in images that no decoder made, where what of their purity is below 1 "
    "is in how attributes are measured; where they are fewer than the attributes, theirs is a mean over fewer paths, "
    "and no bound for the others."
)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Optimiser steps, replicates, first points of paths, and steps of the classifier of differences."""

    steps: int
    replicates: int
    starts: int
    vp_steps: int
    vp_seeds: int = 5


@dataclass(frozen=True)
class Comparison:
    """Measures {contestant: {measure: (replicates,) or None}}, seconds of training, and the fits that were learned."""

    world: World
    values: dict[str, dict[str, np.ndarray | None]] = field(default_factory=dict)
    seconds: dict[str, float | None] = field(default_factory=dict)
    learned: dict[str, PotentialFlow] = field(default_factory=dict)

    def interval(self, name: str, measure: str) -> Interval | None:
        """The median over replicates with its interval."""
        values = self.values[name][measure]
        return None if values is None else confidence_interval(values, statistic="median")

    def table(self, title: str, names: Sequence[str] | None = None) -> Table:
        """One row for each of these contestants, all by default."""
        rows = []
        for name in self.values if names is None else names:
            values = self.values[name]
            count = len(next(v for v in values.values() if v is not None))
            rows.append([name, *(self.interval(name, m) for m in MEASURES), count, self.seconds[name]])
        return Table(title, ["paths", *MEASURES, "replicates", "training (s)"], rows, CAPTION)

    @property
    def unlearned(self) -> list[str]:
        """The contestants that are not learned."""
        return [name for name in self.values if name not in self.learned]

    def differences(self, name: str, others: Sequence[str]) -> Table:
        """How much purer one kind of paths is than others, replicate by replicate."""
        own = self.values[name][PURITY]
        assert own is not None
        rows = []
        for other in others:
            if other in (name, EXACT):
                continue
            theirs = self.values[other][PURITY]
            assert theirs is not None
            rows.append([other, paired_difference(own, theirs)])
        return Table(
            f"{self.world.title}: purity of {name}, less that of others",
            ["others", "difference"],
            rows,
            "Means of the differences between replicates, which share their first points, with 95 % intervals.",
        )

    def figure(self, names: Sequence[str] | None = None) -> Figure:
        """These contestants, all by default, by purity and VP accuracy."""
        chosen = list(self.values if names is None else names)
        intervals = {m: [self.interval(name, m) for name in chosen] for m in (PURITY, VP)}
        return figures.comparison_figure(chosen, intervals)

    def correlations(self, name: str, starts: int = 256) -> tuple[Table, Table]:
        """How straight each attribute goes with the position along each path of the best replicate, and how far."""
        model = self.learned[name]
        Z = model.draw(starts, seed=model.seed + 5_000_003)
        straight: list[list[Any]] = []
        far: list[list[Any]] = []
        span = spans(self.world, model.seed)
        for k in range(model.potentials):
            path = model.traverse(Z, k, steps=POINTS)
            found = self.world.attributes(path)
            values = np.stack([found[attribute] for attribute in self.world.names], axis=2)
            seen = np.isfinite(values).all(axis=(1, 2))
            along = attribute_correlation(values[seen], path.times)
            straight.append([f"potential {k}", *np.nanmean(along.pearson, axis=0).tolist()])
            far.append([f"potential {k}", *(np.mean(along.slope, axis=0) / span).tolist()])
        correlations = Table(
            f"{self.world.title}: {name}, correlation with attributes",
            ["path", *self.world.names],
            straight,
            f"Pearson correlations of attributes with the position along a path, means over {starts} starts, of the "
            "replicate that was chosen. A path along one factor in the same direction everywhere has ±1 there, and "
            "one whose sense depends on the start has less. They know no size: little changes can have ±1 as well.",
        )
        slopes = Table(
            f"{self.world.title}: {name}, change of attributes",
            ["path", *self.world.names],
            far,
            "How far each attribute changes along the whole path, as a share of its range, by straight lines through "
            f"it; means over the same {starts} starts.",
        )
        return correlations, slopes

    def sheet(self, name: str) -> Figure:
        """The decoded paths of one learned kind, from one point."""
        model = self.learned[name]
        Z = model.draw(1, seed=model.seed + 1)
        paths = {f"potential {k}": model.traverse(Z, k, steps=POINTS).data[0] for k in range(model.potentials)}
        return figures.paths_figure(
            {label: path.reshape(POINTS, -1).astype(np.float64) for label, path in paths.items()},
            np.linspace(0, HORIZON, POINTS),
            model.data_shape_,
            title=f"{self.world.title}: {name}",
            caption="Every row begins at the same point.",
        )


def compare(
    world: World,
    kinds: Mapping[str, Mapping[str, Any]],
    effort: Effort,
    seed: int,
    console: Console,
    folder: Path,
    *,
    baselines: bool = True,
) -> Comparison:
    """Fits potentials of each kind, by its options of `PotentialFlow`, and measures them beside straight lines.

    A kind whose run is there is resumed. The others are as fast as the first kind.
    """
    found = Comparison(world)
    span = spans(world, seed)
    for name, options in kinds.items():
        console.print(f"{world.title}: {name}", style="bold", markup=False)
        common = {"potentials": world.potentials, "steps": effort.steps, "replicates": effort.replicates, "seed": seed}
        estimator = PotentialFlow(world.space, **{**common, **options})
        model, seconds = fit_or_resume(estimator.fit, folder / slug(f"{world.title} {name}"))
        found.learned[name], found.seconds[name] = model, seconds
        replicates = []
        for r in range(effort.replicates):
            one = model.replicate(r)
            numbers = measure(world, one.traverse, span, effort, seed + r, backwards=True)
            replicates.append(numbers | {ACCURACY: one.assess().accuracy})
        found.values[name] = _stacked(replicates)
    if baselines and world.exact is not None:
        changes = [world.exact(effort.starts, seed + r) for r in range(effort.replicates)]
        pure = np.array([factor_purity(change, span).value for change in changes])
        found.values[EXACT], found.seconds[EXACT] = {**dict.fromkeys(MEASURES), PURITY: pure}, None
    for name, of_seed in (unlearned_paths(world, speed_of_first(kinds)) if baselines else {}).items():
        console.print(f"{world.title}: {name}", style="bold", markup=False)
        lines = [of_seed(seed + r) for r in range(effort.replicates)]
        found.values[name] = _stacked([measure(world, f, span, effort, seed + r) for r, f in enumerate(lines)])
        found.seconds[name] = None
    return found


def speed_of_first(kinds: Mapping[str, Mapping[str, Any]]) -> float:
    """The speed of the first kind, which all others are held against."""
    return next(iter(kinds.values())).get("speed", PotentialFlow.speed)


def measure(
    world: World, follow: Follow, span: Float[np.ndarray, " F"], effort: Effort, seed: int, *, backwards: bool = False
) -> dict[str, float | None]:
    """The measures of one set of paths from fresh draws; starts with an image that shows nothing are left out."""
    Z = draws_of(world.space, effort.starts, seed + 2_000_003)
    loc, scale = units(world.space)
    unit = lambda z: (np.asarray(z, np.float64) - loc) / scale
    change, seen, displacement, drift, back = [], [], [], [], []
    for k in range(world.potentials):
        path = follow(Z, k, steps=POINTS)
        values = world.attributes(path)
        change.append(changes_of(values, world.names))
        seen.append(path.data[:, -1] - path.data[:, 0])
        latent = unit(path.latent)
        displacement.append(np.linalg.norm(latent[:, -1] - latent[:, 0], axis=1) / np.sqrt(latent.shape[2]))
        drift.append(norm_drift(latent))
        if backwards:
            there = follow(path.latent[:, -1], k, steps=POINTS, backwards=True)
            back.append(round_trip_error(latent[:, 0], unit(there.latent[:, -1])))
    changes = np.stack(change)
    visible = np.isfinite(changes).all(axis=(0, 2))
    if not visible.any():
        raise DataError(f"Every path in {world.title} goes through an image that shows nothing. Look at the decoder.")
    vp = variation_predictability(
        np.concatenate(seen).astype(np.float32),
        np.repeat(np.arange(world.potentials), effort.starts),
        count=world.potentials,
        seeds=effort.vp_seeds,
        steps=effort.vp_steps,
        seed=seed,
    )
    return {
        PURITY: factor_purity(changes[:, visible], span).value,
        VP: vp.interval.estimate,
        ACCURACY: None,
        DISPLACEMENT: float(np.mean(displacement)),
        DRIFT: float(np.mean(drift)),
        ROUND_TRIP: float(np.max(back)) if back else None,
    }


def _stacked(replicates: Sequence[dict[str, float | None]]) -> dict[str, np.ndarray | None]:
    found: dict[str, np.ndarray | None] = {}
    for name in MEASURES:
        values: list[Any] = [numbers[name] for numbers in replicates]
        found[name] = None if any(value is None for value in values) else np.array(values, float)
    return found
