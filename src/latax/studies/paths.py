"""Paths that nobody learned: straight lines along directions of several kinds, and along the factors themselves."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int

from latax.estimators.decoders import draws_of
from latax.estimators.traversal import Traversal
from latax.models.latent_space import LatentSpace
from latax.potential import (
    HORIZON,
    follow,
    local_frames,
    matched,
    mean_frame,
    principal_directions,
    random_directions,
    sefa_directions,
    visible_directions,
)
from latax.studies.world import DRAWS, World, decoded, units

#: Points at which the decoder's Jacobian is looked at for mean directions.
FRAMES = 256
#: From latent points Z, a number k and steps to paths.
Follow = Callable[..., Traversal]
#: Paths along which one factor of the data changes, where these are known.
EXACT = "the factors themselves"


def unlearned_paths(world: World, speed: float) -> dict[str, Callable[[int], Follow]]:
    """For each kind of straight lines, and the factors where they are known: from a seed to paths."""
    space, count = world.space, world.potentials
    draws = lambda seed: jnp.asarray(draws_of(space, DRAWS, seed + 4_000_003))
    features = lambda z: space.decode(z).ravel()
    singular = functools.cache(lambda seed: mean_frame(space.decode, draws(seed)[:FRAMES], count))
    kinds: dict[str, Callable[[int], Array]] = {
        "random directions": lambda seed: random_directions(space.size, count, key=jr.key(seed)),
        "PCA of the data (GANSpace)": lambda seed: principal_directions(draws(seed), count, features=features),
        "most visible directions": lambda seed: visible_directions(space.decode, draws(seed)[:128], count),
        "mean singular vectors": lambda seed: jnp.asarray(singular(seed)),
    }
    weight = world.weight
    if weight is not None:
        kinds["SeFa"] = lambda seed: sefa_directions(weight, count)
    along = lambda directions: StraightPaths(space, np.asarray(directions, np.float64), speed)
    lines: dict[str, Callable[[int], Follow]] = {
        name: lambda seed, make=make: along(make(seed)) for name, make in kinds.items()
    }
    lines["singular vectors at the start"] = lambda seed: SingularPaths(space, singular(seed), speed)
    factors = world.factors
    if factors is not None:
        lines[EXACT] = lambda seed: FactorPaths(space, factors, speed)
    return lines


@dataclass(frozen=True)
class StraightPaths:
    """Straight lines in place of flows, at the speed of the potentials: called as `PotentialFlow.traverse`."""

    space: LatentSpace
    directions: Float[np.ndarray, "K n"]
    speed: float

    def __call__(self, Z: Float[np.ndarray, "N n"], k: int, *, steps: int) -> Traversal:
        """The paths number k."""
        return _straight(self.space, Z, np.broadcast_to(self.directions[k], Z.shape), self.speed, steps)


@dataclass(frozen=True)
class SingularPaths:
    """The same along the singular vector at each start that is most alike the k-th of these directions."""

    space: LatentSpace
    directions: Float[np.ndarray, "K n"]
    speed: float

    def __call__(self, Z: Float[np.ndarray, "N n"], k: int, *, steps: int) -> Traversal:
        """The paths number k."""
        frames = np.asarray(local_frames(self.space.decode, jnp.asarray(Z, jnp.float32))[0], np.float64)
        return _straight(self.space, Z, matched(frames, self.directions)[:, k], self.speed, steps)


@dataclass(frozen=True)
class FactorPaths:
    """Flows uphill of each of these functions (K,) of a latent point, at constant speed."""

    space: LatentSpace
    factors: Callable[[Float[Array, " n"]], Float[Array, " K"]]
    speed: float

    def __call__(self, Z: Float[np.ndarray, "N n"], k: int, *, steps: int) -> Traversal:
        """The paths number k."""
        times = np.linspace(0, HORIZON, steps)
        length = jnp.float32(_length(self.space, self.speed))
        latent = _uphill(
            self.factors, jnp.asarray(Z, jnp.float32), jnp.int32(k), length, jnp.asarray(times, jnp.float32)
        )
        return _traversal(self.space, np.asarray(latent), times)


@eqx.filter_jit
def _uphill(
    factors: Callable[[Float[Array, " n"]], Float[Array, " K"]],
    Z: Float[Array, "N n"],
    k: Int[Array, ""],
    speed: Float[Array, ""],
    times: Float[Array, " T"],
) -> Float[Array, "N T n"]:
    def velocity(z: Float[Array, " n"], t: Float[Array, ""]) -> Float[Array, " n"]:
        slope = jax.grad(lambda z: factors(z)[k])(z)
        return speed * slope / jnp.linalg.norm(slope)

    return jax.vmap(lambda z: follow(velocity, z, times).z)(Z)


def _straight(
    space: LatentSpace, Z: Float[np.ndarray, "N n"], directions: Float[np.ndarray, "N n"], speed: float, steps: int
) -> Traversal:
    times, unit = np.linspace(0, HORIZON, steps), directions / np.linalg.norm(directions, axis=1, keepdims=True)
    latent = Z[:, None] + _length(space, speed) * times[None, :, None] * unit[:, None]
    return _traversal(space, latent.astype(np.float32), times)


def _length(space: LatentSpace, speed: float) -> float:
    return speed * float(np.sqrt(space.size)) * units(space)[1]


def _traversal(space: LatentSpace, latent: Float[np.ndarray, "N T n"], times: Float[np.ndarray, " T"]) -> Traversal:
    data = decoded(space, latent.reshape(-1, space.size))
    return Traversal(data.reshape(*latent.shape[:2], *data.shape[1:]), latent, times)
