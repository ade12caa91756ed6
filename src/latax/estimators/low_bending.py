"""The low-bending, low-distortion autoencoder: an embedding as isometric and as flat as the manifold allows."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from latax import train
from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.autoencoder import AbstractAutoencoder
from latax.estimators.embedding_assessment import EmbeddingAssessment, assess_embedding, look
from latax.estimators.manifolds import find_manifold
from latax.estimators.params import require_not_negative, require_positive
from latax.geometry import (
    AbstractDistortion,
    Annulus,
    Ball,
    PairSampler,
    Radial,
    Shell,
    distortion_named,
)
from latax.models.autoencoder import Autoencoder
from latax.models.low_bending import RenderedPairs
from latax.models.recipes import Budget, low_bending

#: Shares of the steps for the start from far pairs, and for the decoder.
STRESS_SHARE, DECODER_SHARE = 0.25, 0.25
#: Pairs on which weights and replicates are compared.
VALIDATION_PAIRS = 1024


@dataclass(kw_only=True, eq=False, repr=False)
class LowBendingAutoencoder(AbstractAutoencoder):
    """Low-bending autoencoder: lengths in latent space are lengths on the manifold of the data, and lines bend little.

    The data are images of a manifold that is known, with a renderer: then straight lines between latent coordinates of
    near images decode to what lies between them. The encoder learns from pairs of near points that are drawn and
    rendered as it goes on; a decoder is trained on the finished latent coordinates (Braunsmann, Rajković, Rumpf and
    Wirth, "Learning low bending and low distortion manifold embeddings", CVPR workshops 2021, arXiv 2104.13189).
    """

    default_epochs: ClassVar[int] = 500

    manifold: str | RenderedManifold = "sundial"
    """What the images show: sundial, rotating-object, translations, ellipses, rotated-digits, or file.py:name."""
    latent_size: int = 16
    """Latent coordinates: room to lie flat in, at least twice the manifold's dimension and one more."""
    bending_weight: float = 0.1
    """λ, the weight of the bending, in squares of the manifold's length (its injectivity radius / π)."""
    distortion: Literal["inverse", "regularised", "quadratic", "log"] = "inverse"
    """γ, what a wrong length costs: s² + 1/s² - 2, that with a finite value at 0, (s - 1)², or log² s."""
    distances: Literal["annulus", "ball", "radial", "shell"] = "annulus"
    """How distances of near pairs are drawn; all but the annulus have known defects."""
    farthest: float = 0.5
    """The greatest distance of a near pair, in the manifold's length."""
    nearest: float = 0.1
    """The least distance of a near pair, for the annulus; 0.01 is the least that single precision allows."""
    start: Literal["stress", "none"] = "stress"
    """Begin with the distances of far pairs. Without, embeddings often wind twice around."""
    decoder: bool = True
    """Train a decoder on the finished latent coordinates."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "low-bending"

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        super()._check_model_params()
        require_not_negative("bending_weight", self.bending_weight)
        require_positive("farthest", self.farthest)
        require_positive("nearest", self.nearest)
        if self.distances not in _LAWS:
            raise ConfigError(f"distances={self.distances!r} is not one of {', '.join(_LAWS)}.")
        if self.start not in ("stress", "none"):
            raise ConfigError(f"start={self.start!r} is not known; give 'stress' or 'none'.")
        if self.distances == "annulus" and self.nearest < 0.01:
            raise ConfigError(
                f"nearest={self.nearest:g} is below 0.01 of the manifold's length: in single precision the second "
                "differences of such near points are rounding. Give a larger one; 0.1 is good."
            )
        distortion_named(self.distortion)
        self._sampler  # noqa: B018 - refuses distances that this manifold does not allow

    @property
    def _rendered(self) -> RenderedManifold:
        return find_manifold(self.manifold)

    @property
    def _length(self) -> float:
        """The unit of `farthest`, `nearest` and of the root of `bending_weight`."""
        return self._rendered.manifold.length_scale

    @property
    def _sampler(self) -> PairSampler:
        law = _LAWS[self.distances](self.farthest * self._length, self.nearest * self._length)
        return PairSampler(self._rendered.manifold, law)

    @property
    def _weight(self) -> float:
        return self.bending_weight * self._length**2

    @property
    def _distortion(self) -> AbstractDistortion:
        return distortion_named(self.distortion)

    @property
    def _pairs(self) -> RenderedPairs:
        return RenderedPairs(self._sampler, self._rendered.render, jnp.asarray(self.scaling_.loc, jnp.float32))

    def _check_columns(self, samples: Samples) -> None:
        super()._check_columns(samples)
        wanted = self._rendered.image_shape
        found = samples.sample_shape
        if found != wanted and (*found, 1) != wanted:
            raise DataError(
                f"Each sample has shape {found}, and '{self._rendered.name}' renders images of {wanted}. Give images "
                "of that shape, or the manifold that they show; `latax data make` has those of the built-in ones."
            )

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Autoencoder:
        return self._autoencoder(scale, key, decoder=self.decoder)

    def _recipe(self, budget: Budget) -> train.Recipe:
        return low_bending(
            budget,
            self._distortion,
            self._weight,
            stress_share=STRESS_SHARE if self.start == "stress" else 0.0,
            decoder_share=DECODER_SHARE if self.decoder else 0.0,
        )

    def _batch(self, samples: Samples) -> dict[str, np.ndarray]:
        """Fresh pairs, whatever the samples: they are what weights are chosen by."""
        count = max(VALIDATION_PAIRS, len(samples))
        return {name: np.asarray(a) for name, a in self._pairs.draw(jr.key(self.seed), count).items()}

    def _source(self, samples: Samples, rows: Any) -> train.AbstractSource:
        return train.SamplerSource(self._pairs)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        looked = look(self, VALIDATION_PAIRS, seed=self.seed)
        found = {"energy": looked.distortion + self._weight * looked.bending}
        found |= {"distortion": looked.distortion, "bending": looked.bending}
        return found | ({"reconstruction_error": self.reconstruction_error(samples)} if self.decoder else {})

    # ---- verbs

    def assess(self, held_out: Samples, training: Samples | None = None) -> EmbeddingAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_embedding(self, held_out, training)


_LAWS = {
    "annulus": lambda outer, inner: Annulus(outer, inner),
    "ball": lambda outer, inner: Ball(outer),
    "radial": lambda outer, inner: Radial(outer),
    "shell": lambda outer, inner: Shell(outer),
}
