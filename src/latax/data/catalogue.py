"""The built-in data sets by name, as `latax data list` and `latax data make` show them."""

import dataclasses
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from latax._errors import ConfigError
from latax._wording import look_up
from latax.data.samples import Samples


@dataclasses.dataclass(frozen=True)
class Entry:
    """One built-in set: what it is in one line, its module in `latax.data`, and how many rows it makes by default."""

    description: str
    module: str
    size: int


ENTRIES = {
    "circle": Entry("Gaussian angle on the unit circle in R², radial noise 0.01; exact density", "circle", 10_000),
    "sphere": Entry("Gaussian angles on the unit 2-sphere in R³, radial noise 0.01; exact density", "sphere", 10_000),
    "conditional-sphere": Entry(
        "Gaussian angles on the 2-sphere whose width and azimuth depend on θ in [-1, 1]²; exact density",
        "conditional_sphere",
        10_000,
    ),
    "polynomial-surface": Entry(
        "Mixture of two Gaussians on a polynomial surface in R³, given θ in [-1, 1]; exact density",
        "polynomial_surface",
        100_000,
    ),
    "pendulum": Entry("Angles of forced and damped pendulums at 50 times; true parameters", "pendulum", 1000),
    "advection-diffusion": Entry(
        "Heat spreading and drifting on a line of 20 nodes at 50 times; true parameters", "advection_diffusion", 1000
    ),
    "burgers": Entry("Burgers' equation from random waves at 201 nodes and 201 times; solved exactly", "burgers", 1000),
    "allen-cahn": Entry(
        "Allen-Cahn equation from random waves at 201 nodes and 201 times; two phases", "allen_cahn", 1000
    ),
    "porous-medium": Entry(
        "Porous medium equation from random waves at 201 nodes and 201 times; moving fronts", "porous_medium", 1000
    ),
    "galaxies": Entry("Rendered 32×32 RGB images of disc galaxies; true parameters", "galaxies", 1000),
    "digits": Entry("The 1797 real 8×8 handwritten digits of scikit-learn, with their labels", "digits", 1797),
    "blobs": Entry("Rendered 16×16 images of a blob with place and widths; true factors", "blobs", 2000),
    "sprites": Entry("Rendered 32×32 squares, ellipses and hearts after dSprites; true factors", "sprites", 5000),
    "digit-sequences": Entry(
        "Coloured 28×28 digits scaled, turned or changed in hue, at 9 times; known transformation",
        "digit_sequences",
        300,
    ),
    "sundial": Entry("Shadow of a rod, 32×32: a cap of the sphere, exact geometry", "renderers.sundial", 2000),
    "rotating-object": Entry(
        "A toy turned in space, 32×32 RGB: the rotations SO(3), exact geometry", "renderers.rotating_object", 2000
    ),
    "translations": Entry("A blob on a periodic 32×32: a flat torus, exact geometry", "renderers.translations", 2000),
    "ellipses": Entry(
        "Ellipses moved and turned, 32×32: a box times a circle, exact geometry", "renderers.ellipses", 2000
    ),
    "rotated-digits": Entry(
        "A handwritten four turned in its plane, 32×32: a circle, exact geometry", "renderers.rotated_digits", 1000
    ),
}


def describe() -> dict[str, str]:
    """Name and one-line description of every built-in set, with the size it has by default."""
    return {name: f"{entry.description} ({entry.size:,} rows)" for name, entry in ENTRIES.items()}


def make(name: str, size: int | None = None, seed: int = 0, **options: Any) -> Samples:
    """The built-in set `name` with `size` rows (its default when None), drawn from `seed`.

    `options` are those of the set's own `make`, such as `row` and `source` of rotated-digits. Raises `ConfigError` for
    an unknown name, a size that the set does not have, or an option that it does not take.
    """
    entry = look_up(ENTRIES, name, "built-in data set")
    if size is not None and size < 1:
        raise ConfigError(f"a data set needs at least one row; size = {size}.")
    if seed < 0:
        raise ConfigError(f"a seed is 0 or a positive whole number; got {seed}.")
    generate: Callable[..., Samples] = importlib.import_module(f"latax.data.{entry.module}").make
    known = [key for key, one in inspect.signature(generate).parameters.items() if one.kind is one.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            takes = f"It takes {', '.join(known)}." if known else "It has no options; leave it out."
            raise ConfigError(f"the built-in data set '{name}' has no option '{option}'. {takes}")
    return generate(entry.size if size is None else size, seed, **options)
