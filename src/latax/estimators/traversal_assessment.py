"""Are the paths of a potential flow distinct, visible, reversible, and on the decoder's ground?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.estimators.assessment import Assessment
from latax.evaluate import Diagnosis, norm_drift, path_energy, round_trip_error, rules

#: Starts that are followed for each path.
STARTS = 64
#: Points of each path.
STEPS = 9


@dataclass(frozen=True, kw_only=True)
class TraversalAssessment(Assessment):
    """What is known about K paths, from fresh draws.

    - `accuracy`: the share of pairs whose true path is the likeliest by the classifier; `chance`: 1 / K.
    - `displacement`, `change`, `drift`, `energy`, `round_trip`: for each path and start, (K, N): how far it leads in
        latent space, as a share of the typical |z - mean|; the root mean square change of the data; the greatest
        relative change of |z - mean|; ∫|dz/dt|² dt; and how far the way back ends from the start, relative to |z|.
    - `example`: the decoded paths from one start, (K, T, ...).
    """

    accuracy: float
    chance: float
    displacement: Float[np.ndarray, "K N"]
    change: Float[np.ndarray, "K N"]
    drift: Float[np.ndarray, "K N"]
    energy: Float[np.ndarray, "K N"]
    round_trip: Float[np.ndarray, "K N"]
    example: Float[np.ndarray, "K T *data"]


def assess_traversals(estimator: Any) -> TraversalAssessment:
    """Follows all paths from fresh draws, there and back."""
    module, count = estimator.module_, estimator.potentials
    Z = estimator.draw(STARTS, seed=estimator.seed + 1_000_003)
    unit = lambda z: (z - np.asarray(module.loc)) / float(module.scale)
    typical = np.sqrt(Z.shape[1])
    found: dict[str, list[np.ndarray]] = {
        name: [] for name in ("displacement", "change", "drift", "energy", "round_trip", "example")
    }
    for k in range(count):
        there = estimator.traverse(Z, k, steps=STEPS)
        back = estimator.traverse(there.latent[:, -1], k, steps=STEPS, backwards=True)
        path = unit(there.latent).astype(np.float64)
        shown = (there.data[:, -1] - there.data[:, 0]).reshape(STARTS, -1).astype(np.float64)
        found["displacement"].append(np.linalg.norm(path[:, -1] - path[:, 0], axis=1) / typical)
        found["change"].append(np.sqrt(np.mean(shown**2, axis=1)))
        found["drift"].append(norm_drift(path))
        found["energy"].append(path_energy(path, there.times))
        found["round_trip"].append(round_trip_error(path[:, 0], unit(back.latent[:, -1]).astype(np.float64)))
        found["example"].append(there.data[0])
    starts = estimator.traverse(Z, 0, steps=2).data[:, 0].reshape(STARTS, -1).astype(np.float64)
    rng = np.random.default_rng(estimator.seed)
    k = np.repeat(np.arange(count), STARTS)
    told = np.argmax(estimator.which(np.tile(Z, (count, 1)), k, rng.uniform(size=len(k))), axis=1)
    # The root mean square difference of one draw from the mean of all: what a change can be held against.
    data_scale = float(np.sqrt(np.mean(np.var(starts, axis=0))))
    known: dict[str, Any] = {name: np.stack(values) for name, values in found.items()}
    known |= {"accuracy": float(np.mean(told == k)), "chance": 1 / count}
    findings = (
        rules.paths_mistaken(1 - known["accuracy"], known["chance"]),
        rules.paths_that_stand_still(known["displacement"]),
        rules.paths_without_change(known["change"], data_scale),
        rules.drift(float(np.mean(known["drift"]))),
        rules.reversibility(float(np.max(known["round_trip"]))),
    )
    return TraversalAssessment(diagnosis=Diagnosis(findings), **known)
