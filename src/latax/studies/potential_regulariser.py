"""Potentials as a part of a variational autoencoder of sequences of digits: likelihood and equivariance."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float
from rich.console import Console

from latax.data import Samples, digit_sequences
from latax.data.split import split
from latax.estimators import FlowSequenceVAE
from latax.estimators.rows import map_rows
from latax.evaluate import EquivarianceError, equivariance_error, paired_difference
from latax.report import figures
from latax.report.content import Figure, Section
from latax.report.tables import Table
from latax.studies.contest import Contest, Measure, Results, hold
from latax.studies.result import StudyResult

BEST, LINEAR, VAE = "potential flow", "linear flow", "VAE of frames"
KINDS: dict[str, dict[str, Any]] = {
    BEST: {},
    "potential flow, no equation": {"pde": "none"},
    "potential flow, middle frame": {"at": digit_sequences.TIMES // 2},
    LINEAR: {"flow": "linear"},
    VAE: {"flow": "none"},
    "β-VAE of frames, β = 4": {"flow": "none", "beta": 4.0},
}
#: Those for which it makes a difference that the transformation is not known.
UNKNOWN = (BEST, LINEAR, VAE)
#: Pixels of a side of the images, and sequences in a batch.
SIDE, BATCH = 14, 32
NLL, ELBO = "−IWAE (nats per number)", "−ELBO (nats per number)"
ERROR, FLOOR = "equivariance error", "its floor"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget:
    """Sequences, optimiser steps, replicates, and draws for the bounds."""

    sequences: int
    steps: int
    replicates: int
    draws: int


BUDGETS = {
    "quick": Budget(sequences=300, steps=300, replicates=2, draws=4),
    "full": Budget(sequences=3_000, steps=1_500, replicates=5, draws=64),
}


def potential_regulariser(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Sequences of digits that are scaled, turned or recoloured: potential flows, straight flows and plain VAEs."""
    chosen = BUDGETS[budget]
    made = digit_sequences.make(chosen.sequences, seed + 1_000_000, known=True, side=SIDE)
    called = digit_sequences.TRANSFORMATIONS
    return regulariser_study(made, called, KINDS, UNKNOWN, chosen, seed, console, folder, batch_size=BATCH)


def regulariser_study(
    sequences: Samples,
    called: tuple[str, ...],
    kinds: Mapping[str, Mapping[str, Any]],
    unknown: tuple[str, ...],
    budget: Budget,
    seed: int,
    console: Console,
    folder: Path,
    **common: Any,
) -> StudyResult:
    """The study of these sequences, whose transformations are `called` so, split by image so that no digit is in both
    parts; `common`: options of all."""
    rows, test_rows = split(len(sequences), (0.8, 0.2), seed=seed, groups=sequences.groups)
    options = {"latent_size": 16, **common, "steps": budget.steps, "replicates": budget.replicates, "seed": seed}
    tables, sections = [], []
    for title, told, names in (("known", True, tuple(kinds)), ("not known", False, unknown)):
        training, test = (_told(sequences.take(part), told) for part in (rows, test_rows))
        contest = Contest(
            title=f"Digit sequences, transformation {title}",
            training=training,
            measures=measures(test, sequences.truth["transformation"][test_rows], budget.draws),
            caption="Smaller is better. Medians of replicates with 95 % intervals where there are enough, on "
            f"{len(test)} sequences of images that no model has seen. Bounds of log p: with {budget.draws} draws; of "
            "the sequence given its transformation where that is known. Equivariance error: the sum of absolute "
            "differences over the pixels of all frames but the encoded one, between a sequence and what the flow makes "
            "of that one, the mean over transformations; from a middle frame flows are half as long. For frames by "
            "themselves the flow stands still. The floor is the same for frames that are encoded one by one: an "
            "encoder that was shown all frames, as that of the VAE of frames, has no lower error to expect; those of "
            "flows were shown one frame of each sequence."
            + ("" if told else " The flow is that of the likeliest transformation."),
        )
        contestants = {name: FlowSequenceVAE(**{"potentials": len(called), **options, **kinds[name]}) for name in names}
        results = hold(contest, contestants, console, folder)
        table, gained = results.table(), gains(results, names)
        tables += [table, gained]
        intervals = {m: [results.interval(name, m) for name in results.fitted] for m in contest.measures}
        shown = figures.comparison_figure(list(results.fitted), intervals)
        paths = [paths_of(results.fitted[names[0]], test, called)] if told else []
        sections.append(Section(f"Transformation {title}", tables=[table, gained], figures=[*paths, shown]))
    return StudyResult(
        title="Potential flows as a part of a VAE",
        summary=f"{len(sequences):,} sequences, {budget.steps:,} steps, {budget.replicates} replicates. Nothing is "
        "above the likelihood, so a lower bound can be compared; a tighter posterior and a better model both lower it.",
        tables=tables,
        sections=sections,
    )


def paths_of(model: FlowSequenceVAE, test: Samples, called: tuple[str, ...]) -> Figure:
    """What each flow makes of a frame of the first sequence."""
    times = np.asarray(test.times)
    follow = lambda k: model.traverse(model.start(_sequences(test)[:1], k), k, steps=len(times)).data[0]
    return figures.paths_figure(
        {name: follow(k).reshape(len(times), -1).astype(np.float64) for k, name in enumerate(called)},
        times,
        test.sample_shape[1:],
        title="The flow of each transformation, from one image",
        caption="An image that no model has seen, of which the flow knows one frame.",
    )


def gains(results: Results, names: tuple[str, ...]) -> Table:
    """What the first model gains over each of the others, replicate by replicate."""
    rows: list[list[Any]] = []
    first, *others = names
    for other in others:
        cells: list[Any] = []
        for name in results.contest.measures:
            own, theirs = results.values[first][name], results.values[other][name]
            cells.append(None if own is None or theirs is None else paired_difference(own, theirs))
        rows.append([other, *cells])
    return Table(
        f"{results.contest.title}: {first}, less the others",
        ["others", *results.contest.measures],
        rows,
        "Means of the differences between replicates of the same seed, with 95 % intervals; below zero is better.",
    )


def measures(test: Samples, which: np.ndarray, draws: int) -> dict[str, Measure]:
    """Bounds and equivariance errors on these sequences, of the transformations `which`."""
    size = test.X.shape[1]
    bounds = functools.cache(lambda model: model.bounds(test, draws=draws))
    errors = functools.cache(lambda model: equivariance(model, test))
    return {
        NLL: lambda model: -float(np.mean(bounds(model).iwae)) / size,
        ELBO: lambda model: -float(np.mean(bounds(model).elbo)) / size,
        ERROR: lambda model: _mean_over(which, errors(model).error),
        FLOOR: lambda model: _mean_over(which, errors(model).floor),
    }


def equivariance(model: Any, test: Samples) -> EquivarianceError:
    """The error of each sequence; for frames by themselves that of a flow that stands still, from the first frame."""
    wanted = _sequences(test)
    flat = np.asarray(test.X, np.float32).reshape(len(test), test.sample_shape[0], -1)
    rebuilt = np.asarray(map_rows(_rebuilt, model.module_, flat, chunk=64), np.float64).reshape(wanted.shape)
    flowed = np.broadcast_to(rebuilt[:, :1], wanted.shape) if model.flow == "none" else model.project(test)
    return equivariance_error(wanted, flowed, rebuilt, at=0 if model.flow == "none" else model.at)


def _sequences(samples: Samples) -> Float[np.ndarray, "N T *frame"]:
    return np.asarray(samples.X, np.float64).reshape(len(samples), *samples.sample_shape)


def _rebuilt(module: Any, frames: Float[Array, "T d"]) -> Float[Array, "T d"]:
    return jax.vmap(lambda frame: module.decode(module.posterior_of_frame(frame).mean))(frames)


def _mean_over(which: np.ndarray, values: Float[np.ndarray, " N"]) -> float:
    """The mean over transformations of the means over their sequences."""
    return float(np.mean([values[which == k].mean() for k in np.unique(which)]))


def _told(samples: Samples, told: bool) -> Samples:
    """The same sequences, with their transformation as context or without."""
    return samples if told else dataclasses.replace(samples, context=None, context_names=())
