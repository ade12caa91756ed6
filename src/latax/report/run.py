"""The report of one run: what a fitted estimator says about its data, as a page."""

import functools
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from latax import __version__
from latax.data import Samples
from latax.estimators.assessment import Assessment, DensityAssessment, rows_to_judge
from latax.estimators.base import AbstractEstimator, AbstractSampler
from latax.estimators.citation import bibtex
from latax.estimators.density_verbs import DensityVerbs
from latax.estimators.embedding_assessment import EmbeddingAssessment
from latax.estimators.flow_sequence_vae import FlowSequenceVAE
from latax.estimators.forecast_assessment import ForecastAssessment
from latax.estimators.physics_assessment import PhysicsAssessment
from latax.estimators.physics_vae import PhysicsVAE
from latax.estimators.potential_flow import PotentialFlow
from latax.estimators.reconstruction import ReconstructionAssessment
from latax.estimators.sequence_assessment import SequenceAssessment
from latax.estimators.signal_estimator import AbstractSignalEstimator
from latax.evaluate import confidence_interval
from latax.models.dynamic_objective import RECORDED
from latax.report import figures
from latax.report.content import Figure, ReportContent, Section
from latax.report.density import density_figures
from latax.report.embedding import embedding_figures, reconstruction_figures
from latax.report.forecasts import forecast_figures
from latax.report.page import write_report
from latax.report.sequences import first_state, physics_figures, sequence_figures
from latax.report.tables import Table

#: What metrics are called; all of them are the better the smaller.
_LABELS = {
    "reconstruction_error": "reconstruction error (data units)",
    "nll": "nll (nats)",
    "forecast_error": "forecast error (root mean square, data units)",
    "bound": "nll, upper bound (nats)",
    "energy": "energy",
    "distortion": "distortion",
    "bending": "bending (1 / length²)",
    "path_loss": "cross-entropy of the paths, and their misalignment (nats)",
}


def report_run(path: str | Path, estimator: AbstractEstimator, samples: Samples) -> Assessment:
    """Writes the report of a fitted estimator and of the samples it was fitted on; returns what it found."""
    training, held_out = rows_to_judge(estimator, samples)
    found = estimator.assess(held_out, training)
    write_report(path, run_content(estimator, samples, held_out, found, Path(path).parent))
    return found


def run_content(
    estimator: AbstractEstimator, samples: Samples, held_out: Samples, found: Assessment, run: Path
) -> ReportContent:
    """The page of one run."""
    name = type(estimator).__name__
    return ReportContent(
        title=f"{name} of {_short(samples.origin)}",
        facts={
            "model": name,
            "data": samples.origin,
            "rows": f"{len(samples):,} ({len(estimator.rows(samples)[1]):,} held out)",
            "columns": str(samples.X.shape[1]),
            "date": date.today().isoformat(),
            "latax": __version__,
            "seeds": _seeds(estimator),
        },
        diagnosis=found.diagnosis,
        sections=[
            Section(
                "Numbers",
                text="On held-out rows, which also chose the best weights. Log densities are natural logarithms in the "
                "units of the data.",
                tables=[metrics_table(estimator)],
            ),
            Section("What was learnt", figures=[*training_figures(estimator), *learnt(found, estimator, held_out)]),
        ],
        config=estimator._params(),
        commands=[
            *_commands(estimator, run),
            f"latax encode {run} FILE --out latent.csv",
            f'# in Python\nmodel = latax.load("{run}")',
        ],
        bibtex=bibtex(estimator.name),
    )


def _commands(estimator: AbstractEstimator, run: Path) -> list[str]:
    """Those that not every model can follow."""
    if not isinstance(estimator, AbstractSampler):
        return [f"latax project {run} FILE --out projected.npz"]
    scored = isinstance(estimator, DensityVerbs | AbstractSignalEstimator)
    commands = [
        f"latax score {run} FILE --out scores.csv" if scored else f"latax project {run} FILE --out projected.npz"
    ]
    commands.append(f"latax sample {run} --size 1000 --out samples.{'csv' if scored else 'npz'}")
    if isinstance(estimator, FlowSequenceVAE) and estimator.flow != "none":
        commands.append(f"latax traverse {run} --k 0 --out paths")
    if isinstance(estimator, PhysicsVAE):
        commands.append(f"latax parameters {run} FILE --out parameters.csv")
        commands.append(f"latax explain {run} FILE --out shares.csv")
    return commands


@functools.singledispatch
def learnt(found: Assessment, estimator: AbstractEstimator, held_out: Samples) -> list[Figure]:
    """Every picture that the model can be asked for; each kind of assessment has its own."""
    raise NotImplementedError(f"There is no picture of a {type(found).__name__}.")


learnt.register(DensityAssessment)(density_figures)
learnt.register(ReconstructionAssessment)(reconstruction_figures)
learnt.register(EmbeddingAssessment)(embedding_figures)
learnt.register(ForecastAssessment)(forecast_figures)
learnt.register(SequenceAssessment)(sequence_figures)
learnt.register(PhysicsAssessment)(physics_figures)


def training_figures(estimator: AbstractEstimator | PotentialFlow) -> list[Figure]:
    """The curves of the training, where its reports are at hand."""
    if not estimator.history_:
        return []
    curves = [figures.loss_figure(histories(estimator))]
    if recorded := _recorded(estimator.history_):
        curves.append(
            figures.record_figure(
                recorded,
                title="The manifold in training",
                caption="The mean log-volume of the latent manifold, and the mean log of its strongest stretch over "
                "its weakest. A manifold that collapses loses the one and gains the other.",
            )
        )
    return curves


def histories(estimator: AbstractEstimator | PotentialFlow) -> list[figures.PhaseHistory]:
    """The reports of the training, as curves for each phase."""
    return [_history(phase, records) for phase, records in _by_phase(estimator.history_).items()]


def _recorded(history: Sequence[dict[str, Any]]) -> list[figures.PhaseHistory]:
    """What was not a term of the loss, by phase."""
    return [
        figures.PhaseHistory(phase, np.array([r["step"] for r in records]), _terms(records, RECORDED))
        for phase, records in _by_phase(history).items()
        if set(RECORDED) <= set(records[0]["terms"])
    ]


def _terms(records: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, np.ndarray]:
    return {name: np.array([r["terms"][name] for r in records]).T for name in names}


def _by_phase(history: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    phases: dict[str, list[dict[str, Any]]] = {}
    for record in history:
        phases.setdefault(record["phase"], []).append(record)
    return phases


def _history(phase: str, records: list[dict[str, Any]]) -> figures.PhaseHistory:
    validated = [r for r in records if "validation" in r]
    return figures.PhaseHistory(
        name=phase,
        steps=np.array([r["step"] for r in records]),
        terms=_terms(records, [name for name in records[0]["terms"] if name not in RECORDED]),
        validation_steps=np.array([r["step"] for r in validated], dtype=np.int64),
        validation=np.array([r["validation"] for r in validated]).T if validated else None,
    )


def metrics_table(estimator: AbstractEstimator | PotentialFlow) -> Table:
    """The validation metrics: the best replicate's, and the median of all with its interval."""
    rows = []
    for name, values in estimator.metrics_.items():
        over = confidence_interval(values, statistic="median") if len(values) > 1 else None
        rows.append([_LABELS[name], float(values[estimator.best_]), over, len(values)])
    caption = "A single run has no interval: fit 5 replicates to see how much is luck."
    columns = ["metric", "replicate in use", "median of replicates", "replicates"]
    captions = [caption if estimator.n_replicates_ == 1 else "", first_state(estimator)]
    return Table("Held-out metrics", columns, rows, " ".join(filter(None, captions)))


def _short(origin: str) -> str:
    """Where data are from without the folders of their file."""
    path, bracket, rest = origin.partition(" (")
    return Path(path).name + bracket + rest


def _seeds(estimator: Any) -> str:
    last = estimator.seed + estimator.n_replicates_ - 1
    return str(estimator.seed) if last == estimator.seed else f"{estimator.seed} to {last}"
