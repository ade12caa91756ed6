"""What a report shows of a physics with learned corrections."""

from typing import Any

import numpy as np

from latax.data import Samples
from latax.estimators.physics_assessment import PhysicsAssessment
from latax.estimators.physics_vae import PhysicsVAE
from latax.report import figures
from latax.report.content import Figure

SHOWN = 6


def physics_figures(found: PhysicsAssessment, estimator: PhysicsVAE, held_out: Samples) -> list[Figure]:
    """Fits, the parameters with their intervals, what each part explains, and what goes on beyond the data."""
    shown = held_out.take(np.unique(np.linspace(0, len(held_out) - 1, SHOWN).astype(int)))
    times = np.asarray(estimator.times_)
    ladder = estimator.ladder(shown)
    data = _first_column(shown.X, len(times))
    curves = {
        "full model": _first_column(ladder.full, len(times)),
        "physics alone": _first_column(ladder.physics, len(times)),
    }
    longer = np.concatenate([times, times[-1] + np.cumsum(np.diff(times))])
    ahead = _first_column(estimator.predict(shown, longer), len(longer))
    return [
        figures.sequences_figure(times, data, curves),
        figures.extrapolation_figure(times, data, longer, ahead),
        *(
            figures.estimates_figure(name, estimate, found.prior_left[name])
            for name, estimate in estimator.parameters(held_out).items()
        ),
        figures.shares_figure(found.shares),
    ]


def _first_column(X: Any, count: int) -> np.ndarray:
    """One number for each time of each sequence: the first that is observed."""
    return np.asarray(X, np.float64).reshape(len(X), count, -1)[:, :, 0]
