"""Manifolds by name, for the command line: rendered ones, those of known positions, and a user's own."""

import functools
import math
from typing import Any

from latax._by_name import by_name, is_own
from latax._errors import ConfigError
from latax._wording import did_you_mean
from latax.data import renderers
from latax.data.rendered import RenderedManifold
from latax.geometry import SO3, AbstractManifold, AbstractMetricSpace, Euclidean, FlatTorus, Sphere

#: What is near is said by the pairs that come with the samples.
PAIRS = "pairs"

BUILT_IN = {
    "sundial": renderers.sundial,
    "rotating-object": renderers.rotating_object,
    "translations": renderers.translations,
    "ellipses": renderers.ellipses,
    "rotated-digits": renderers.rotated_digits,
}

#: Where samples of known positions are: angles in radians or degrees, unit vectors, rotation matrices, Cartesian
#: coordinates.
POSITIONED: dict[str, AbstractManifold] = {
    "circle": FlatTorus(2 * math.pi),
    "circle-degrees": FlatTorus(360.0),
    "sphere": Sphere(2),
    "rotations": SO3(),
    "torus": FlatTorus((2 * math.pi, 2 * math.pi)),
    "plane": Euclidean(2),
    "line": Euclidean(1),
}


def find_manifold(manifold: Any) -> RenderedManifold | AbstractManifold | None:
    """The rendered manifold, or that of positions, that this names, or is; None for `PAIRS`.

    Raises `ConfigError` for a name that says none, and for other objects, such as a `MetricSpace`.
    """
    if isinstance(manifold, RenderedManifold | AbstractManifold):
        return manifold
    if not isinstance(manifold, str):
        raise ConfigError(_no_manifold(manifold))
    if manifold == PAIRS:
        return None
    if is_own(manifold):
        kinds: Any = (RenderedManifold, AbstractManifold)
        example = "a latax.data.rendered.RenderedManifold or a manifold of latax.geometry"
        return by_name(manifold, kinds, "manifold", example)
    if manifold in POSITIONED:
        return POSITIONED[manifold]
    if manifold in BUILT_IN:
        return _built_in(manifold)
    names = (*BUILT_IN, *POSITIONED, PAIRS)
    raise ConfigError(
        f"there is no manifold '{manifold}'.{did_you_mean(manifold, names)} Give one with a renderer "
        f"({', '.join(BUILT_IN)}), one of the samples' known positions ({', '.join(POSITIONED)}), '{PAIRS}' where "
        "the samples come with pairs, or file.py:name (module:name) for your own."
    )


def _no_manifold(given: Any) -> str:
    if isinstance(given, AbstractMetricSpace):
        return (
            "manifold is a MetricSpace, which has distances and midpoints, but no directions, and no points to draw. "
            "Make samples with pairs from it, latax.data.metric_pairs.from_metric_space(space, points, draw, "
            "farthest=...), and give manifold='pairs'."
        )
    return (
        f"manifold={given!r} is neither a name, a RenderedManifold nor a manifold of latax.geometry. Where you have a "
        "distance and a midpoint only, make samples with pairs, latax.data.metric_pairs.from_metric_space or "
        "latax.data.from_triples, and give manifold='pairs'."
    )


@functools.cache
def _built_in(name: str) -> RenderedManifold:
    # Made once: programs are compiled for the very function that renders.
    return BUILT_IN[name]()
