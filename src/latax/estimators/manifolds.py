"""Rendered manifolds by name, for the command line: built-in ones, and a user's own."""

import functools

from latax._by_name import by_name
from latax._errors import ConfigError
from latax.data import renderers
from latax.data.rendered import RenderedManifold
from latax.data.wording import did_you_mean

BUILT_IN = {
    "sundial": renderers.sundial,
    "rotating-object": renderers.rotating_object,
    "translations": renderers.translations,
    "ellipses": renderers.ellipses,
    "rotated-digits": renderers.rotated_digits,
}


def find_manifold(manifold: str | RenderedManifold) -> RenderedManifold:
    """The rendered manifold that this names, or is. Raises `ConfigError` for a name that says none."""
    if isinstance(manifold, RenderedManifold):
        return manifold
    if manifold.endswith(")"):  # An object's description, which is what a saved model has of it.
        raise ConfigError(
            "the manifold was given as an object, which the file of a model cannot hold. Load the model in Python by "
            "latax.load(path, manifold=...), or fit with the name of the manifold, manifold='file.py:name'."
        )
    if ":" in manifold:
        return by_name(manifold, RenderedManifold, "rendered manifold", "a latax.data.rendered.RenderedManifold")
    if manifold not in BUILT_IN:
        raise ConfigError(
            f"There is no rendered manifold '{manifold}'.{did_you_mean(manifold, BUILT_IN)} Give one of "
            f"{', '.join(BUILT_IN)}, or file.py:name (module:name) for your own."
        )
    return _built_in(manifold)


@functools.cache
def _built_in(name: str) -> RenderedManifold:
    # Made once: programs are compiled for the very function that renders.
    return BUILT_IN[name]()
