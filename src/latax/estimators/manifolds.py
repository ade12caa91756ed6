"""Manifolds by name, for the command line: rendered ones, those of known positions, and a user's own."""

import functools
import math
from typing import Any

from latax._by_name import by_name
from latax._errors import ConfigError
from latax.data import renderers
from latax.data.rendered import RenderedManifold
from latax.data.wording import did_you_mean
from latax.geometry import SO3, AbstractManifold, Euclidean, FlatTorus, Sphere

#: What is near is said by the pairs that come with the samples.
PAIRS = "pairs"

BUILT_IN = {
    "sundial": renderers.sundial,
    "rotating-object": renderers.rotating_object,
    "translations": renderers.translations,
    "ellipses": renderers.ellipses,
    "rotated-digits": renderers.rotated_digits,
}

#: Where samples of known positions are: angles in radians, unit vectors, rotation matrices, Cartesian coordinates.
POSITIONED: dict[str, AbstractManifold] = {
    "circle": FlatTorus(2 * math.pi),
    "sphere": Sphere(2),
    "rotations": SO3(),
    "torus": FlatTorus((2 * math.pi, 2 * math.pi)),
    "plane": Euclidean(2),
    "line": Euclidean(1),
}


def find_manifold(manifold: str | RenderedManifold | AbstractManifold) -> RenderedManifold | AbstractManifold | None:
    """The rendered manifold, or that of positions, that this names, or is; None for `PAIRS`.

    Raises `ConfigError` for a name that says none.
    """
    if not isinstance(manifold, str):
        return manifold
    if manifold.endswith(")"):  # An object's description, which is what a saved model has of it.
        raise ConfigError(
            "the manifold was given as an object, which the file of a model cannot hold. Load the model in Python by "
            "latax.load(path, manifold=...), or fit with the name of the manifold, manifold='file.py:name'."
        )
    if manifold == PAIRS:
        return None
    if ":" in manifold:
        kinds: Any = (RenderedManifold, AbstractManifold)
        example = "a latax.data.rendered.RenderedManifold or a manifold of latax.geometry"
        return by_name(manifold, kinds, "manifold", example)
    if manifold in POSITIONED:
        return POSITIONED[manifold]
    if manifold not in BUILT_IN:
        names = (*BUILT_IN, *POSITIONED, PAIRS)
        raise ConfigError(
            f"There is no manifold '{manifold}'.{did_you_mean(manifold, names)} Give one with a renderer "
            f"({', '.join(BUILT_IN)}), one of the samples' known positions ({', '.join(POSITIONED)}), '{PAIRS}' where "
            "the samples come with pairs, or file.py:name (module:name) for your own."
        )
    return _built_in(manifold)


@functools.cache
def _built_in(name: str) -> RenderedManifold:
    # Made once: programs are compiled for the very function that renders.
    return BUILT_IN[name]()
