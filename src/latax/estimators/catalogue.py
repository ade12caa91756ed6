"""Every estimator by its name, and loading a saved one."""

import os
from pathlib import Path
from typing import Any

from latax._errors import ConfigError, FileError
from latax.estimators import store
from latax.estimators.ambient_flow import AmbientFlow
from latax.estimators.autoencoder import Autoencoder
from latax.estimators.base import AbstractEstimator
from latax.estimators.flow_sequence_vae import FlowSequenceVAE
from latax.estimators.forecast_vae import ForecastVAE
from latax.estimators.low_bending import LowBendingAutoencoder
from latax.estimators.manifold_density import ManifoldDensity
from latax.estimators.mflow import MFlow
from latax.estimators.neural_ode_vae import NeuralODEVAE
from latax.estimators.physics_vae import PhysicsVAE
from latax.estimators.potential_flow import PotentialFlow
from latax.estimators.probabilistic_pca import ProbabilisticPCA
from latax.estimators.sequence_vae import SequenceVAE
from latax.estimators.vae import VAE
from latax.estimators.vae_dlm import VAEDLM
from latax.train import read_metrics

ESTIMATORS: dict[str, type[AbstractEstimator]] = {
    "mflow": MFlow,
    "ambient-flow": AmbientFlow,
    "manifold-density": ManifoldDensity,
    "autoencoder": Autoencoder,
    "low-bending": LowBendingAutoencoder,
    "physics-vae": PhysicsVAE,
    "neural-ode-vae": NeuralODEVAE,
    "sequence-vae": SequenceVAE,
    "vae-dlm": VAEDLM,
    "forecast-vae": ForecastVAE,
    "flow-sequence-vae": FlowSequenceVAE,
    "vae": VAE,
    "probabilistic-pca": ProbabilisticPCA,
}


#: Those that are fitted to a decoder and not to data.
TRAVERSALS: dict[str, type[PotentialFlow]] = {PotentialFlow.name: PotentialFlow}


def load(path: str | os.PathLike[str], **params: Any) -> Any:
    """A fitted estimator from the folder that `save` wrote, or from a run folder.

    `params` are constructor arguments that a file cannot hold, such as a chart of your own.
    Raises `FileError` if the folder is missing, damaged, foreign, or of a newer version.
    """
    folder, history = Path(path), []
    if not (folder / store.TENSORS).exists() and (folder / "config.json").exists():
        if not (folder / "model").is_dir():
            raise FileError(
                f"The run {folder} has no model yet: it was stopped before its end. "
                f"Finish it by `latax resume {folder}`."
            )
        history = read_metrics(folder / "metrics.jsonl")
        folder = folder / "model"
    config = store.read_config(folder)
    estimator = restore(config, params)
    try:
        estimator._restore(folder, config)
    except (FileError, ConfigError):
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{folder / store.CONFIG} is damaged: it does not describe a {config['estimator']} "
            f"({type(error).__name__}: {error}). Restore it from a copy, or fit again."
        ) from error
    estimator.history_ = history
    return estimator


def restore(config: dict[str, Any], params: dict[str, Any] | None = None) -> Any:
    """A new estimator as a model's or a run's config.json describes it."""
    name, known = config.get("estimator"), {**ESTIMATORS, **TRAVERSALS}
    if name not in known:
        raise FileError(f"The model is a {name!r}, which this version does not know; known are {sorted(known)}.")
    try:
        estimator = known[name](**(config["params"] | (params or {})))
    except (KeyError, TypeError) as error:
        raise FileError(f"The parameters in config.json do not fit {name}: {error}. Restore it from a copy.") from error
    estimator._check_params()
    return estimator
