"""How well samples determine the parameters of a physics: by Fisher information and prior, in a linear model."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float

from latax.estimators.rows import map_rows
from latax.estimators.signal_estimator import rows_at_once, shaped
from latax.estimators.splitting import evenly
from latax.models import physics_discrepancy
from latax.models.physics_discrepancy import Discrepancy

#: Training samples whose corrections show what else may be missing.
SEQUENCES = 64


class Spreads(NamedTuple):
    """Standard deviations of the parameters given each sample, in those of their priors, as coordinates count them.

    - `known`: given also all else.
    - `model`: with the corrections' latent coordinates unknown.
    - `marginal`: with a further discrepancy unknown too.
    """

    known: Float[np.ndarray, "N k"]
    model: Float[np.ndarray, "N k"]
    marginal: Float[np.ndarray, "N k"]


def spreads(module: Any, x: Float[np.ndarray, "N d"], training: Float[np.ndarray, "M d"]) -> Spreads:
    """Of the parameters of samples x, with the discrepancy that the corrections to training samples show."""
    count = len(module.physics.parameters)
    discrepancy = map_rows(_learned, module, training[evenly(np.arange(len(training)), SEQUENCES)])
    chunk = rows_at_once(x.shape[1] * (count + len(discrepancy.outputs)))
    pieces = [_spreads(module, x[i : i + chunk], discrepancy, count) for i in range(0, len(x), chunk)]
    return Spreads(*(np.concatenate(piece) for piece in zip(*pieces, strict=True)))


def _spreads(module: Any, x: np.ndarray, discrepancy: Discrepancy, parameters: int) -> Spreads:
    J = map_rows(_sensitivity, (module, discrepancy), x, chunk=len(x)).astype(np.float64)
    information = np.swapaxes(J, 1, 2) @ J + np.eye(J.shape[2])
    latents = information.shape[1] - len(discrepancy.outputs)
    of_parameters = lambda matrices: np.diagonal(matrices, axis1=1, axis2=2)[:, :parameters]
    variances = lambda count: of_parameters(np.linalg.inv(information[:, :count, :count]))
    known = 1 / of_parameters(information)
    return Spreads(*(np.sqrt(v) for v in (known, variances(latents), variances(information.shape[1]))))


def _learned(module: Any, x: Array) -> Discrepancy:
    return physics_discrepancy.learned(module, shaped(module, x))


def _sensitivity(module_and_discrepancy: Any, x: Array) -> Array:
    module, discrepancy = module_and_discrepancy
    return physics_discrepancy.sensitivity(module, shaped(module, x), discrepancy)
