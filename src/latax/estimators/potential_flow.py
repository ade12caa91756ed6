"""Traversals as potential flows: paths through the latent space of a finished decoder, learned without labels."""

import functools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, PyTree
from sklearn.utils.validation import check_is_fitted

from latax import train
from latax._errors import ConfigError, DataError, FileError
from latax._wording import look_up
from latax.estimators import store
from latax.estimators.decoders import Decoder, draws_of, find_decoder, points_of, prior_space, space_of, space_with
from latax.estimators.inputs import latent_array
from latax.estimators.params import require_count, require_seed
from latax.estimators.replicated import Replicated
from latax.estimators.rows import map_rows
from latax.estimators.run_folder import RunFolder
from latax.estimators.training import fit_into, train_replicates
from latax.estimators.traversal import AbstractTraverser, path_solver
from latax.estimators.traversal_assessment import TraversalAssessment, assess_traversals
from latax.estimators.traversal_settings import TraversalSettings, find_guidance
from latax.evaluate import Diagnosis
from latax.models.latent_space import LatentSpace, Rows, check_space
from latax.models.potential_flow import PotentialFlow as Module
from latax.models.potential_flow import PriorDraws, decoded_pair, potential_flow
from latax.models.recipes import potential_flow as recipe
from latax.potential import ACTIVATIONS, HORIZON, Supervised, check_number

#: Draws on which weights and replicates are compared, for each potential.
VALIDATION_EACH = 64
#: The decoder beside a saved model.
INSIDE = "decoder"


@dataclass(eq=False, repr=False)
class PotentialFlow(TraversalSettings, Replicated, AbstractTraverser):
    """Potential flows: paths through the latent space of a finished decoder, distinct, visible and reversible.

    Potentials u(z, t) that obey an equation are trained so that a classifier can tell from two decoded points along
    which gradient flow they differ. The decoder stays as it is (Song, Keller, Sebe and Welling, "Latent traversals in
    generative models as potential flows", ICML 2023, arXiv 2304.12944).
    """

    name: ClassVar[str] = "potential-flow"
    _folders: ClassVar[tuple[str, ...]] = ("decoder",)
    _remade: ClassVar[tuple[str, ...]] = ("space_",)

    decoder: Decoder = field(kw_only=False)
    """What decodes: a fitted model, the folder of one, a LatentSpace, or file.py:name of one."""

    # ---- fit

    def fit(
        self, X: Any = None, y: Any = None, *, out: str | os.PathLike[str] | None = None, resume: bool = False
    ) -> "PotentialFlow":
        """Trains the potentials and returns the estimator.

        **Arguments:**

        - `X`: data to encode, for a decoder that cannot draw its own; else not needed.
        - `y`: ignored.
        - `out`: a new folder for the run: metrics, checkpoints, the model.
        - `resume`: go on with the run in `out`.
        """
        self._check_params()
        decoder = find_decoder(self.decoder)
        own = isinstance(decoder, LatentSpace)
        self._decoder: Any = None if own else decoder
        self.space_ = decoder if own else space_of(decoder, X)
        self._points = np.asarray(prior.points) if not own and isinstance(prior := self.space_.sample, Rows) else None
        self.data_shape_ = check_space(self.space_)
        if not self.reference and isinstance(guidance := find_guidance(self.guidance), Supervised):
            guidance.check(self.data_shape_, self.potentials)
        seen = {"size": self.space_.size, "shape": list(self.data_shape_)}
        fit_into(out, resume, self, lambda run: self._train(run, resume), lambda: seen, None)
        return self

    def _module(self, key: Key[Array, ""]) -> Module:
        return potential_flow(
            self.space_,
            self.potentials,
            pde=self._pde,
            hidden=(self.width_size, self.width_size),
            activation=look_up(ACTIVATIONS, self.activation, "activation"),
            speed=self.speed,
            hold_norm=self.hold_norm,
            shape=self.data_shape_,
            key=key,
        )

    def _train(self, run: RunFolder | None, resume: bool) -> None:
        # The units of the space are those of the first replicate's draws, for the batches of all.
        start = eqx.filter_jit(self._module)(jr.key(self.seed))
        draws = PriorDraws(start.space, start.loc, start.scale, self.potentials)
        fitted = train_replicates(
            self,
            lambda key: eqx.tree_at(lambda m: (m.loc, m.scale), self._module(key), (start.loc, start.scale)),
            recipe(self._budget, self._objective, self._weights, train_equation=self._trains_equation),
            train.SamplerSource(draws),
            draws(jr.key(self.seed + 1), VALIDATION_EACH * self.potentials),
            run,
            resume,
        )
        self.models_ = _without_space(fitted.model)
        self.best_ = int(np.argmin(np.nan_to_num(fitted.metric, nan=np.inf)))
        self.metrics_ = {"path_loss": np.asarray(fitted.metric, np.float64)}

    @property
    def _trains_equation(self) -> bool:
        return self.train_equation and bool(jax.tree.leaves(eqx.filter(self._pde, eqx.is_inexact_array)))

    # ---- the fitted module

    @functools.cached_property
    def space_(self) -> LatentSpace:
        """The latent space that the paths are in."""
        if self._decoder is None:
            found = find_decoder(self.decoder)
            assert isinstance(found, LatentSpace)
            return found
        with jax.ensure_compile_time_eval():  # It may be asked for while something is traced.
            return prior_space(self._decoder) if self._points is None else space_with(self._decoder, self._points)

    @property
    def module_(self) -> Module:
        """The fitted module: pure functions of one point in units of its own."""
        return eqx.tree_at(lambda m: m.space, self._model, self.space_, is_leaf=lambda node: node is None)

    # ---- verbs

    def draw(self, n: int = 1, *, seed: int = 0) -> Float[np.ndarray, "N n"]:
        """`n` latent points of the decoder, from which paths may start."""
        check_is_fitted(self)
        require_count("n", n)
        require_seed(seed)
        return draws_of(self.space_, n, seed)

    def start(self, X: Any, k: int = 0, *, backwards: bool = False) -> Float[np.ndarray, "N n"]:
        """The latent points of data X (N, ...) by the decoder's own encoder: every path may start, or end, there.

        Raises `ConfigError` for a `LatentSpace`, which encodes nothing.
        """
        check_is_fitted(self)
        check_number(k, self.potentials)
        if self._decoder is None:
            raise ConfigError(
                "The decoder is a LatentSpace, which encodes nothing. Find the latent points of the data yourself, and "
                "give these to `traverse`; `draw` has points of the prior."
            )
        return points_of(self._decoder, X)

    @property
    def _moving(self) -> tuple[Module, int]:
        return self.module_, self.space_.size

    def _follower(self, shares: tuple[float, ...]) -> "_Follow":
        return _Follow(shares)

    def _times(self, shares: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        return shares

    def assess(self) -> TraversalAssessment:
        """All numbers that a diagnosis and a report are made of, on fresh draws."""
        check_is_fitted(self)
        return assess_traversals(self)

    def diagnose(self) -> Diagnosis:
        """Is this fit any good? Numbers on fresh draws, thresholds, and advice."""
        return self.assess().diagnosis

    def which(self, Z: Any, k: Any, s: Any) -> Float[np.ndarray, "N K"]:
        """The classifier's probability of each path, for a pair on path k[i] from Z[i] that ends s[i] of the way.

        Raises `ConfigError` for a k that is not there, `DataError` for a share of the way outside of 0 to 1, points of
        another size, and rows that do not belong together.
        """
        check_is_fitted(self)
        points, numbers, shares = latent_array(Z, self.space_.size), np.asarray(k), np.asarray(s, np.float32)
        if numbers.shape != (len(points),) or shares.shape != (len(points),):
            raise DataError(
                f"There are {len(points)} latent points, k has shape {numbers.shape} and s {shares.shape}; expected "
                "one k and one s for each."
            )
        for number in numbers.tolist():
            check_number(number, self.potentials)
        if not ((shares >= 0) & (shares <= HORIZON)).all():
            row = int(np.flatnonzero(~((shares >= 0) & (shares <= HORIZON)))[0])
            raise DataError(f"s[{row}] = {shares[row]:g}: expected a share of the way, from 0 to {HORIZON:g}.")
        rows = (points, numbers.astype(np.int32), shares)
        return map_rows(_Which(self._pairs, self.path_steps), self.module_, *rows, chunk=256)

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the potentials to a folder, and a fitted decoder beside them. `latax.load` reads it.

        A `LatentSpace` is not written: give it again, latax.load(path, decoder=space), or name it from the beginning.
        """
        check_is_fitted(self)
        from latax.estimators.card import traversal_card

        extra = {f"metrics.{name}": value for name, value in self.metrics_.items()}
        config = {
            "estimator": self.name,
            "params": self._params(),
            "replicates": self.n_replicates_,
            "best": self.best_,
            "data_shape": list(self.data_shape_),
            "metrics": list(self.metrics_),
            "decoder_inside": self._decoder is not None,
        }
        if self._points is not None:
            extra["points"] = self._points
        arrays = eqx.filter(self.models_, eqx.is_array)
        store.write_model(Path(path), arrays, extra, config, traversal_card(self, config))
        if self._decoder is not None:
            self._decoder.save(Path(path) / INSIDE)
        return Path(path)

    def _like(self, replicates: int) -> tuple[PyTree, Any]:
        keys = jnp.stack([jr.key(0)] * replicates)
        like = eqx.filter_eval_shape(eqx.filter_vmap(lambda key: _without_space(self._module(key))), keys)
        return eqx.partition(like, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))

    def _restore(self, path: Path, config: dict[str, Any]) -> "PotentialFlow":
        """Fills a new estimator from a saved model; `config` is its config.json."""
        self.data_shape_ = tuple(config["data_shape"])
        if config["decoder_inside"]:
            from latax.estimators.catalogue import load

            self._decoder = load(path / INSIDE)
            self._points = store.read_arrays(path, ())[1].get("points")
        else:
            space = find_decoder(self.decoder)
            if not isinstance(space, LatentSpace):
                raise FileError(f"{path} was fitted on a LatentSpace. Give it again: latax.load(path, decoder=space).")
            self._decoder, self._points, self.space_ = None, None, space
            if check_space(space) != self.data_shape_:
                raise FileError(
                    f"{path} was fitted on a decoder of data of shape {self.data_shape_}, and this one's have shape "
                    f"{check_space(space)}. Give the decoder that it was fitted on."
                )
        shapes, static = self._like(config["replicates"])
        arrays, extra = store.read_arrays(path, shapes)
        self.models_, self.history_ = eqx.combine(arrays, static), []
        self.metrics_ = {name: extra[f"metrics.{name}"] for name in config["metrics"]}
        self.best_ = config["best"]
        return self


def _without_space(model: Module) -> Module:
    return eqx.tree_at(lambda m: m.space, model, None)


class _Follow(NamedTuple):
    """Decoded data and latent points along a path; equal times share a compiled program."""

    times: tuple[float, ...]

    def __call__(
        self, module: Module, z: Float[Array, " n"], weights: Float[Array, " K"]
    ) -> tuple[Float[Array, "T *data"], Float[Array, "T n"]]:
        start = (z - module.loc) / module.scale
        path = module.composed(start, weights, np.asarray(self.times), solver=path_solver(self.times)).z
        latent = module.loc[None] + module.scale * path
        return jax.vmap(module.space.decode)(latent), latent


class _Which(NamedTuple):
    """Probabilities of the paths for one pair, from a latent point of the decoder."""

    pairs: str
    steps: int

    def __call__(
        self, module: Module, z: Float[Array, " n"], k: Int[Array, ""], s: Float[Array, ""]
    ) -> Float[Array, " K"]:
        pair = decoded_pair(module, (z - module.loc) / module.scale, s, k, self.pairs, self.steps)
        return jax.nn.softmax(module.classifier(*pair))
