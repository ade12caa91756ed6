"""The NumPy face of every model: scikit-learn estimators."""

from latax.estimators.ambient_flow import AmbientFlow
from latax.estimators.autoencoder import Autoencoder
from latax.estimators.catalogue import ESTIMATORS, TRAVERSALS, load, restore
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

__all__ = [
    "ESTIMATORS",
    "TRAVERSALS",
    "VAE",
    "VAEDLM",
    "AmbientFlow",
    "Autoencoder",
    "FlowSequenceVAE",
    "ForecastVAE",
    "LowBendingAutoencoder",
    "MFlow",
    "ManifoldDensity",
    "NeuralODEVAE",
    "PhysicsVAE",
    "PotentialFlow",
    "ProbabilisticPCA",
    "SequenceVAE",
    "load",
    "restore",
]
