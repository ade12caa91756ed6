"""The image of an inclined disc galaxy without bulge: surface brightness that falls off exponentially.

I(x, y) = I₀ exp(-r), r² = (x'/A)² + (y'/B)², B = A (1 - e), x' = x cos θ - y sin θ, y' = x sin θ + y cos θ, on [-1, 1]²
with y = 1 in the first row, as in the released code of Takeishi and Kalousis, "Physics-Integrated Variational
Autoencoders for Robust and Interpretable Generative Modeling" (NeurIPS 2021).
"""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from latax._errors import ConfigError
from latax.physics.closed_form import ClosedForm
from latax.physics.parameter import Parameter

INTENSITY = Parameter("intensity", 0.1, 1.0)
RADIUS = Parameter("radius", 0.1, 1.0)
ELLIPTICITY = Parameter("ellipticity", 0.0, 0.95)
ANGLE = Parameter("angle", 0.0, math.pi, unit="rad", circular=True)


def exponential_disc(size: int = 32, *, channels: int = 3) -> ClosedForm:
    """Images (size, size, channels) of a disc of central intensity I₀, scale radius A, ellipticity e, position angle θ.

    All channels are equal. The angle is circular with period π. Lengths are in half widths of the image.
    """
    if size < 2 or channels < 1:
        raise ConfigError(f"size = {size}, channels = {channels}: expected a size from 2 and channels from 1 on.")

    def disc(position: Any, p: Any) -> Any:
        x, y = position
        major, minor = p.radius, p.radius * (1 - p.ellipticity)
        along = (x * jnp.cos(p.angle) - y * jnp.sin(p.angle)) / major
        across = (x * jnp.sin(p.angle) + y * jnp.cos(p.angle)) / minor
        squared = along**2 + across**2
        # The root has no derivative at the centre, where all derivatives of the image but that of I₀ are 0.
        centre = squared == 0
        r = jnp.where(centre, 0.0, jnp.sqrt(jnp.where(centre, 1.0, squared)))
        image = p.intensity * jnp.exp(-r)
        return jnp.broadcast_to(image[..., None], (size, size, channels))

    axis = np.linspace(-1.0, 1.0, size)
    x, y = np.meshgrid(axis, -axis)
    return ClosedForm(disc, [INTENSITY, RADIUS, ELLIPTICITY, ANGLE], (x, y))
