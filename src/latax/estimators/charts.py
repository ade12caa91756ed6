"""Charts by name, for the command line: built-in ones, and a user's own as `module:name`."""

import importlib
import re

from latax._errors import ConfigError
from latax.density import AbstractEmbedding


def find_chart(chart: str | AbstractEmbedding) -> AbstractEmbedding:
    """The embedding that `chart` names, or is.

    Known names: `circle`, `sphere-N` (N = 1, 2, ...), `polynomial-surface`, and `module:name`, where `name` is an
    `AbstractEmbedding`, or a class of them that takes no arguments. Raises `ConfigError` for any other.
    """
    if isinstance(chart, AbstractEmbedding):
        return chart
    from latax.data.polynomial_surface import PolynomialSurfaceChart
    from latax.density import Sphere

    sphere = re.fullmatch(r"sphere-(\d+)", chart)
    if chart == "circle" or sphere:
        return Sphere(int(sphere[1]) if sphere else 1)
    if chart == "polynomial-surface":
        return PolynomialSurfaceChart()
    if ":" in chart:
        return _import(chart)
    raise ConfigError(
        f"There is no chart {_short(chart)}. Give circle, sphere-N, polynomial-surface, or module:name for your own "
        "latax.density.AbstractEmbedding. A model that was fitted with such an object is loaded by "
        "latax.load(path, chart=...)."
    )


def _short(chart: str) -> str:
    return repr(chart if len(chart) <= 60 else f"{chart[:60]}...")


def _import(chart: str) -> AbstractEmbedding:
    module, _, name = chart.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"The chart {chart!r} cannot be imported: {error}. Check the module's name and path."
        ) from error
    # A class is made, a function is not called: the name may come from the file of a model.
    if isinstance(found, type) and issubclass(found, AbstractEmbedding):
        found = found()
    if not isinstance(found, AbstractEmbedding):
        raise ConfigError(f"{chart!r} is a {type(found).__name__}, not a latax.density.AbstractEmbedding.")
    return found
