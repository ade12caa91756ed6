"""Metrics that a metric flow relaxes to: a matrix Σ(u) at every point u of a chart, known in closed form.

The coordinates u are those of the manifold, e.g. angles; a model's unbounded coordinates v become u by `chart`, which
keeps away from where the coordinates, and with them Σ, are singular.
"""

import abc
from collections.abc import Callable

import equinox as eqx
from jaxtyping import Array, Float

from latax._errors import ConfigError

Vector = Float[Array, " n"]
Matrix = Float[Array, "n n"]


class AbstractReferenceMetric(eqx.Module):
    """A Riemannian metric Σ(u) on n coordinates u, and a chart v -> u from all of R^n."""

    dim: eqx.AbstractVar[int]
    """The number n of coordinates."""

    @abc.abstractmethod
    def metric(self, u: Vector) -> Matrix:
        """Σ(u): symmetric, and positive definite wherever `chart` leads."""

    @abc.abstractmethod
    def chart(self, v: Vector) -> Vector:
        """The coordinates u of an unbounded v."""


class AbstractEmbeddedReference(AbstractReferenceMetric):
    """A reference metric that is that of a surface: Σ = J^T J for the Jacobian J of `embed`."""

    @abc.abstractmethod
    def embed(self, u: Vector) -> Float[Array, " l"]:
        """The point of the surface in Euclidean space."""


class OwnReference(AbstractReferenceMetric):
    """A reference metric of one's own.

    For a surface given by an embedding f, `OwnReference(lambda u: pullback_metric(f, u), n)`.

    **Arguments:**

    - `function`: u (n,) -> Σ(u) (n, n), written with `jax.numpy`, symmetric and positive definite.
    - `dim`: n.
    - `to_chart`: v (n,) -> u (n,); none if Σ is positive definite on all of R^n.

    Raises `ConfigError` for fewer than one coordinate.
    """

    function: Callable[[Vector], Matrix] = eqx.field(static=True)
    dim: int = eqx.field(static=True)
    to_chart: Callable[[Vector], Vector] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check_dimension("OwnReference", self.dim)

    def metric(self, u: Vector) -> Matrix:
        """What the function says."""
        return self.function(u)

    def chart(self, v: Vector) -> Vector:
        """`to_chart(v)`, or v itself."""
        return v if self.to_chart is None else self.to_chart(v)


def check_dimension(what: str, dim: int) -> None:
    """Raise `ConfigError` for fewer than one coordinate."""
    if dim < 1:
        raise ConfigError(
            f"{what}: {dim} coordinates; a metric needs at least one. Give 1 for a curve, 2 for a surface."
        )
