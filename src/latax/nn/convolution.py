"""Small convolutional networks for images (height, width, channels): down to a vector, and up from one.

Downwards by strided convolutions, upwards by repeated pixels and convolutions: on CPUs several times faster than
transposed convolutions. Any size will do: halves are rounded up, and cut off on the way back.
"""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn.linear import Linear, linears, zeros

_WIDTH = 3
_LEAST_VARIANCE = 1e-5
Shape = tuple[int, int, int]


class Convolution(eqx.Module):
    """A convolution by 3 × 3 pixels whose result has the image's size, divided by `stride` and rounded up."""

    weight: Float[Array, "h w i o"]
    bias: Float[Array, " o"]
    stride: int = eqx.field(static=True, default=1)

    def __call__(self, image: Float[Array, "H W i"]) -> Float[Array, "h2 w2 o"]:
        """The new image."""
        numbers = ("NHWC", "HWIO", "NHWC")
        strides = (self.stride, self.stride)
        found = lax.conv_general_dilated(image[None], self.weight, strides, "SAME", dimension_numbers=numbers)
        return found[0] + self.bias[None, None]


def group_norm(image: Float[Array, "h w c"], groups: int) -> Float[Array, "h w c"]:
    """The image with mean zero and variance one in each of so many groups of channels (Wu and He 2018, arXiv
    1803.08494), of this image alone: what else is in the batch does not matter."""
    grouped = image.reshape(*image.shape[:2], groups, -1)
    centred = grouped - jnp.mean(grouped, axis=(0, 1, 3), keepdims=True)
    variance = jnp.mean(centred**2, axis=(0, 1, 3), keepdims=True)
    return (centred * lax.rsqrt(variance + _LEAST_VARIANCE)).reshape(image.shape)


class ImageFeatures(eqx.Module):
    """From an image, given flat, to `out_size` features."""

    shape: Shape = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)
    groups: int = eqx.field(static=True)
    layers: tuple[Convolution, ...]
    last: Linear

    def __init__(
        self,
        shape: Shape,
        out_size: int,
        channels: Sequence[int] = (16, 32, 64),
        *,
        activation: Callable = jax.nn.elu,
        groups: int = 0,
        key: PRNGKeyArray,
    ):
        """`channels`: those after each halving of the size; `groups`: of channels for `group_norm` before each
        activation, of which each number of channels is a multiple; 0 for none."""
        self.shape, self.activation, self.groups = shape, activation, groups
        height, width = _halved(shape, len(channels))[-1]
        pairs = zip((shape[2], *channels), channels, strict=False)
        sizes = [(_WIDTH**2 * i, o, None) for i, o in pairs]
        *inner, self.last = linears((*sizes, (height * width * channels[-1], out_size, None)), key=key)
        self.layers = tuple(_convolution(layer, stride=2) for layer in inner)

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " f"]:
        """The features, without an activation at the end."""
        image = x.reshape(self.shape)
        for layer in self.layers:
            image = layer(image)
            image = self.activation(group_norm(image, self.groups) if self.groups else image)
        return self.last(image.ravel())


class ImageDecoder(eqx.Module):
    """From a vector to an image, returned flat. It starts at zero."""

    sizes: tuple[tuple[int, int], ...] = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)
    first: Linear
    layers: tuple[Convolution, ...]
    last: Convolution

    def __init__(
        self,
        in_size: int,
        shape: Shape,
        channels: Sequence[int] = (64, 32, 16),
        *,
        activation: Callable = jax.nn.elu,
        key: PRNGKeyArray,
    ):
        """`channels`: those before each doubling of the size."""
        self.activation = activation
        *sizes, (height, width) = _halved(shape, len(channels))
        self.sizes = tuple(reversed(sizes))
        pairs = list(zip(channels, (*channels[1:], channels[-1]), strict=True))
        kernels = [(_WIDTH**2 * i, o, None) for i, o in pairs]
        self.first, *inner = linears(((in_size, height * width * channels[0], None), *kernels), key=key)
        self.layers = tuple(_convolution(layer) for layer in inner)
        self.last = Convolution(zeros(_WIDTH, _WIDTH, channels[-1], shape[2]), zeros(shape[2]))

    def __call__(self, z: Float[Array, " n"]) -> Float[Array, " d"]:
        """The image."""
        start = _half(self.sizes[0])
        image = self.activation(self.first(z)).reshape(*start, -1)
        for size, layer in zip(self.sizes, self.layers, strict=True):
            image = self.activation(layer(_doubled(image, size)))
        return self.last(image).ravel()


class ImageChange(eqx.Module):
    """From an image and a vector, one after the other, to a change of the image. It starts at zero."""

    features: ImageFeatures
    decoder: ImageDecoder
    size: int = eqx.field(static=True)

    def __init__(self, shape: Shape, in_size: int, features: int = 32, *, key: PRNGKeyArray):
        """`in_size`: that of the vector."""
        down, up = jax.random.split(key)
        self.features = ImageFeatures(shape, features, (16, 32), key=down)
        self.decoder = ImageDecoder(features + in_size, shape, (32, 16), key=up)
        self.size = shape[0] * shape[1] * shape[2]

    def __call__(self, x: Float[Array, " dn"]) -> Float[Array, " d"]:
        """The change."""
        image, z = x[: self.size], x[self.size :]
        return self.decoder(jnp.concatenate([jax.nn.elu(self.features(image)), z]))


def _convolution(layer: Linear, *, stride: int = 1) -> Convolution:
    weight = layer.weight.T.reshape(_WIDTH, _WIDTH, -1, layer.weight.shape[0])
    return Convolution(weight, layer.bias, stride)


def _half(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // 2), -(-size[1] // 2)


def _halved(shape: Shape, times: int) -> list[tuple[int, int]]:
    """The sizes of an image halved again and again, from the whole one on."""
    sizes = [(shape[0], shape[1])]
    for _ in range(times):
        sizes.append(_half(sizes[-1]))
    return sizes


def _doubled(image: Float[Array, "h w c"], size: tuple[int, int]) -> Float[Array, "h2 w2 c"]:
    image = jnp.repeat(jnp.repeat(image, 2, axis=0), 2, axis=1)
    return image[: size[0], : size[1]]
