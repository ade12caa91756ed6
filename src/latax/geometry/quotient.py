"""Difference quotients of a map φ over pairs of near points of a manifold, from values of φ alone.

For x and y at distance d with midpoint m, in the convention that is used throughout (with the factor 8 the second
quotient converges to the Riemannian Hessian, and λ is in units of squared length):

    ∂φ = (φ(y) - φ(x)) / d,        ∂²φ = 8 ((φ(x) + φ(y)) / 2 - φ(m)) / d²

Along the geodesic c with c' = v through m: ∂φ = (φ∘c)' + O(d²), ∂²φ = (φ∘c)'' + O(d²) = ∇²φ(v, v) + O(d²). After
Braunsmann, Rajković, Rumpf and Wirth, arXiv 2104.13189 and 2208.10193.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

Latent = Float[Array, " l"]
Scalar = Float[Array, ""]


def first_quotient(at_x: Latent, at_y: Latent, distance: Scalar) -> Latent:
    """∂φ: latent length per length on the manifold, with a direction."""
    return (at_y - at_x) / distance


def second_quotient(at_x: Latent, at_y: Latent, at_midpoint: Latent, distance: Scalar) -> Latent:
    """∂²φ, in latent length per squared length on the manifold.

    As a sum of two small differences, which are exact where values are near; the error of the values themselves is
    divided by d², so in float32 distances should not fall below 1e-2 of the manifold's size.
    """
    return 4 * ((at_x - at_midpoint) + (at_y - at_midpoint)) / distance**2


def squared_length(vector: Latent) -> Scalar:
    """|v|²."""
    return jnp.sum(vector**2)
