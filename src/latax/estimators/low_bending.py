"""The low-bending, low-distortion autoencoder: an embedding as isometric and as flat as the manifold allows."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Array, Float, Key

from latax import train
from latax._errors import ConfigError
from latax._wording import look_up
from latax.data import Samples, stacked
from latax.data.rendered import RenderedManifold
from latax.estimators.autoencoder import AbstractAutoencoder
from latax.estimators.embedding_assessment import EmbeddingAssessment, assess_embedding, look
from latax.estimators.find_nearness import find_nearness
from latax.estimators.manifolds import find_manifold
from latax.estimators.nearness import AbstractNearness
from latax.estimators.paired_nearness import Paired
from latax.estimators.params import require_not_negative, require_positive
from latax.geometry import (
    DISTORTIONS,
    AbstractDistanceLaw,
    AbstractDistortion,
    AbstractManifold,
    Annulus,
    PairSampler,
    Radial,
    Shell,
)
from latax.models.autoencoder import Autoencoder
from latax.models.recipes import Budget, low_bending

#: Shares of the steps for the start from far pairs, and for the decoder.
STRESS_SHARE, DECODER_SHARE = 0.25, 0.25
#: Near pairs, or samples with their neighbours, on which weights and replicates are compared.
VALIDATION = 1024
#: In the manifold's length: what single precision allows.
LEAST = 0.01


@dataclass(kw_only=True, eq=False, repr=False)
class LowBendingAutoencoder(AbstractAutoencoder):
    """Low-bending autoencoder: lengths in latent space are lengths on the manifold of the data, and lines bend little.

    Straight lines between latent coordinates of near samples then decode to what lies between them. The encoder learns
    from near samples with known distances; there are three ways to know them, and `manifold` says which. With a
    renderer, pairs are drawn and rendered as the training goes on. With a known position of each sample, all
    derivatives come from its neighbours. With pairs (`latax.data.from_triples`), distances and midpoints are those that
    you give. A decoder is trained on the finished latent coordinates (Braunsmann, Rajković, Rumpf and Wirth, "Learning
    low bending and low distortion manifold embeddings", CVPR workshops 2021, arXiv 2104.13189).
    """

    default_epochs: ClassVar[int] = 500
    _chosen_by_rows: ClassVar[bool] = False

    manifold: str | RenderedManifold | AbstractManifold = "sundial"
    """What the images show: sundial, rotating-object, translations, ellipses, rotated-digits. Or where the samples are
    whose positions are known: circle (radians), circle-degrees, sphere (unit vectors), rotations (matrices), torus (two
    angles), plane, line (such as times). Or pairs, where the samples come with some. Or file.py:name for your own."""
    latent_size: int = 16
    """Latent coordinates: room to lie flat in, at least twice the manifold's dimension and one more."""
    bending_weight: float = 0.1
    """λ, the weight of the bending, in squares of the manifold's length: its injectivity radius, or the diameter of a
    smaller region, / π; where the former is infinite or unknown, the greatest distance of two samples / π."""
    distortion: Literal["inverse", "regularised", "quadratic", "log"] = "inverse"
    """γ, what a wrong length costs: s² + 1/s² - 2, that with a finite value at 0, (s - 1)², or log² s."""
    distances: Literal["annulus", "ball", "radial", "shell"] = "annulus"
    """How distances of rendered near pairs are drawn; all but the annulus have known defects. Ball and radial end at
    0.01 of the manifold's length, the least that single precision allows."""
    farthest: float = 0.5
    """The greatest distance of a rendered near pair, and of neighbours at known positions, in the manifold's length:
    where samples are too few, neighbours may be farther away. Known pairs have their own distances."""
    nearest: float = 0.1
    """The least distance of a rendered near pair, for the annulus, and of neighbours at known positions; 0.01 is the
    least that single precision allows."""
    start: Literal["stress", "none"] = "stress"
    """Begin with the distances of far pairs. Without, embeddings often wind twice around."""
    decoder: bool = True
    """Train a decoder on the finished latent coordinates."""
    reconstruction_weight: float = 0.0
    """Above zero, the decoder is trained along with the encoder, too, and the mean squared error, as a share of the
    data's variance, counts this much beside the energy. The embedding then gives up some of its shape."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "low-bending"

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        super()._check_model_params()
        if self.activation == "relu":
            raise ConfigError(
                "activation='relu' has kinks, whose bending is infinite: the nearer the pairs, the more it is. Give a "
                "smooth one, such as 'silu'."
            )
        require_not_negative("bending_weight", self.bending_weight)
        require_not_negative("reconstruction_weight", self.reconstruction_weight)
        if self.reconstruction_weight and not self.decoder:
            raise ConfigError(
                f"reconstruction_weight={self.reconstruction_weight:g} asks for a decoder, and decoder=False for none. "
                "Leave one of the two out."
            )
        require_positive("farthest", self.farthest)
        require_positive("nearest", self.nearest)
        if self.distances not in _LAWS:
            raise ConfigError(f"distances={self.distances!r} is not one of {', '.join(_LAWS)}.")
        if self.start not in ("stress", "none"):
            raise ConfigError(f"start={self.start!r} is not known; give 'stress' or 'none'.")
        for name in ("farthest", "nearest"):
            if getattr(self, name) < LEAST:
                raise ConfigError(
                    f"{name}={getattr(self, name):g} is below {LEAST:g} of the manifold's length: in single precision "
                    "the second differences of such near points are rounding. Give a larger one; nearest=0.1 and "
                    "farthest=0.5 are good."
                )
        self._distortion  # noqa: B018 - refuses unknown names
        manifold = self._manifold
        if isinstance(manifold, RenderedManifold):
            PairSampler(manifold.manifold, self._law(manifold.manifold))  # refuses distances that it does not allow
        elif manifold is not None:
            # The same for neighbours; in lengths of the data where the manifold has none of its own.
            PairSampler(manifold, Annulus(self.farthest * (unit := _unit(manifold)), self.nearest * unit))

    @property
    def _manifold(self) -> RenderedManifold | AbstractManifold | None:
        """None for pairs."""
        return find_manifold(self.manifold)

    def _law(self, manifold: AbstractManifold) -> AbstractDistanceLaw:
        length = manifold.length_scale
        return _LAWS[self.distances](self.farthest * length, self.nearest * length, LEAST * length)

    @property
    def _weight(self) -> float:
        """λ in squared units of distance."""
        return self.bending_weight * self.length_**2

    @property
    def _distortion(self) -> AbstractDistortion:
        return look_up(DISTORTIONS, self.distortion, "distortion")

    def _check_columns(self, samples: Samples) -> None:
        super()._check_columns(samples)
        near = find_nearness(self, samples, self.rows(samples))
        self.length_ = near.length
        if isinstance(near, Paired):
            near = near.checked(one_part=self.start == "stress")
        # The training's batches are made before anything is on disk: they refuse samples that they cannot use.
        self._near, self._training = near, near.training()

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Autoencoder:
        return self._autoencoder(scale, key, decoder=self.decoder)

    def _recipe(self, budget: Budget) -> train.Recipe:
        return low_bending(
            budget,
            self._distortion,
            self._weight,
            stress_share=STRESS_SHARE if self.start == "stress" else 0.0,
            decoder_share=DECODER_SHARE if self.decoder else 0.0,
            reconstruction_weight=self.reconstruction_weight,
        )

    def _batch(self, samples: Samples) -> dict[str, np.ndarray]:
        """What weights are chosen by; that knows the held-out samples."""
        return self._near.held_out(VALIDATION, self.seed)

    def _source(self, samples: Samples, rows: Any) -> train.AbstractSource:
        return train.SamplerSource(self._training)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        looked = look(self, self._near, VALIDATION, seed=self.seed)
        found = {"energy": looked.distortion + self._weight * looked.bending}
        found |= {"distortion": looked.distortion, "bending": looked.bending}
        return found | ({"reconstruction_error": self.reconstruction_error(samples)} if self.decoder else {})

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further; what the training knew of near samples is as large as the data, and is let go."""
        del self._near, self._training

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"length_": self.length_}

    # ---- verbs

    def assess(self, held_out: Samples, training: Samples | None = None) -> EmbeddingAssessment:
        """All numbers that a diagnosis and a report are made of.

        Held-out samples have neighbours, and pairs, among themselves and the training samples; give these where they
        are at hand.
        """
        return assess_embedding(self, self._nearness(held_out, training), held_out)

    def _nearness(self, held_out: Samples, training: Samples | None) -> AbstractNearness:
        both = held_out
        if training is not None and not isinstance(self._manifold, RenderedManifold):
            both = stacked(training, held_out)
        first = len(both) - len(held_out)
        near = find_nearness(self, both, (np.arange(first), np.arange(first, len(both))))
        return near.without_rounding(self.length_)


def _unit(manifold: AbstractManifold) -> float:
    return manifold.length_scale if math.isfinite(manifold.injectivity_radius) else 1.0


#: By the greatest distance, the least, and the least that single precision allows.
_LAWS = {
    "annulus": lambda outer, inner, least: Annulus(outer, inner),
    "ball": lambda outer, inner, least: Annulus(outer, least),
    "radial": lambda outer, inner, least: Radial(outer, least),
    "shell": lambda outer, inner, least: Shell(outer),
}
