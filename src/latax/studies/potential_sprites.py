"""Potential flows on the decoder of a variational autoencoder of sprites, judged by what is seen in the images."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from rich.console import Console

from latax.data import Samples, sprites
from latax.evaluate import image_attributes
from latax.report.content import Section
from latax.studies.potential_blobs import ALIGNED, ALONE, BEST, DISTINCT, RELEASED
from latax.studies.result import StudyResult
from latax.studies.traversals import Effort, compare
from latax.studies.world import World, changes_of, of_images, vae_space

LATENT, ROWS = 10, 20_000
NAMES = ("x", "y", "size", "long", "turned")
#: Fewer potentials than coordinates: guidance says which plane they are to share, see `latax.potential.alignment`.
SEEN = ALIGNED | {"guidance": "log-jvp"}
KINDS: dict[str, dict[str, Any]] = {BEST: SEEN, DISTINCT: ALONE, RELEASED: {"reference": True}}
ABLATION: dict[str, dict[str, Any]] = {
    "without log-jvp": ALIGNED,
    "without the equation": SEEN | {"pde": "none"},
    "norm held": SEEN | {"hold_norm": True},
}
#: The effort for potentials, and steps for the decoder.
BUDGETS = {
    "quick": (Effort(steps=400, replicates=2, starts=64, vp_steps=200, vp_seeds=2), 1_500),
    "full": (Effort(steps=1_000, replicates=5, starts=1_000, vp_steps=400), 5_000),
}


def potential_sprites(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Potential flows on a decoder of squares, ellipses and hearts that was trained here, beside straight lines."""
    effort, steps = BUDGETS[budget]
    kinds = KINDS | ({} if budget == "quick" else ABLATION)
    images = sprites.make(ROWS, seed + 1_000_000)
    return images_study(images, "Sprites", NAMES, kinds, exact, effort, steps, LATENT, seed, console, folder)


def exact(starts: int, seed: int) -> Float[np.ndarray, "4 N 5"]:
    """The changes of the attributes where x, y, the scale or the orientation change, from random sprites."""
    classes = np.random.default_rng(seed).integers(0, sprites.COUNTS, size=(starts, 5))
    draw = jax.jit(lambda rows: jax.lax.map(sprites.render, rows, batch_size=256))
    found = []
    for factor, stride in (("x", 4), ("y", 4), ("scale", 1), ("orientation", 2)):
        numbers = sprites.path(classes, factor, 5, stride=stride)
        rows = jnp.asarray(sprites.values(numbers.reshape(-1, 5)), jnp.float32)
        images = np.asarray(draw(rows), np.float64).reshape(starts, 5, sprites.SIDE, sprites.SIDE, 1)
        values = image_attributes(images)._asdict()
        found.append(changes_of(values, NAMES))
    return np.stack(found)


def images_study(
    images: Samples,
    title: str,
    names: tuple[str, ...],
    kinds: Mapping[str, Mapping[str, Any]],
    exact: Callable[[int, int], Float[np.ndarray, "P N F"]],
    effort: Effort,
    decoder_steps: int,
    latent_size: int,
    seed: int,
    console: Console,
    folder: Path,
) -> StudyResult:
    """A decoder of these images, potentials on it, and straight lines; the first of the kinds is held against all."""
    space, weight = vae_space(images, latent_size, steps=decoder_steps, seed=seed, folder=folder, console=console)
    world = World(
        title=title,
        space=space,
        attributes=of_images,
        names=names,
        potentials=len(names),
        weight=weight,
        exact=exact,
    )
    found = compare(world, kinds, effort, seed, console, folder)
    best = next(iter(kinds))
    table, others, with_attributes = (
        found.table(title),
        found.differences(best, [*found.values]),
        found.correlations(best),
    )
    return StudyResult(
        title=f"Potential flows on {title.lower()}",
        summary=f"{effort.steps:,} steps, {effort.replicates} replicates, on a variational autoencoder with "
        f"{latent_size} latent coordinates that was trained for {decoder_steps:,} steps. Attributes are measured in "
        f"the decoded images: {', '.join(names)}.",
        tables=[table, others, *with_attributes],
        sections=[
            Section("Paths", tables=[table, others, *with_attributes], figures=[found.figure(), found.sheet(best)])
        ],
    )
