"""Potential flows on the decoder of a variational autoencoder of coloured digits, scaled, turned and of other hues."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console

from latax.data import Samples, digit_sequences, digits
from latax.data.samples import default_names
from latax.evaluate import image_attributes
from latax.studies.potential_sprites import ABLATION, KINDS, images_study
from latax.studies.result import StudyResult
from latax.studies.traversals import Effort
from latax.studies.world import changes_of

LATENT = 16
#: Size, turn and hue are the transformations; x, y and length are what else can be seen to change.
NAMES = ("size", "turned", "hue")
#: The effort for potentials, steps for the decoder, and sequences that its images are taken from.
BUDGETS = {
    "quick": (Effort(steps=300, replicates=2, starts=64, vp_steps=200, vp_seeds=2), 1_000, 300),
    "full": (Effort(steps=1_000, replicates=5, starts=1_000, vp_steps=400), 5_000, 3_000),
}


def potential_digits(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Potential flows on a decoder of scaled, turned and recoloured digits trained here, and straight lines."""
    effort, steps, sequences = BUDGETS[budget]
    kinds = KINDS | ({} if budget == "quick" else ABLATION)
    images = frames(sequences, seed)
    return images_study(images, "Digits", NAMES, kinds, exact, effort, steps, LATENT, seed, console, folder)


def exact(starts: int, seed: int) -> Float[np.ndarray, "3 N 3"]:
    """The changes of the attributes under the three transformations, from random digits."""
    count = len(digit_sequences.TRANSFORMATIONS)
    given = digits.make(digits.ROWS, seed)
    rows = np.random.default_rng(seed).integers(len(given), size=starts)
    images = np.asarray(given.take(rows).X, np.float64).reshape(-1, *given.sample_shape[:2])
    found = []
    for k in range(count):
        values = image_attributes(digit_sequences.sequences(images, np.full(starts, k)))._asdict()
        found.append(changes_of(values, NAMES))
    return np.stack(found)


def frames(sequences: int, seed: int) -> Samples:
    """All images of the sequences, in a random order."""
    made = digit_sequences.make(sequences, seed + 1_000_000)
    shape = made.sample_shape[1:]
    images = np.asarray(made.X).reshape(-1, int(np.prod(shape)))
    order = np.random.default_rng(seed).permutation(len(images))
    digit = np.repeat(made.truth["image"], made.sample_shape[0])
    names = default_names(shape)
    return Samples(images[order], feature_names=names, sample_shape=shape, origin=made.origin, groups=digit[order])
