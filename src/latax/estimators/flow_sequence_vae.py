"""Potentials that are trained along with a variational autoencoder of sequences."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key
from sklearn.utils.validation import check_is_fitted

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.estimators import inputs
from latax.estimators.bound_vae import AT_ONCE, AbstractBoundVAE, encode_row
from latax.estimators.params import require_count, require_not_negative, require_positive, require_seed
from latax.estimators.rows import map_rows
from latax.estimators.sequence_estimator import check_dt
from latax.estimators.sequences import times_of
from latax.estimators.traversal import AbstractTraverser, path_solver
from latax.estimators.traversal_settings import find_pde
from latax.models.flow_sequence_vae import FlowSequenceVAE as Module
from latax.models.flow_sequence_vae import flow_sequence_vae, frame_vae
from latax.models.recipes import Budget, flow_sequences
from latax.models.sequence_bound import AbstractSequenceVAE
from latax.potential import AbstractPotentialPDE, NoPDE, check_number
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class FlowSequenceVAE(AbstractBoundVAE, AbstractTraverser):
    """VAE of sequences on potential flows: one frame is encoded, and the flow of a potential leads to all others.

    Each of K transformations is the gradient flow of a potential that obeys an equation; encoder, decoder and
    potentials are trained together, by a lower bound of the likelihood with the exact change of density (after Song,
    Keller, Sebe and Welling 2023, arXiv 2304.12944 and 2309.13167). Where it is known which transformation a sequence
    shows, say so as context: one column of whole numbers from 0 to K - 1. Else all are summed over.

    A row of `transform` has the latent coordinates of the encoded frame and, last, the number of the transformation:
    the one given, or the likeliest.
    """

    default_epochs: ClassVar[int] = 100

    potentials: int = 3
    """How many transformations there are."""
    flow: Literal["potential", "linear", "none"] = "potential"
    """potential: gradients of learned potentials; linear: straight lines along learned directions; none: each frame by
    itself. The last two are what the first has to beat."""
    pde: str | AbstractPotentialPDE = "wave"
    """The potentials' equation: wave, heat, fokker-planck, probability-flow, hamilton-jacobi, none, or file.py:name."""
    at: int = 0
    """The number of the frame that is encoded, the first by default."""
    speed: float = 0.5
    """How far a new flow leads from the first to the last frame, as a share of the typical |z|."""
    equation_weight: float = 0.1
    """Weight of the squared residual of the equation, beside the bound in nats for each number of the data."""
    dt: float | None = None
    """Time from one frame to the next, where the data have no times."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "flow-sequence-vae"

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        super()._check_model_params()
        require_count("potentials", self.potentials)
        require_count("at", self.at, least=0)
        require_positive("speed", self.speed)
        require_not_negative("equation_weight", self.equation_weight)
        check_dt(self.dt)
        if self.flow not in ("potential", "linear", "none"):
            raise ConfigError(f"flow={self.flow!r} is not known; give 'potential', 'linear' or 'none'.")
        if self.flow == "linear" and self.potentials > self.latent_size:
            raise ConfigError(
                f"potentials={self.potentials} with latent_size={self.latent_size}: there are no more different "
                "directions than latent coordinates. Give a larger latent_size."
            )
        find_pde(self.pde)

    def _check_columns(self, samples: Samples) -> None:
        self.times_ = times_of(samples, self.dt).tolist()
        if self.at >= len(self.times_):
            raise ConfigError(
                f"at={self.at}: there is no such frame; the sequences have {len(self.times_)}, numbered from 0 on."
            )
        if self.context_names_:
            self._numbers(samples.context)
        super()._check_columns(samples)

    def _numbers(self, context: np.ndarray | None) -> Int[np.ndarray, " N"] | None:
        if context is None:
            return None
        found = np.round(context[:, 0]).astype(np.int32)
        if context.shape[1] != 1 or (found != context[:, 0]).any() or found.min() < 0 or found.max() >= self.potentials:
            raise DataError(
                f"The transformations are given by {context.shape[1]} columns with values from {context.min():g} to "
                f"{context.max():g}; expected one column of whole numbers from 0 to {self.potentials - 1}: the "
                f"context, which of the potentials={self.potentials} transformations each sequence shows, or the last "
                "latent coordinate. Without context, all are summed over."
            )
        return found

    @property
    def _known(self) -> bool:
        return bool(self.context_names_)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> AbstractSequenceVAE:
        times = np.asarray(self.times_)
        shares = tuple(((times - times[0]) / (times[-1] - times[0])).tolist())
        shape, options = self.sample_shape_[1:] or (1,), {**self._network_options, "key": key}
        if self.flow == "none":
            return frame_vae(shape, self.latent_size, shares, **options)
        linear = self.flow == "linear"
        pde = NoPDE() if linear else find_pde(self.pde)
        return flow_sequence_vae(
            shape,
            self.latent_size,
            self.potentials,
            shares,
            pde=pde,
            at=self.at,
            speed=self.speed,
            linear=linear,
            **options,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        return flow_sequences(budget, known=self._known, equation_weight=self.equation_weight, beta=self.beta)

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, **super()._fitted_numbers()}

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        if self.flow == "none":
            return tuple(f"z{i}[t={t:g}]" for t in self.times_ for i in range(self.latent_size))
        return (*(f"z{i}" for i in range(self.latent_size)), "transformation")

    # ---- verbs

    def _check_latents(self, Z: Float[np.ndarray, "N m"]) -> None:
        if self.flow != "none":
            self._numbers(Z[:, -1:].astype(np.float64))

    def _drawn_numbers(self, numbers: Int[np.ndarray, " N"] | None, n: int, seed: int) -> Int[np.ndarray, " N"]:
        drawn = lambda: np.random.default_rng(seed).integers(self.potentials, size=n).astype(np.int32)
        return drawn() if numbers is None else numbers

    def predict(self, frames: Any, k: int) -> np.ndarray:
        """The whole sequences (N, T, ...) that the transformation k makes of frames (N, ...), each that number `at`.

        Of sequences, as `transform` takes them, that frame is taken; their context does not matter.

        Raises `ConfigError` for a k that is not there and where there is no flow, `DataError` for other shapes.
        """
        module, _ = self._moving
        rows = map_rows(encode_row, module, *self._as_sequences(frames, k), chunk=AT_ONCE)
        return self.inverse_transform(rows)

    def draw(self, n: int = 1, *, seed: int = 0) -> Float[np.ndarray, "N n"]:
        """`n` latent points of the first frame, drawn from the prior."""
        _, size = self._moving
        require_count("n", n)
        require_seed(seed)
        return np.random.default_rng(seed).normal(size=(n, size)).astype(np.float32)

    def start(self, X: Any, k: int, *, backwards: bool = False) -> Float[np.ndarray, "N n"]:
        """The latent points at the first time from which the transformation k leads through frames X (N, ...), each
        that number `at`, or through those of sequences; with `backwards`, those at the last time. Raises as `predict`
        does."""
        module, _ = self._moving
        return np.asarray(map_rows(_Ends(backwards), module, *self._as_sequences(X, k), chunk=AT_ONCE))

    def _as_sequences(self, frames: Any, k: int) -> tuple[np.ndarray, Int[np.ndarray, " N"]]:
        """Flat sequences, of which the model looks at one frame, and k for each."""
        check_number(k, self.potentials)
        shape, count = self.sample_shape_[1:] or (1,), len(self.times_)
        frames = np.asarray(frames) if isinstance(frames, list | tuple) else frames
        if not isinstance(frames, np.ndarray) or frames.shape[1:] in (self.sample_shape_, (self.n_features_in_,)):
            x = np.asarray(inputs.new_rows(self, frames).X, np.float32)
        elif frames.shape[1:] != shape or not len(frames) or not np.isfinite(frames).all():
            raise DataError(
                f"The frames have shape {frames.shape}; expected finite numbers of shape "
                f"(N, {', '.join(map(str, shape))}), or sequences of {count} of them."
            )
        else:
            x = np.repeat(frames.astype(np.float32)[:, None], count, axis=1).reshape(len(frames), -1)
        return x, np.full(len(x), k, np.int32)

    @property
    def _moving(self) -> tuple[Any, int]:
        check_is_fitted(self)
        if self.flow == "none":
            raise ConfigError(
                "With flow='none' every frame is by itself, and none follows from another. Fit with flow='potential' "
                "or 'linear' for paths; `sample` and `project` need none."
            )
        return self._centred, self.latent_size

    def _follower(self, shares: tuple[float, ...]) -> "_Follow":
        return _Follow(shares, self.sample_shape_[1:])

    def _times(self, shares: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        return self.times_[0] + shares * (self.times_[-1] - self.times_[0])

    @property
    def _prior_size(self) -> int:
        return self.latent_size * (len(self.times_) if self.flow == "none" else 1)


class _Follow(NamedTuple):
    """Frames of this shape and latent points along a path; equal times share a compiled program."""

    times: tuple[float, ...]
    shape: tuple[int, ...]

    def __call__(
        self, module: Module, z: Float[Array, " n"], weights: Float[Array, " K"]
    ) -> tuple[Float[Array, "T *data"], Float[Array, "T n"]]:
        path = module.composed(z, weights, np.asarray(self.times), solver=path_solver(self.times)).z
        return jax.vmap(lambda z: module.decode(z).reshape(self.shape))(path), path


class _Ends(NamedTuple):
    """The latent point of the first, or of the last, frame on the path through a flat sequence."""

    last: bool

    def __call__(self, module: Module, x: Float[Array, " d"], k: Int[Array, ""]) -> Float[Array, " n"]:
        frames = x.reshape(len(module.times), -1)
        return module.states(module.posterior(frames).mean, k, key=jr.key(0))[0][-1 if self.last else 0]
