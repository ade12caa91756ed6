"""Surfaces whose geometry is known in closed form, as maps from coordinates to space."""

import jax.numpy as jnp

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
