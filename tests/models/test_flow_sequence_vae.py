"""The bound of sequences, where flows and decoder are linear and every density is Gaussian."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

from latax._errors import ConfigError
from latax.models.flow_sequence_vae import flow_sequence_vae, frame_vae
from latax.models.recipes import Budget, flow_sequences
from latax.models.sequence_bound import NegativeBound, SequenceObjective
from latax.potential import AbstractPotential, NoPDE, Potentials, Wave

TIMES, NOISE = (0.0, 0.3, 0.7), 0.4
RNG = np.random.default_rng(0)
W = RNG.normal(size=(3, 2))
STRETCHES = np.array([[[0.8, 0.3], [0.3, -0.5]], [[-0.4, -0.6], [-0.6, 0.9]]])
X = RNG.normal(size=(3, 3))


class Quadratic(AbstractPotential):
    """½ zᵀAz: the flow is exp(tA)."""

    matrix: jax.Array
    size: int = eqx.field(static=True, default=2)

    def __call__(self, z, t):
        return 0.5 * z @ self.matrix @ z


@pytest.fixture(scope="module", params=[0, 2], ids=["first frame", "last frame"])
def model(request):
    with jax.enable_x64(True):
        new = flow_sequence_vae((3,), 2, 2, TIMES, pde=NoPDE(), at=request.param, noise=NOISE, key=jr.key(0))
        potentials = Potentials(eqx.filter_vmap(Quadratic)(jnp.asarray(STRETCHES)), 2)
        decoder = lambda z: jnp.asarray(W) @ z
        return eqx.tree_at(lambda m: (m.potentials, m.decoder), new, (potentials, decoder))


def exact(model, k):
    """(log p(x | k), mean and covariance of z_at given x) by linear algebra."""
    flow = [scipy.linalg.expm(STRETCHES[k] * t) for t in TIMES]
    maps = np.concatenate([W @ f for f in flow])
    x = X.ravel()
    log_p = scipy.stats.multivariate_normal(np.zeros(9), maps @ maps.T + NOISE**2 * np.eye(9)).logpdf(x)
    covariance = np.linalg.inv(np.eye(2) + maps.T @ maps / NOISE**2)
    mean = covariance @ maps.T @ x / NOISE**2
    return log_p, flow[model.at] @ mean, flow[model.at] @ covariance @ flow[model.at].T


@pytest.mark.parametrize("k", [0, 1])
def test_joint_less_exact_posterior_is_the_likelihood_at_every_point(model, k, x64):
    log_p, mean, covariance = exact(model, k)
    posterior = scipy.stats.multivariate_normal(mean, covariance)
    joint = jax.jit(lambda z: sum(model.log_parts(jnp.asarray(X), z, jnp.asarray(k))))
    for z in posterior.rvs(size=3, random_state=1):
        assert float(joint(jnp.asarray(z))) - posterior.logpdf(z) == pytest.approx(log_p, abs=2e-4)
    # Without the change of density the last frame's would be off by the trace.
    wrong = scipy.stats.multivariate_normal(mean, covariance).logpdf(mean) - np.trace(STRETCHES[k]) * TIMES[model.at]
    shift = abs(float(joint(jnp.asarray(mean))) - wrong - log_p)
    assert (shift > 0.1) == (model.at > 0)


def test_an_unknown_transformation_is_summed_exactly(model, x64):
    z = jnp.array([0.3, -0.2])
    joint = [float(sum(model.log_parts(jnp.asarray(X), z, jnp.asarray(k)))) for k in range(2)]
    fit, prior = model.log_parts(jnp.asarray(X), z, None)
    mixture = float(fit + prior)
    assert mixture == pytest.approx(scipy.special.logsumexp(joint) - np.log(2), abs=1e-10)
    np.testing.assert_allclose(model.which(jnp.asarray(X), z), scipy.special.softmax(joint), atol=1e-10)
    assert mixture < max(joint)
    # Apart: the density of the latent point under the mixture of the densities carried along, and the rest.
    flows = [scipy.linalg.expm(a * TIMES[model.at]) for a in STRETCHES]
    densities = [scipy.stats.multivariate_normal(np.zeros(2), f @ f.T).logpdf(np.asarray(z)) for f in flows]
    assert float(prior) == pytest.approx(scipy.special.logsumexp(densities) - np.log(2), abs=1e-4)


def test_bounds_are_below_the_likelihood_and_draws_bring_them_near(model, x64):
    log_p = [exact(model, k)[0] for k in range(2)]
    q = model.posterior(jnp.asarray(X))
    # A posterior that is wide enough to be near: importance weights are then even.
    wide = eqx.tree_at(lambda m: m.head, model, lambda f: q._replace(mean=jnp.asarray(exact(model, 0)[1])))
    keys = jr.split(jr.key(1), 4000)
    weights = lambda k: jax.jit(jax.vmap(lambda key: wide.log_weight(jnp.asarray(X), k, key)))(keys)
    known = weights(jnp.asarray(0))
    assert known.mean() < log_p[0]
    assert float(jax.nn.logsumexp(known) - np.log(4000)) == pytest.approx(log_p[0], abs=0.2)
    unknown = weights(None)
    wanted = scipy.special.logsumexp(log_p) - np.log(2)
    assert unknown.mean() < wanted
    assert float(jax.nn.logsumexp(unknown) - np.log(4000)) == pytest.approx(wanted, abs=0.25)


def test_the_objective_reaches_every_part():
    model = flow_sequence_vae((3,), 2, 2, TIMES, pde=Wave(), at=1, width_size=4, key=jr.key(0))
    batch = {"x": jnp.asarray(RNG.normal(size=(4, 3, 3)), jnp.float32), "k": jnp.array([0, 1, 0, 1])}
    loss = lambda m: sum(SequenceObjective(False)(m, batch, jr.key(1)).values())
    gradients = eqx.filter_jit(eqx.filter_grad(loss))(model)
    parts = (gradients.features, gradients.head, gradients.decoder, gradients.potentials.stacked.net, gradients.pde)
    for part in (*parts, gradients.log_noise):
        assert any(jnp.abs(leaf).max() > 0 for leaf in jax.tree.leaves(part))


@pytest.mark.parametrize("linear", [False, True])
def test_without_an_equation_the_flows_are_trained_all_the_same(linear):
    model = flow_sequence_vae((3,), 2, 2, TIMES, pde=NoPDE(), linear=linear, width_size=4, key=jr.key(0))
    (phase,) = flow_sequences(Budget(5, 4, 1e-3, 0.0, 1.0), known=True, equation_weight=0.1)
    spec = phase.filter_spec(model)
    stacked = spec.potentials.stacked
    assert all(jax.tree.leaves(stacked.direction if linear else stacked.net))
    assert not spec.loc
    assert not spec.scale


def test_all_but_the_units_of_the_potentials_is_trained():
    model = flow_sequence_vae((3,), 2, 2, TIMES, pde=Wave(), width_size=4, key=jr.key(0))
    (phase,) = flow_sequences(Budget(5, 4, 1e-3, 0.0, 1.0), known=True, equation_weight=0.1)
    spec = phase.filter_spec(model)
    learned = (spec.features, spec.head, spec.decoder, spec.potentials.stacked.net, spec.pde, spec.log_noise)
    assert all(jax.tree.leaves(learned))
    assert not spec.potentials.stacked.gain


def test_the_metric_is_minus_the_bound_of_every_sequence(model, x64):
    batch = {"x": jnp.asarray(np.stack([X, 2 * X])), "k": jnp.array([0, 1])}
    found = jax.jit(lambda batch: NegativeBound(True)(model, batch))(batch)
    by_hand = -model.log_weight(batch["x"][1], jnp.asarray(1), jr.fold_in(jr.key(0), 1))
    assert float(found[1]) == pytest.approx(float(by_hand))
    assert found[0] > -exact(model, 0)[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"times": (0.1, 0.5)}, r"times=\(0\.1, 0\.5\): expected at least two, from 0 on"),
        ({"times": (0.0, 0.5, 1.5)}, r"increasing, and at most 1"),
        ({"at": 3}, r"at=3: there is no such frame; there are 3"),
    ],
)
def test_what_cannot_be(options, said):
    with pytest.raises(ConfigError, match=said):
        flow_sequence_vae((3,), 2, 2, **({"times": TIMES, "pde": NoPDE(), "key": jr.key(0)} | options))


def test_every_sequence_has_a_draw_of_its_own(model, x64):
    # Sequences that are alike: with one draw for all, the metric's mean would not gain by their number.
    batch = {"x": jnp.asarray(np.repeat(X[None], 3, axis=0)), "k": jnp.zeros(3, int)}
    metric = jax.jit(lambda batch: NegativeBound(True)(model, batch))
    found = np.asarray(metric(batch))
    assert len(set(found.tolist())) == 3
    np.testing.assert_array_equal(found, metric(batch))
    # And a sequence's draw does not depend on how many there are.
    fewer = {name: values[:2] for name, values in batch.items()}
    np.testing.assert_allclose(jax.jit(lambda batch: NegativeBound(True)(model, batch))(fewer), found[:2], rtol=1e-12)


def test_units_of_the_data_change_the_bound_by_their_logarithm_alone(x64):
    make = lambda **units: flow_sequence_vae((3,), 2, 2, TIMES, pde=NoPDE(), at=1, key=jr.key(0), **units)
    plain, scaled = make(noise=NOISE), make(noise=5 * NOISE, loc=2.0, scale=5.0)
    k, key = jnp.asarray(1), jr.key(3)
    found = scaled.log_weight(2 + 5 * jnp.asarray(X), k, key)
    assert float(found) == pytest.approx(float(plain.log_weight(jnp.asarray(X), k, key)) - X.size * np.log(5))
    assert float(scaled.log_weight(jnp.asarray(X), k, key)) != pytest.approx(float(found), rel=1e-3)


@pytest.mark.parametrize("linear", [False, True])
def test_rows_of_latents_are_rebuilt_along_their_own_flow(linear, x64):
    model = flow_sequence_vae((3,), 2, 2, TIMES, pde=NoPDE(), at=1, linear=linear, width_size=4, key=jr.key(0))
    x = jnp.asarray(X)
    row = model.encode(x, jnp.asarray(1))
    assert row.shape == (model.latent_size,) == (3,)
    path = model.states(row[:2], jnp.asarray(1))[0]
    np.testing.assert_allclose(model.rebuild(row), jax.vmap(model.decode)(path), atol=1e-12)
    assert jnp.abs(model.rebuild(row.at[2].set(0.0)) - model.rebuild(row)).max() > 1e-6
    # From the prior, at time 0, to the same frames.
    np.testing.assert_allclose(model.from_prior(path[0], jnp.asarray(1)), model.rebuild(row), atol=1e-5)
    assert int(model.encode(x)[2]) == int(jnp.argmax(model.which(x, row[:2])))
    # Straight flows leave the density as it is.
    fit, prior = model.log_parts(x, row[:2], jnp.asarray(1))
    moved = scipy.stats.norm.logpdf(np.asarray(path[0])).sum()
    assert (float(prior) == pytest.approx(moved, abs=1e-9)) == linear
    assert float(fit) == pytest.approx(scipy.stats.norm.logpdf(X - np.asarray(model.rebuild(row))).sum())


def test_frames_by_themselves_have_the_likelihood_of_probabilistic_pca(x64):
    model = frame_vae((3,), 2, TIMES, noise=NOISE, width_size=4, key=jr.key(0))
    model = eqx.tree_at(lambda m: m.decoder, model, lambda z: jnp.asarray(W) @ z)
    exact = scipy.stats.multivariate_normal(np.zeros(3), W @ W.T + NOISE**2 * np.eye(3)).logpdf(X)
    covariance = np.linalg.inv(np.eye(2) + W.T @ W / NOISE**2)
    means = X @ W @ covariance / NOISE**2
    z = means + 0.3
    posterior = [
        scipy.stats.multivariate_normal(mean, covariance).logpdf(at) for mean, at in zip(means, z, strict=True)
    ]
    joint = float(sum(model.log_parts(jnp.asarray(X), jnp.asarray(z.ravel()), None)))
    assert joint - np.sum(posterior) == pytest.approx(exact.sum(), abs=1e-9)
    row = model.encode(jnp.asarray(X))
    assert row.shape == (model.latent_size,) == (6,)
    np.testing.assert_allclose(model.rebuild(row), np.asarray(row).reshape(3, 2) @ W.T, atol=1e-12)
    assert float(model.squared_residual(jnp.asarray(X), jr.key(0))) == 0


def test_a_heavier_divergence_is_no_bound(model, x64):
    x, k, key = jnp.asarray(X), jnp.asarray(0), jr.key(4)
    one, two, three = (float(model.log_weight(x, k, key, beta=b)) for b in (1.0, 2.0, 3.0))
    # Linear in β, with the drawn log p(z) - log q(z) as slope.
    assert three - two == pytest.approx(two - one)
    z = model.posterior(x).sample(jr.split(key)[0])
    prior = model.log_parts(x, z, k)[1]
    assert two - one == pytest.approx(float(prior - model.posterior(x).log_prob(z)))
    batch = {"x": x[None], "k": k[None]}
    bounds = [float(SequenceObjective(True, b)(model, batch, key)["bound"]) for b in (1.0, 4.0)]
    assert bounds[0] != pytest.approx(bounds[1])


def test_above_64_coordinates_bounds_take_the_exact_change_of_density(x64):
    """Random directions are right on average in the logarithm, and their exponential is not: IWAE would be too high."""
    made = flow_sequence_vae((2,), 66, 2, (0.0, 0.5, 1.0), pde=NoPDE(), at=1, width_size=4, key=jr.key(0))
    z, k = jr.normal(jr.key(1), (66,)), jnp.asarray(1)
    back = jax.jit(jax.jacfwd(lambda z: made.states(z, k)[0][0]))(z)
    exact = float(np.linalg.slogdet(back)[1])
    assert float(made.states(z, k)[1]) == pytest.approx(exact, rel=1e-3)  # steps of the solver
    assert abs(float(made.states(z, k, key=jr.key(2))[1]) / exact - 1) > 1e-2
    x = jnp.zeros((3, 2))
    by_key = lambda exact: made.drawn_parts(x, k, jr.key(3), exact=exact)[1][0]
    _, prior = made.log_parts(x, made.posterior(x).sample(jr.split(jr.key(3))[0]), k)
    assert float(by_key(True)) == pytest.approx(float(prior))
    assert float(by_key(False)) != pytest.approx(float(prior), abs=1e-6)
