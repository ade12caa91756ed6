"""Surfaces whose geometry is known in closed form, as maps from coordinates to space."""

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

MAJOR, MINOR = 2.0, 0.5


def sphere(z):
    """Polar angle and azimuth, radius 1.5."""
    polar, azimuth = z
    return 1.5 * jnp.array([jnp.sin(polar) * jnp.cos(azimuth), jnp.sin(polar) * jnp.sin(azimuth), jnp.cos(polar)])


def torus(z):
    """The angle round the tube and the angle round the axis of revolution."""
    tube, axis = z
    ring = MAJOR + MINOR * jnp.cos(tube)
    return jnp.array([ring * jnp.cos(axis), ring * jnp.sin(axis), MINOR * jnp.sin(tube)])


def saddle(z):
    """The graph of xy."""
    x, y = z
    return jnp.array([x, y, x * y])


def cylinder(z):
    """Arc length and height."""
    return jnp.array([2 * jnp.cos(z[0] / 2), 2 * jnp.sin(z[0] / 2), z[1]])


def catenoid(z):
    """A minimal surface."""
    return jnp.array([jnp.cosh(z[0]) * jnp.cos(z[1]), jnp.cosh(z[0]) * jnp.sin(z[1]), z[0]])


def three_sphere(z):
    """Hyperspherical angles."""
    a, b, c = z
    ring = jnp.sin(a) * jnp.sin(b)
    return jnp.array([jnp.cos(a), jnp.sin(a) * jnp.cos(b), ring * jnp.cos(c), ring * jnp.sin(c)])


def plane(z):
    """Coordinates that are neither orthogonal nor of unit length."""
    return jnp.array([z[0] + 0.5 * z[1], 3 * z[1], z[0]])


def great_circle(start, end, times):
    """Points of the sphere at these fractions of the shortest way between two others, and its length."""
    angle = np.arctan2(np.linalg.norm(np.cross(start, end)), start @ end)
    weights = np.sin(np.outer([1, 1], angle * times) + angle * np.outer([-1, 0], 2 * times - 1)) / np.sin(angle)
    return weights.T @ np.stack([start, end]), 1.5 * angle


def torus_geodesic(z, velocity, times):
    """Points and velocities of the torus, from its Christoffel symbols written by hand and SciPy."""

    def field(_, state):
        tube, _, v, w = state
        ring = MAJOR + MINOR * np.cos(tube)
        return [v, w, -ring * np.sin(tube) / MINOR * w**2, 2 * MINOR * np.sin(tube) / ring * v * w]

    options = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13, "t_eval": times}
    solution = solve_ivp(field, (0, times[-1]), [*z, *velocity], **options).y.T
    return solution[:, :2], solution[:, 2:]
