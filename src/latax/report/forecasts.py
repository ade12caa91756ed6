"""What a report shows of forecasts, and of the manifold behind them."""

import numpy as np
from jaxtyping import Array

from latax.data import Samples
from latax.estimators.forecast_assessment import ForecastAssessment
from latax.estimators.forecaster import AbstractForecaster
from latax.estimators.rows import map_rows
from latax.models.dynamic_manifold import DynamicManifoldVAE as Module
from latax.report import figures
from latax.report.content import Figure

_SHOWN, _POINTS = 3, 500


def forecast_figures(found: ForecastAssessment, estimator: AbstractForecaster, held_out: Samples) -> list[Figure]:
    """Errors against time, some forecasts, and the manifold where there is one."""
    times = np.asarray(estimator.times_)
    errors = {"model": found.errors} | ({} if found.nearest is None else {"look-up": found.nearest})
    few = held_out.take(np.unique(np.linspace(0, len(held_out) - 1, _SHOWN).astype(int)))
    by_time = lambda x: np.asarray(x, np.float64).reshape(len(few), len(times), -1)
    shown = [
        figures.forecast_error_figure(times, errors),
        figures.forecasts_figure(times, by_time(few.X), by_time(estimator.project(few))),
    ]
    if found.manifold is None or found.moments is None:
        return shown
    look, moments = found.manifold, found.moments
    Z = np.asarray(estimator.transform(held_out.take(np.arange(min(len(held_out), _POINTS)))), np.float32)
    at = moments[[0, len(moments) // 2, -1]]
    points = np.stack([map_rows(_point, estimator._centred, Z, np.full(len(Z), t, np.float32)) for t in at])
    return [
        *shown,
        figures.manifold_figure(at, points.astype(np.float64), Z[:, 0].astype(np.float64)),
        figures.manifold_numbers_figure(
            moments,
            {
                "log-volume": np.asarray(look.log_volume),
                "condition number": np.asarray(look.condition),
                "residual / flow's terms": np.asarray(look.residual),
                "share of the operator": np.asarray(look.operator_share),
            },
        ),
    ]


def _point(module: Module, v: Array, t: Array) -> Array:
    return module.embed(module.chart(v), t)
