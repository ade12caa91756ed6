"""The M-flow against autodiff and against its own promises (specification of the M-flow, section 6.3)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import Affine, Chain
from flowjax.distributions import StandardNormal, Transformed
from paramax import unwrap
from scipy.stats import kstest

from latax._errors import ConfigError
from latax.density import AffineOutput, FlowEmbedding, Permutation, Sphere, SplineCoupling, spline_coupling_flow
from latax.models.injective_flow import (
    InjectiveFlow,
    encode_batch,
    latent_nll,
    manifold_flow,
    nll,
    prescribed_flow,
    reconstruction,
    reconstruction_and_nll,
    start_density,
)
from tests.density.randomised import randomised

SMALL = {"layers": 2, "latent_layers": 2, "width_size": 4, "blocks": 0, "bins": 3}
KEY = jax.random.key(0)
THIRD_ORDER = [1, 2, 0]
TINY = {"layers": 1, "latent_layers": 1, "blocks": 0, "width_size": 4, "bins": 3, "context_size": 1}


def model(size=3, latent_size=2, **options):
    new = eqx.filter_jit(lambda: manifold_flow(size, latent_size, key=KEY, **(SMALL | options)))()
    flows = eqx.tree_at(
        lambda m: (m.embedding.embedding, m.latent),
        new,
        (randomised(new.embedding.embedding), randomised(new.latent, seed=2)),
    )
    loc, scale = jnp.linspace(-1, 1, size), jnp.linspace(0.5, 2, size)
    return eqx.tree_at(lambda m: (m.embedding.loc, m.embedding.scale), flows, (loc, scale))


def log_prob_by_autodiff(model, x, context):
    """log p(x) from dense Jacobians of the model's maps alone."""
    u = model.encode(x, context)
    jacobian = jax.jacfwd(model.decode)(u, context)
    base = model.base(x, context)
    latent_jacobian = jax.jacfwd(model.latent.bijection.transform)(base, context)
    log_normal = -0.5 * jnp.sum(base**2) - 0.5 * base.shape[0] * jnp.log(2 * jnp.pi)
    log_base = log_normal - jnp.linalg.slogdet(latent_jacobian)[1]
    return log_base - 0.5 * jnp.linalg.slogdet(jacobian.T @ jacobian)[1]


@eqx.filter_jit
def everything(model, x, context, key):
    """One compiled program for all that is compared below."""
    u = model.encode(x, context)
    projection = model.project(x, context)
    sample = model.sample(key, context)
    return {
        "result": model.log_prob(x, context),
        "autodiff": log_prob_by_autodiff(model, x, context),
        "u": u,
        "projection": projection,
        "twice": model.project(projection, context),
        "again": model.encode(model.decode(u, context), context),
        "sample": sample,
        "sample u": model.encode(sample, context),
        "sample base": model.base(sample, context),
        "error": model.reconstruction_error(x, context),
    }


CASES = {
    "n = 1": {"latent_size": 1},
    "n = d - 1, conditional density": {"latent_size": 2, "context_size": 1},
    "conditional manifold, LU": {"context_size": 1, "conditional_manifold": True, "mixing": "lu"},
}


@pytest.mark.parametrize("name", CASES)
def test_density_projection_and_sampling(name, x64):
    flow = model(**CASES[name])
    x = jnp.array([0.8, -1.3, 0.4])
    context = jnp.array([0.5]) if "context_size" in CASES[name] else None
    got = everything(flow, x, context, jax.random.key(3))
    result = got["result"]
    np.testing.assert_allclose(result.log_prob, got["autodiff"], atol=1e-10)
    np.testing.assert_allclose(result.log_prob, result.log_base - result.log_volume, atol=1e-13)
    np.testing.assert_allclose(got["twice"], got["projection"], atol=1e-9)
    np.testing.assert_allclose(got["again"], got["u"], atol=1e-9)
    np.testing.assert_allclose(result.latent, got["u"], atol=1e-14)
    np.testing.assert_allclose(result.reconstruction_error, jnp.linalg.norm(x - got["projection"]), atol=1e-10)
    np.testing.assert_allclose(got["error"], result.reconstruction_error, atol=1e-10)
    assert float(got["error"]) > 1e-3
    # The sample's base point is the one it was drawn from.
    drawn = flow.latent.base_dist.sample(jax.random.key(3))
    np.testing.assert_allclose(got["sample base"], drawn, atol=1e-8)


def third_order_flow():
    """d = 3 with permutations that are not their own inverse, as the reference implementation gets wrong."""
    keys = jax.random.split(KEY, 3)
    small = {"width_size": 4, "blocks": 0, "bins": 3}
    layers = [
        randomised(SplineCoupling(3, key=keys[0], **small)),
        Permutation(jnp.array(THIRD_ORDER)),
        randomised(SplineCoupling(3, key=keys[1], **small), seed=2),
        Permutation(jnp.array(THIRD_ORDER)),
    ]
    latent = randomised(spline_coupling_flow(2, layers=2, key=keys[2], **small), seed=3)
    return InjectiveFlow(FlowEmbedding(Chain(layers), 2), Transformed(StandardNormal((2,)), latent))


def test_permutations_of_order_three_and_the_transposed_jacobian(x64):
    flow = third_order_flow()

    @eqx.filter_jit
    def compute(flow, u):
        x = flow.decode(u)
        # The volume from the product of the layers' Jacobians, and with the permutations' transposed.
        point, right, wrong = jnp.append(u, 0), jnp.eye(3), jnp.eye(3)
        for layer in flow.embedding.bijection:
            jacobian = jax.jacfwd(layer.transform)(point)
            point = layer.transform(point)
            right = jacobian @ right
            wrong = (jacobian.T if isinstance(layer, Permutation) else jacobian) @ wrong
        return flow.log_prob(x), log_prob_by_autodiff(flow, x, None), right, wrong

    result, expected, right, wrong = compute(flow, jnp.array([0.3, -0.8]))
    np.testing.assert_allclose(result.log_prob, expected, atol=1e-10)
    volume, wrong_volume = (np.linalg.slogdet(j[:, :2].T @ j[:, :2])[1] / 2 for j in (right, wrong))
    np.testing.assert_allclose(result.log_volume, volume, atol=1e-10)
    assert abs(wrong_volume - volume) > 1e-2


@pytest.fixture(scope="module")
def batch():
    generator = np.random.default_rng(0)
    return {
        "x": jnp.asarray(generator.normal(size=(6, 3)), jnp.float32),
        "context": jnp.asarray(generator.uniform(size=(6, 1)), jnp.float32),
    }


def test_many_are_one_by_one_in_chunks_and_alone(batch):
    flow = model(**TINY)
    score = eqx.filter_jit(lambda b: jax.vmap(flow.log_prob)(b["x"], b["context"]).log_prob)
    together = score(batch)
    chunked = eqx.filter_jit(lambda b: jax.lax.map(lambda r: flow.log_prob(r["x"], r["context"]), b, batch_size=4))
    np.testing.assert_allclose(chunked(batch).log_prob, together, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(score(jax.tree.map(lambda a: a[:1], batch)), together[:1], rtol=1e-5, atol=1e-5)


def test_float32_agrees_with_float64(batch):
    trained, rest = eqx.partition(model(**TINY), eqx.is_inexact_array)

    @jax.jit
    def score(trained, batch):
        return jax.vmap(eqx.combine(trained, rest).log_prob)(batch["x"], batch["context"])

    single = score(trained, batch)
    with jax.enable_x64(True):
        double = score(*jax.tree.map(lambda a: jnp.asarray(np.asarray(a), jnp.float64), (trained, batch)))
    assert (single.log_prob.dtype, double.log_prob.dtype) == (jnp.float32, jnp.float64)
    np.testing.assert_allclose(single.log_prob, double.log_prob, atol=1e-4)
    np.testing.assert_allclose(single.latent, double.latent, atol=1e-4)


def test_objectives_are_what_they_say(batch):
    flow = model(**TINY)

    @eqx.filter_jit
    def compute(flow, batch):
        latents = encode_batch(flow, batch)
        results = jax.vmap(flow.log_prob)(batch["x"], batch["context"])
        residuals = batch["x"] - jax.vmap(flow.project)(batch["x"], batch["context"])
        return {
            "latents": latents,
            "results": results,
            "residuals": residuals / flow.embedding.scale[None],
            "terms": [
                objective(flow, b, KEY)
                for objective, b in (
                    (reconstruction, batch),
                    (latent_nll, latents),
                    (nll, batch),
                    (reconstruction_and_nll, batch),
                )
            ],
        }

    got = compute(flow, batch)
    assert set(got["latents"]) == {"u", "context"}
    expected_reconstruction = jnp.mean(got["residuals"] ** 2)  # batch and coordinates, standardised units
    expected_nll = -jnp.mean(got["results"].log_prob)
    first, second, third, fourth = got["terms"]
    np.testing.assert_allclose(first["reconstruction"], expected_reconstruction, rtol=1e-4)
    np.testing.assert_allclose(second["latent_nll"], -jnp.mean(got["results"].log_base), rtol=1e-5)
    np.testing.assert_allclose(third["nll"], expected_nll, rtol=1e-5)
    np.testing.assert_allclose(fourth["reconstruction"], expected_reconstruction, rtol=1e-4)
    np.testing.assert_allclose(fourth["nll"], expected_nll, rtol=1e-5)
    assert [set(terms) for terms in got["terms"]] == [{"reconstruction"}, {"latent_nll"}, {"nll"}, set(fourth)]


def test_the_density_phase_gives_h_the_gradient_of_the_exact_likelihood_and_f_none(batch):
    flow = model(**TINY)
    trainable, rest = eqx.partition(flow, eqx.is_inexact_array)

    @jax.jit
    def gradients(trainable, batch):
        whole = eqx.combine(trainable, rest)
        latents = jax.tree.map(jax.lax.stop_gradient, encode_batch(whole, batch))
        exact = jax.grad(lambda t: nll(eqx.combine(t, rest), batch, KEY)["nll"])(trainable)
        phase = jax.grad(lambda t: latent_nll(eqx.combine(t, rest), latents, KEY)["latent_nll"])(trainable)
        return exact, phase

    exact, phase = gradients(trainable, batch)
    for expected, got in zip(jax.tree.leaves(exact.latent), jax.tree.leaves(phase.latent), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-5)
    assert all(bool(jnp.all(g == 0)) for g in jax.tree.leaves(phase.embedding))
    for path, gradient in jax.tree_util.tree_leaves_with_path(exact):
        assert bool(jnp.any(gradient != 0)), jax.tree_util.keystr(path)


def test_a_new_model_is_flat():
    flow = manifold_flow(3, 2, key=KEY, loc=jnp.full(3, 5.0), scale=jnp.array([1.0, 2.0, 3.0]), **SMALL)
    np.testing.assert_allclose(flow.decode(jnp.array([0.1, 0.2])), [5.1, 5.4, 5.0], atol=1e-6)


def test_flow_on_a_prescribed_sphere(x64):
    flow = prescribed_flow(
        AffineOutput(Sphere(1), jnp.zeros(2), jnp.full(2, 3.0)), latent_layers=1, width_size=6, blocks=1, key=KEY
    )
    x = eqx.filter_jit(flow.sample)(jax.random.key(1))
    np.testing.assert_allclose(jnp.linalg.norm(x), 3, atol=1e-12)
    np.testing.assert_allclose(eqx.filter_jit(flow.log_prob)(x).log_volume, jnp.log(3.0), atol=1e-12)


@pytest.mark.parametrize("latent_size", [-1, 0, 3, 4])
def test_refuses_latent_sizes_that_are_not_a_manifold(latent_size):
    with pytest.raises(ConfigError, match=f"latent_size={latent_size} is not between 1 and 2: the data have 3"):
        manifold_flow(3, latent_size, key=KEY)


def test_refuses_a_latent_distribution_of_another_size():
    latent = Transformed(StandardNormal((3,)), Permutation(jnp.arange(3)))
    with pytest.raises(ConfigError, match="takes 2 latent coordinates"):
        InjectiveFlow(Sphere(2), latent)


def on_a_circle(centre, width=0.3, rows=400):
    angles = centre + width * jax.random.normal(jax.random.key(5), (rows,))
    return jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)


@pytest.mark.parametrize("centre", [0.0, np.pi])
def test_data_astride_the_seam_of_a_circle_start_as_one_heap(centre):
    flow = prescribed_flow(Sphere(1), latent_layers=1, width_size=4, blocks=0, bins=3, key=KEY)
    started = eqx.filter_jit(start_density)(flow, {"x": on_a_circle(centre)})
    affine = unwrap(started.latent.bijection[-1])
    assert float(affine.scale[0]) == pytest.approx(0.3, rel=0.1)
    assert float(jnp.cos(affine.loc[0] - centre)) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("seam", [0.0, np.pi])
def test_base_points_on_a_cover_are_standard_normal_where_the_model_is_right(seam):
    flow = prescribed_flow(Sphere(1), latent_layers=1, width_size=4, blocks=0, bins=3, key=KEY)
    affine = Affine(jnp.array([seam]), jnp.array([2.5]))  # winds around
    flow = eqx.tree_at(lambda m: m.latent.bijection[-1], flow, affine)
    keys = jax.random.split(jax.random.key(1), 4000)

    @jax.jit
    def base(keys):
        x = jax.vmap(flow.sample)(keys)
        return jax.vmap(flow.base)(x), jax.vmap(lambda x: flow.latent.bijection.inverse(flow.encode(x)))(x)

    drawn, nearest = (np.asarray(u)[:, 0] for u in base(keys))
    assert kstest(drawn, "norm").pvalue > 0.01
    assert kstest(nearest, "norm").pvalue < 1e-4  # the control: always the same one of the points above
