"""Second-order geometry of the image of a map f from latent coordinates z (n,) to data (d,).

The second derivatives of f have a part tangential to its image, which gives the Christoffel symbols, and one normal to
it, the second fundamental form II. Curvatures follow from II by the Gauss equation (do Carmo, Riemannian Geometry,
1992, chapter 6, theorem 2.5), so no derivative of third order is taken. f has to be smooth: where it is piecewise
linear, all of this is zero almost everywhere.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.calculus import VectorMap, pushforward
from latax.geometry.frame import Frame, frame

Vector = Float[Array, " n"]
Scalar = Float[Array, ""]


def second_derivative(f: VectorMap, z: Vector, v: Vector, w: Vector) -> Float[Array, " d"]:
    """The derivative of f at z in the directions v and w."""
    return pushforward(lambda z: pushforward(f, z, v)[1], z, w)[1]


def christoffel_symbols(f: VectorMap, z: Vector) -> Float[Array, "n n n"]:
    """Γ^k_ij of the pullback metric as an array [k, i, j]: J^+ d²f / dz_i dz_j."""
    at = frame(f, z)
    return _over_pairs(at.coordinates, _hessian(f, z))


def geodesic_acceleration(f: VectorMap, z: Vector, velocity: Vector) -> Vector:
    """-Γ(v, v): the latent acceleration of the geodesic through z with this velocity."""
    return -frame(f, z).coordinates(second_derivative(f, z, velocity, velocity))


def second_fundamental_form(f: VectorMap, z: Vector) -> Float[Array, "d n n"]:
    """II(∂_i, ∂_j) as an array [:, i, j]: the normal part of d²f / dz_i dz_j, in latent coordinates."""
    return _over_pairs(frame(f, z).normal_part, _hessian(f, z))


def second_fundamental_form_in_frame(f: VectorMap, z: Vector) -> Float[Array, "d n n"]:
    """II(e_a, e_b) for an orthonormal frame e of the tangent space: in units of one over the data's."""
    at = frame(f, z)
    return _in_frame(at, _over_pairs(at.normal_part, _hessian(f, z)))


def sectional_curvature(f: VectorMap, z: Vector, v: Vector, w: Vector) -> Scalar:
    """The curvature of the section spanned by the latent velocities v and w; nan where they are parallel.

    (II(v, v) . II(w, w) - |II(v, w)|²) / (|v|² |w|² - <v, w>²), the Gauss equation.
    """
    at = frame(f, z)
    vv, vw, ww = (at.normal_part(second_derivative(f, z, a, b)) for a, b in ((v, v), (v, w), (w, w)))
    v, w = at.factor @ v, at.factor @ w
    area_squared = jnp.dot(v, v) * jnp.dot(w, w) - jnp.dot(v, w) ** 2
    return (jnp.dot(vv, ww) - jnp.dot(vw, vw)) / area_squared


def gaussian_curvature(f: VectorMap, z: Vector) -> Scalar:
    """The curvature of a surface, n = 2. Raises `ConfigError` for other n."""
    if z.shape != (2,):
        raise ConfigError(
            f"Gaussian curvature is that of a surface, of two latent coordinates; z has shape {z.shape}. "
            "Use sectional_curvature(f, z, v, w) for the surface that v and w span."
        )
    ii = second_fundamental_form_in_frame(f, z)
    return jnp.dot(ii[:, 0, 0], ii[:, 1, 1]) - jnp.dot(ii[:, 0, 1], ii[:, 0, 1])


def mean_curvature_vector(f: VectorMap, z: Vector) -> Float[Array, " d"]:
    """The mean of II(e, e) over all directions e: (1 / n) trace II. Zero for a minimal surface."""
    return jnp.trace(second_fundamental_form_in_frame(f, z), axis1=1, axis2=2) / z.shape[0]


def _hessian(f: VectorMap, z: Vector) -> Float[Array, "d n n"]:
    return jax.jacfwd(jax.jacfwd(f))(z)


def _over_pairs(operation, tensor: Float[Array, "d n n"]) -> Float[Array, "k n n"]:
    return jax.vmap(jax.vmap(operation, -1, -1), -1, -1)(tensor)


def _in_frame(at: Frame, form: Float[Array, "d n n"]) -> Float[Array, "d n n"]:
    basis = at.latent_basis()
    return jnp.einsum("dij,ia,jb->dab", form, basis, basis)
