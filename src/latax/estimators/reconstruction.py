"""What is known about a model that only rebuilds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from latax.estimators.assessment import Assessment


@dataclass(frozen=True, kw_only=True)
class ReconstructionAssessment(Assessment):
    """Errors of held-out rows.

    - `errors`: Euclidean distance of each row to its reconstruction, in data units; `data_scale`: root mean square
        distance of the rows from their mean; `pca_error`: that of PCA with as many coordinates, where training rows
        were given.
    """

    errors: Float[np.ndarray, " N"]
    data_scale: float
    pca_error: float | None = None
