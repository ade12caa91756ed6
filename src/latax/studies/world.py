"""Decoders whose paths can be judged: what their data show, over which range, and what a unit of latent space is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Array, Float
from rich.console import Console

from latax.data import Samples
from latax.estimators import VAE
from latax.estimators.decoders import draws_of, prior_space
from latax.estimators.rows import map_rows
from latax.estimators.traversal import Traversal
from latax.evaluate import image_attributes
from latax.models.latent_space import LatentSpace
from latax.studies.contest import fit_or_resume

#: Draws by which directions and units of a space are found.
DRAWS = 1024


@dataclass(frozen=True, kw_only=True)
class World:
    """A decoder whose paths can be judged.

    - `attributes`: (N, T) values by name, of paths; `names`: those that count as factors.
    - `potentials`: how many paths there are to be.
    - `weight`: of the decoder's first layer, where it has one.
    - `factors`: functions f (K,) of a latent point, where they are known; along ∇f_k none but f_k changes.
    - `exact`: from a count N and a seed to changes (P, N, F) of the attributes where the factors themselves change, one
      at a time, where that is known otherwise.
    """

    title: str
    space: LatentSpace
    attributes: Callable[[Traversal], Mapping[str, Float[np.ndarray, "N T"]]]
    names: Sequence[str]
    potentials: int
    weight: Array | None = None
    factors: Callable[[Float[Array, " n"]], Float[Array, " K"]] | None = None
    exact: Callable[[int, int], Float[np.ndarray, "P N F"]] | None = None


def changes_of(values: Mapping[str, Float[np.ndarray, "N T"]], names: Sequence[str]) -> Float[np.ndarray, "N F"]:
    """The changes of these attributes from the first to the last point of each path."""
    return np.stack([values[name][:, -1] - values[name][:, 0] for name in names], axis=1)


def units(space: LatentSpace) -> tuple[Float[np.ndarray, " n"], float]:
    """The mean of draws and their root mean square distance from it, for each coordinate."""
    z = draws_of(space, DRAWS, 0).astype(np.float64)
    loc = z.mean(axis=0)
    return loc, float(np.sqrt(np.mean((z - loc) ** 2)))


def spans(world: World, seed: int) -> Float[np.ndarray, " F"]:
    """The range of each attribute over draws, from the 5 % to the 95 % quantile.

    Of what is counted along a path and starts at zero, `turned`, it is half a turn of a shape of mean length.
    """
    Z = draws_of(world.space, DRAWS, seed + 3_000_003)
    data = decoded(world.space, Z)
    values = world.attributes(Traversal(data[:, None], Z[:, None], np.zeros(1)))
    found = []
    for name in world.names:
        if name == "turned":
            found.append(np.pi * float(np.nanmean(values["long"])))
        else:
            low, high = np.nanquantile(values[name], [0.05, 0.95])
            found.append(float(high - low))
    return np.array(found)


def of_images(path: Traversal) -> Mapping[str, Float[np.ndarray, "N T"]]:
    """The attributes of images, by name."""
    images = np.asarray(path.data, np.float64)
    return image_attributes(images if images.ndim == 5 else images[..., None])._asdict()


def vae_space(
    images: Samples, latent_size: int, *, steps: int, seed: int, folder: Path, console: Console
) -> tuple[LatentSpace, Array]:
    """The latent space of a convolutional variational autoencoder of these images, trained here, and the weights of its
    decoder's first layer."""
    console.print(f"Variational autoencoder of {images.origin}", style="bold", markup=False)
    estimator = VAE(latent_size=latent_size, steps=steps, batch_size=128, seed=seed)
    model, _ = fit_or_resume(lambda **where: estimator.fit_samples(images, **where), folder / "decoder")
    return prior_space(model), model.first_weight_


def decoded(space: LatentSpace, Z: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N *data"]:
    """The data at these points."""
    return np.asarray(map_rows(_decode, space, Z, chunk=256))


def _decode(space: LatentSpace, z: Float[Array, " n"]) -> Float[Array, "*data"]:
    return space.decode(z)
