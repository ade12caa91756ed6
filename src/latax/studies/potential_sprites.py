"""Potential flows on the decoder of a variational autoencoder of sprites, judged by what is seen in the images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from latax.data import Samples, sprites
from latax.report.content import Section
from latax.studies.potential_blobs import ABLATION, KINDS
from latax.studies.result import StudyResult
from latax.studies.traversals import Effort, World, compare, of_images, vae_space

LATENT, ROWS = 10, 20_000
NAMES = ("x", "y", "size", "long", "turned")
#: The effort for potentials, and steps for the decoder.
BUDGETS = {
    "quick": (Effort(steps=400, replicates=2, starts=64, vp_steps=200, vp_seeds=2), 1_500),
    "full": (Effort(steps=4_000, replicates=5, starts=1_000, vp_steps=400), 30_000),
}


def potential_sprites(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Potential flows on a decoder of squares, ellipses and hearts that was trained here, beside straight lines."""
    effort, steps = BUDGETS[budget]
    kinds = KINDS | ({} if budget == "quick" else ABLATION)
    return images_study(
        sprites.make(ROWS, seed + 1_000_000), "Sprites", NAMES, kinds, effort, steps, LATENT, seed, console, folder
    )


def images_study(
    images: Samples,
    title: str,
    names: tuple[str, ...],
    kinds: Mapping[str, Mapping[str, Any]],
    effort: Effort,
    decoder_steps: int,
    latent_size: int,
    seed: int,
    console: Console,
    folder: Path,
) -> StudyResult:
    """A decoder of these images, potentials on it, and straight lines; the first of the kinds is held against all."""
    space, weight = vae_space(images, latent_size, steps=decoder_steps, seed=seed, folder=folder, console=console)
    world = World(title=title, space=space, attributes=of_images, names=names, potentials=len(names), weight=weight)
    found = compare(world, kinds, effort, seed, console, folder)
    best = next(iter(kinds))
    table, others = found.table(title), found.differences(best, [name for name in found.values if name != best])
    return StudyResult(
        title=f"Potential flows on {title.lower()}",
        summary=f"{effort.steps:,} steps, {effort.replicates} replicates, on a variational autoencoder with "
        f"{latent_size} latent coordinates that was trained for {decoder_steps:,} steps. Attributes are measured in "
        f"the decoded images: {', '.join(names)}.",
        tables=[table, others],
        sections=[Section("Paths", tables=[table, others], figures=[found.figure(), found.sheet(best)])],
    )
