"""Training of potentials as the released code does it, faults included: for comparisons only.

One potential and one pair of adjacent times for the whole batch of a step, explicit Euler steps, the residual of
`latax.potential.reference.wave_loss` in place of the wave equation's, and a guidance without a lower bound (Song,
Keller, Sebe and Welling 2023, arXiv 2304.12944, code of October 2023, re-derived from its behaviour).

Networks and optimiser are ours. Released steps have the length 1, and a path of ours takes the time 1: with u as a
function of steps τ that is u(z, τ/H)/H, which makes the same path. The terms, and the wave speed, are those of steps.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Key

from latax.models.potential_flow import PotentialFlow, Terms
from latax.potential import ReferenceJVP, decoded_change
from latax.potential.reference import wave_loss
from latax.train import Batch


class ReferenceTraversalObjective(eqx.Module):
    """Terms `distinct`, `equation`, `initial`, `guidance`, the released weights of which are all 1.

    A batch's own numbers and times are ignored: every sample follows one potential, drawn from the key.
    """

    steps: int = eqx.field(static=True, default=8)
    pairs: str = eqx.field(static=True, default="adjacent")

    def __call__(self, model: PotentialFlow, batch: Batch, key: Key[Array, ""]) -> Terms:
        """The terms."""
        for_k, for_step = jr.split(key)
        k = jr.randint(for_k, (), 0, model.count)
        first = jr.randint(for_step, (), 1, self.steps)
        whole, count = model.potentials.at(k), self.steps
        u = lambda z, step: whole(z, step / count) / count
        speed = jax.tree.leaves(eqx.filter(model.pde, eqx.is_array))[0][k]
        slopes = jax.vmap(jax.grad(lambda z, t: u(z, t)), (0, None))
        start: Float[Array, "B n"] = batch["z"]
        times = jnp.arange(count, dtype=start.dtype)

        def step(z: Array, t: Array) -> tuple[Array, tuple[Array, Array]]:
            v = slopes(z, t)
            return z + v, (z, wave_loss(u, z, t, speed))

        end, (before, residuals) = jax.lax.scan(step, start, times)
        path = jnp.concatenate([before, end[None]])
        place, later = path[first], path[first + 1]
        velocity = slopes(place, first.astype(start.dtype))
        data, change = jax.vmap(lambda z, v: decoded_change(model.decode, z, v))(place, velocity)
        logits = jax.vmap(model.classifier)(data, jax.vmap(model.decode)(later))
        labels = jnp.broadcast_to(k, (len(start),))
        return {
            "distinct": jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels)),
            "equation": jnp.mean(residuals),
            "initial": jnp.mean(slopes(start, times[0]) ** 2),
            "guidance": jnp.mean(jax.vmap(lambda d, c, v: ReferenceJVP().loss(d, c, v, k))(data, change, velocity)),
        }
