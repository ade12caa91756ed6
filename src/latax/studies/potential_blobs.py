"""Potential flows on blobs, whose decoder and factors are known: are the paths distinct, and are they the factors?

Factors are along straight lines first, as directions of latent space want them, and along curves then.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from rich.console import Console

from latax.data.blobs import FACTORS, Blobs
from latax.estimators.traversal import Traversal
from latax.models.latent_space import LatentSpace, StandardNormal
from latax.report.content import Section
from latax.studies.result import StudyResult
from latax.studies.traversals import Effort, compare
from latax.studies.world import World

BUDGETS = {
    "quick": Effort(steps=600, replicates=2, starts=128, vp_steps=200, vp_seeds=2),
    "full": Effort(steps=1_000, replicates=5, starts=1_000, vp_steps=400),
}
#: Options of the potentials that the tables are about, of what was published, and between the two.
BEST = "potentials, aligned"
DISTINCT = "potentials, distinct only"
RELEASED = "potentials as released"
ALIGNED = {"alignment_weight": 3.0, "guidance": "none"}
ALONE = {"alignment_weight": 0.0}
KINDS: dict[str, dict[str, Any]] = {BEST: ALIGNED, DISTINCT: ALONE, RELEASED: {"reference": True}}
#: What is changed of the first kind, beside the other kinds.
ABLATION: dict[str, dict[str, Any]] = {
    "with log-jvp": ALIGNED | {"guidance": "log-jvp"},
    "adjacent pairs": ALIGNED | {"pairs": "adjacent"},
    "without the equation": ALIGNED | {"pde": "none"},
    "weight of alignment 0.3": ALIGNED | {"alignment_weight": 0.3},
    "weight of alignment 30": ALIGNED | {"alignment_weight": 30.0},
    "norm held": ALIGNED | {"hold_norm": True},
    "speed 0.2": ALIGNED | {"speed": 0.2},
    "speed 0.1": ALIGNED | {"speed": 0.1},
    "distinct only, without log-jvp": ALONE | {"guidance": "none"},
}
#: How curved factors are, see `latax.data.blobs`.
BEND = 0.6


def potential_blobs(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Potential flows on blobs with known factors, turned in latent space: aligned, distinct, and straight lines."""
    return blobs_study(BUDGETS[budget], KINDS, ABLATION, seed, console, folder)


def blobs_study(
    effort: Effort,
    kinds: Mapping[str, Mapping[str, Any]],
    ablation: Mapping[str, Mapping[str, Any]],
    seed: int,
    console: Console,
    folder: Path,
) -> StudyResult:
    """The study with these options; the first of the kinds is held against all else."""
    found = compare(blobs_world(seed), {**kinds, **ablation}, effort, seed, console, folder)
    curved = compare(blobs_world(seed, BEND), kinds, effort, seed, console, folder)
    best = next(iter(kinds))
    held, parts = [*kinds, *found.unlearned], [best, *ablation]
    paths, others = found.table("Blobs", held), found.differences(best, held)
    factors, without = found.correlations(best), found.table("Blobs: each part", parts)
    bent = [curved.table("Curved blobs"), curved.differences(best, held)]
    sheets = [found.sheet(best), curved.sheet(best)]
    return StudyResult(
        title="Potential flows on blobs",
        summary=f"{effort.steps:,} steps, {effort.replicates} replicates. A rendered blob with two places and two "
        "widths; latent coordinates are an orthogonal mixture of the four, so no axis is a factor. Of curved blobs the "
        "factors are no straight lines either, but the gradients of four functions.",
        tables=[paths, others, *bent, *factors, without],
        sections=[
            Section("Paths", tables=[paths, others, *factors], figures=[found.figure(held), sheets[0]]),
            Section("Curved factors", tables=bent, figures=[curved.figure(), sheets[1]]),
            Section("Ablation", tables=[without], figures=[found.figure(parts)]),
        ],
    )


def blobs_world(seed: int, bend: float = 0.0) -> World:
    """Blobs whose factors are a random orthogonal mixture of the latent coordinates, or curved functions of that."""
    mixing = jnp.linalg.qr(jr.normal(jr.key(seed), (4, 4)))[0]
    decoder = Blobs(mixing=mixing, bend=bend)
    factors = jax.jit(jax.vmap(jax.vmap(decoder.factors)))

    def known(path: Traversal) -> Mapping[str, np.ndarray]:
        values = np.asarray(factors(jnp.asarray(path.latent, jnp.float32)), np.float64)
        return {name: values[:, :, number] for number, name in enumerate(FACTORS)}

    return World(
        title="Curved blobs" if bend else "Blobs",
        space=LatentSpace(4, StandardNormal(4), decoder),
        attributes=known,
        names=FACTORS,
        potentials=4,
        factors=decoder.unbounded,
    )
