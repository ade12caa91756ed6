"""Small convolutional networks for images (height, width, channels): down to a vector, and up from one.

Downwards by strided convolutions, upwards by convolutions to four times the channels, which become two by two pixels
(Shi et al., "Real-time single image and video super-resolution", arXiv 1609.05158). Any size will do: halves are
rounded up, and cut off on the way back.

A convolution is a product of matrices here, of the 3 × 3 neighbourhoods with the kernel. XLA's own convolutions are
some fifteen times slower on CPUs inside a loop, as all training is: only outside of loops does it give the gradients'
convolutions to its fast routine. Products are fast everywhere, and so are all their derivatives.
"""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn.linear import Linear, linears, zeros

_WIDTH = 3
_PLACES = [(a, b) for a in range(_WIDTH) for b in range(_WIDTH)]
_LEAST_VARIANCE = 1e-5
Shape = tuple[int, int, int]


class Convolution(eqx.Module):
    """A convolution by 3 × 3 pixels whose result has the image's size, divided by `stride` and rounded up."""

    weight: Float[Array, "h w i o"]
    bias: Float[Array, " o"]
    stride: int = eqx.field(static=True, default=1)

    def __call__(self, image: Float[Array, "H W i"]) -> Float[Array, "h2 w2 o"]:
        """The new image."""
        fewer = self.weight.shape[3] < self.weight.shape[2]
        convolved = _half_by_products if self.stride == 1 and fewer else _by_neighbours
        return convolved(image, self.weight, self.stride) + self.bias[None, None]


def _by_neighbours(image: Float[Array, "H W i"], weight: Float[Array, "h w i o"], stride: int) -> Array:
    padded, at = _laid_upon(image, stride)
    pixels = jnp.concatenate([padded[at(a, b)] for a, b in _PLACES], axis=2)
    return jnp.einsum("hwi,io->hwo", pixels, weight.reshape(-1, weight.shape[3]))


def _half_by_products(image: Float[Array, "H W i"], weight: Float[Array, "h w i o"], stride: int) -> Array:
    """The same where fewer channels come out than go in: neighbours along one axis, sums of products along the other.

    That is a third of the memory, and two to four times as fast.
    """
    padded, at = _laid_upon(image, stride)
    size = weight.shape[3]
    beside = jnp.concatenate([padded[:, at(0, b)[1]] for b in range(_WIDTH)], axis=2)
    kernel = weight.transpose(1, 2, 0, 3).reshape(-1, _WIDTH * size)
    products = jnp.einsum("hwi,io->hwo", beside, kernel)
    above, middle, below = (products[at(a, 0)[0], :, a * size : (a + 1) * size] for a in range(_WIDTH))
    return above + middle + below


def _laid_upon(
    image: Float[Array, "H W c"], stride: int
) -> tuple[Float[Array, "H2 W2 c"], Callable[[int, int], tuple[slice, slice]]]:
    """The image with zeros around it, and where in it the pixels are on which a place of the kernel is laid."""
    sizes = [-(-size // stride) for size in image.shape[:2]]
    beyond = [max((n - 1) * stride + _WIDTH - size, 0) for n, size in zip(sizes, image.shape[:2], strict=True)]
    padded = jnp.pad(image, (*((extra // 2, extra - extra // 2) for extra in beyond), (0, 0)))
    across = lambda start, n: slice(start, start + (n - 1) * stride + 1, stride)
    return padded, lambda a, b: (across(a, sizes[0]), across(b, sizes[1]))


def group_norm(image: Float[Array, "h w c"], groups: int) -> Float[Array, "h w c"]:
    """The image with mean zero and variance one in each of so many groups of channels (Wu and He 2018, arXiv
    1803.08494), of this image alone: what else is in the batch does not matter."""
    grouped = image.reshape(*image.shape[:2], groups, -1)
    centred = grouped - jnp.mean(grouped, axis=(0, 1, 3), keepdims=True)
    variance = jnp.mean(centred**2, axis=(0, 1, 3), keepdims=True)
    return (centred * jax.lax.rsqrt(variance + _LEAST_VARIANCE)).reshape(image.shape)


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
        kernels = [(_WIDTH**2 * i, 4 * o, None) for i, o in pairs]
        self.first, *inner = linears(((in_size, height * width * channels[0], None), *kernels), key=key)
        self.layers = tuple(_convolution(layer) for layer in inner)
        self.last = Convolution(zeros(_WIDTH, _WIDTH, channels[-1], shape[2]), zeros(shape[2]))

    def __call__(self, z: Float[Array, " n"]) -> Float[Array, " d"]:
        """The image."""
        start = _half(self.sizes[0])
        image = self.activation(self.first(z)).reshape(*start, -1)
        for size, layer in zip(self.sizes, self.layers, strict=True):
            image = _unfolded(self.activation(layer(image)), size)
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


def _unfolded(image: Float[Array, "h w c4"], size: tuple[int, int]) -> Float[Array, "h2 w2 c"]:
    """Four channels become the four pixels of a square."""
    height, width, channels = image.shape
    squares = image.reshape(height, width, 2, 2, channels // 4)
    return squares.transpose(0, 2, 1, 3, 4).reshape(2 * height, 2 * width, -1)[: size[0], : size[1]]
