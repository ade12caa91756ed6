"""latax: generative models whose latent space has a structure you can name.

    import latax

    model = latax.MFlow(latent_size=2).fit(X)
    model.log_prob(X).reconstruction_error

Estimators speak NumPy and scikit-learn; `latax.models` and the block rooms below it hold the pure modules.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latax.estimators import (
        VAE,
        VAEDLM,
        AmbientFlow,
        Autoencoder,
        FlowSequenceVAE,
        ForecastVAE,
        LowBendingAutoencoder,
        ManifoldDensity,
        MFlow,
        NeuralODEVAE,
        PhysicsVAE,
        PotentialFlow,
        ProbabilisticPCA,
        SequenceVAE,
        load,
    )

__version__ = "0.1.0"

__all__ = [
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
]


def __getattr__(name: str) -> Any:
    """Imports the estimators when the first one is asked for: `import latax` alone costs next to nothing."""
    if name in __all__:
        return getattr(importlib.import_module("latax.estimators"), name)
    raise AttributeError(f"module 'latax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
