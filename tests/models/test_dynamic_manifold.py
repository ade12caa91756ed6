"""VAE-DLM: sizes as released, a manifold that is known to follow the flow, and every term by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from latax._errors import ConfigError
from latax.geometry import (
    FlatTorusMetric,
    FlowContext,
    LiteralFlow,
    RicciFlow,
    SphereMetric,
    StaticFlow,
    SymmetricFlow,
    metric_and_rate,
    pullback_metric,
    ricci_tensor,
)
from latax.models.dynamic_manifold import FlowOperator, dynamic_manifold_vae
from latax.models.dynamic_objective import (
    DynamicObjective,
    forecast_error,
    look,
    trajectories,
    volume_and_condition,
    volume_weights,
)

TIMES = np.array([0.0, 0.5, 1.5, 2.0])
RADIUS, FIRST = 2.0, 1.0


def model_of(reference=None, flow=None, times=TIMES, **options):
    options = {"operator": "symmetric", "width_size": 8, "key": jr.key(0)} | options
    flow = SymmetricFlow(2.0) if flow is None else flow
    return dynamic_manifold_vae(
        times, (5,), reference=reference or SphereMetric(2, radius=RADIUS), flow=flow, **options
    )


class Shrinking(eqx.Module):
    """A sphere whose squared radius relaxes from FIRST² to radius²: what the flow without operator makes of it."""

    radius: jax.Array

    def __call__(self, at):
        u, t = at[:-1], at[-1]
        fade = jnp.exp(-2 * t)
        size = jnp.sqrt(fade * FIRST**2 + (1 - fade) * self.radius**2)
        return size * SphereMetric(2, radius=1).embed(u)


def known(radius=RADIUS, **options):
    return eqx.tree_at(lambda m: m.manifold, model_of(operator="none", **options), Shrinking(jnp.asarray(radius)))


class Collapsing(eqx.Module):
    """A sphere whose squared radius falls at a constant rate, which is its Ricci flow at half that speed."""

    rate: jax.Array

    def __call__(self, at):
        return jnp.sqrt(RADIUS**2 - self.rate * at[-1]) * SphereMetric(2, radius=1).embed(at[:-1])


@pytest.mark.parametrize(("rate", "follows"), [(2.0, True), (1.0, False)])
def test_a_collapsing_sphere_follows_the_ricci_flow(x64, rate, follows):
    model = eqx.tree_at(
        lambda m: m.manifold, model_of(operator="none", flow=RicciFlow(1.0)), Collapsing(jnp.asarray(rate))
    )
    u, t = jnp.array([0.9, 0.4]), jnp.array(0.3)
    g, change = model.metric_and_rate(model.frame(u, t), u, t)
    context = model.context(u, t)
    np.testing.assert_allclose(context.ricci, SphereMetric(2, radius=1).metric(u), atol=1e-12)
    residual = np.abs(model.flow.residual(g, change, context)).max()
    assert residual < 1e-12 if follows else residual > 0.1


def test_the_curvature_of_a_metric_network_is_its_own():
    model = model_of(operator="none", flow=RicciFlow(1.0), metric="network")
    u, t = jnp.array([0.9, 0.4]), jnp.array(0.3)
    expected = ricci_tensor(lambda u: model.metric_at(u, t), u)
    np.testing.assert_allclose(model.context(u, t).ricci, expected, rtol=1e-5)
    assert model_of().context(u, t).ricci is None


def start(model, data):
    """The model in the units of these data."""
    x = np.asarray(data["x"], np.float64)
    units = (jnp.asarray(x.mean(), model.loc.dtype), jnp.asarray(x.std(), model.loc.dtype))
    return eqx.tree_at(lambda m: (m.loc, m.scale), model, units)


def batch(rows=6, seed=0, dtype=float):
    return {"x": jr.normal(jr.key(seed), (rows, len(TIMES) * 5), dtype)}


class Torus(eqx.Module):
    """A flat torus whose squared radii are 1 + t²."""

    def __call__(self, at):
        return jnp.sqrt(1 + at[-1] ** 2) * FlatTorusMetric((1, 1)).embed(at[:-1])


@eqx.filter_jit
def compute(objective, model, data, key):
    return objective(model, data, key)


def terms(model, objective=None, data=None, key=1):
    found = compute(objective or DynamicObjective(3, 2), model, batch() if data is None else data, jr.key(key))
    return {name: float(value) for name, value in found.items()}


def test_sizes_as_released():
    model = dynamic_manifold_vae(
        np.linspace(0, 1, 201),
        (201,),
        reference=SphereMetric(6, margin=None),
        flow=LiteralFlow(2),
        metric="network",
        operator="positive",
        spread="signed",
        key=jr.key(0),
    )
    count = lambda part: sum(a.size for a in jax.tree.leaves(eqx.filter(part, eqx.is_array)))
    assert count(model.posterior) == 888_812
    assert count(model.metric) == count(model.operator) == 344_836
    assert count(model) == 2_322_692 + 2  # and the units


def test_a_manifold_that_follows_the_flow_has_no_residual(x64):
    objective = DynamicObjective(3, 2, least=0.25)  # It starts at a quarter of Σ.
    right, wrong, short = (terms(known(radius), objective) for radius in (RADIUS, 1.01 * RADIUS, 0.25 * RADIUS))
    assert right["flow"] < 1e-25
    assert right["penalty"] < 1e-25
    assert wrong["flow"] > 1e-4
    assert short["penalty"] > 1e-2


def test_the_diagnostics_of_a_known_manifold(x64):
    model, t = known(), jnp.asarray(0.3)
    v = jnp.array([0.4, -1.0])
    look_at = eqx.filter_jit(look)
    found = look_at(model, v, t, 0.5)
    u = model.chart(v)
    squared = np.exp(-0.6) * FIRST**2 + (1 - np.exp(-0.6)) * RADIUS**2
    np.testing.assert_allclose(found.log_volume, np.log(squared * np.sin(u[0])), atol=1e-12)
    np.testing.assert_allclose(found.condition, 1 / np.sin(u[0]), rtol=1e-9)
    assert found.residual < 1e-12
    assert found.operator_share == 0
    assert found.violation == 0
    assert look_at(model, v, jnp.asarray(0.0), 0.5).violation == 1
    assert look_at(model_of(), v, t, 0.5).operator_share > 0
    assert found.mismatch == 0
    assert look_at(model_of(metric="network"), v, t, 0.5).mismatch > 0.1


def test_a_static_flow_is_judged_by_how_much_the_metric_changes(x64):
    """Of g = (1 + t²) and its rate 2t, in units of the window."""
    model = model_of(FlatTorusMetric((1, 1)), flow=StaticFlow(), operator="none", ambient_size=4)
    moving = eqx.tree_at(lambda m: m.manifold, model, Torus())
    found = eqx.filter_jit(look)(moving, jnp.array([0.4, -1.0]), jnp.asarray(0.3), 0.5)
    np.testing.assert_allclose(found.residual, 0.6 / (1.09 + 0.6), rtol=1e-12)
    assert found.operator_share == 0


def test_the_latent_coordinates_keep_away_from_poles_and_time_enters_by_the_manifold(x64):
    model = model_of()
    far = jax.vmap(model.chart)(50 * jr.normal(jr.key(0), (100, 2)))
    assert 0.29 < far[:, 0].min() < far[:, 0].max() < np.pi - 0.29
    frozen = eqx.tree_at(lambda m: m.manifold, model, lambda at: jnp.append(at[:-1], 0.0))
    v = jnp.array([0.3, 0.1])
    np.testing.assert_array_equal(frozen.decode(v, jnp.asarray(0.0)), frozen.decode(v, jnp.asarray(1.0)))
    assert abs(model.decode(v, jnp.asarray(0.0)) - model.decode(v, jnp.asarray(1.0))).max() > 1e-4
    frame = model.frame(v, jnp.asarray(0.2))
    induced = pullback_metric(lambda u: model.embed(u, jnp.asarray(0.2)), v)
    np.testing.assert_allclose(frame.metric, induced, atol=1e-14)


@pytest.mark.parametrize("kind", ["none", "symmetric", "free", "positive"])
def test_operators_are_what_they_are_called(kind, x64):
    operator = FlowOperator(kind, 3, 2.0, 8, key=jr.key(0))
    strong = operator
    if operator.net is not None:
        strong = eqx.tree_at(lambda o: o.net.last.weight, operator, 30 * operator.net.last.weight)
    points = jnp.repeat(jr.normal(jr.key(1), (10, 3)), 2, axis=0)
    matrix = np.asarray(jax.vmap(strong)(points, jnp.tile(jnp.array([0.0, 1.0]), 10)))
    symmetric = np.allclose(matrix, matrix.transpose(0, 2, 1))
    assert symmetric == (kind != "free")
    if symmetric:
        lowest = np.linalg.eigvalsh(matrix).min()
        assert lowest >= {"none": 0, "symmetric": -1, "positive": 0}[kind] - 1e-12
        if kind == "symmetric":
            assert lowest < -0.3  # It may be negative.
    assert np.allclose(matrix[0::2], matrix[1::2]) == (kind in ("none", "symmetric"))  # constant in time


def test_the_bound_by_hand(x64):
    """Reconstruction and KL with one draw and every time, from the keys that the objective uses."""
    model, data = start(model_of(), batch()), batch()
    objective = DynamicObjective(3, 1)
    found = terms(model, objective, data)
    x = trajectories(model, data)
    draw, choose, *_ = jr.split(jr.key(1), 4)
    posterior = jax.vmap(model.encode)(x[:, 0])
    std = jnp.exp(posterior.log_variance / 2)
    v = posterior.mean + std * jr.normal(draw, (6, 1, 2), float)[:, 0]
    chosen = np.asarray(jr.randint(choose, (6, 3), 0, 4))
    errors = [
        np.mean((x[i, j] - model.decode(v[i], jnp.asarray(TIMES[j] / 2))) ** 2) for i in range(6) for j in chosen[i]
    ]
    np.testing.assert_allclose(found["reconstruction"], np.mean(errors) / np.var(x), rtol=1e-9)
    kl = np.sum(std**2 + posterior.mean**2 - 1 - 2 * np.log(std), axis=1) / 2
    np.testing.assert_allclose(found["kl"], kl.mean(), rtol=1e-9)
    assert found["kl"] > 0


def test_units_of_the_data_do_not_matter(x64):
    data = batch()
    other = {"x": 1000 * data["x"] + 3}
    one, two = (terms(start(model_of(), d), data=d) for d in (data, other))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-6)
    np.testing.assert_allclose(
        forecast_error(start(model_of(), other), other), 1000 * forecast_error(start(model_of(), data), data), rtol=1e-6
    )


def test_the_origin_of_time_does_not_matter():
    """Single precision cannot tell these times apart: their shares of the window are taken in double."""
    data = batch(dtype=jnp.float32)
    error = lambda times: np.asarray(forecast_error(start(model_of(times=times), data), data))
    np.testing.assert_array_equal(error(TIMES + 1e8), error(TIMES))
    assert abs(error(np.array([0.0, 0.1, 0.2, 2.0])) - error(TIMES)).max() > 1e-6


def test_weighting_by_volume(x64):
    model, data = known(), batch()
    weighted, added = (
        terms(model, DynamicObjective(3, 2, volume_weight=kind), data) for kind in ("sqrt-det", "log-det")
    )
    assert abs(added["volume"] + added["log_volume"]) < 0.3  # On record are the first 32 points only.
    assert "volume" not in weighted
    assert abs(weighted["reconstruction"] / added["reconstruction"] - 1) > 1e-4
    log_volume = jnp.array([[[0.0, 1.0, 9.0]]])
    centred = np.array([-10 / 3, -7 / 3, 17 / 3])
    expected = np.exp(np.clip(centred, -3, 3))
    np.testing.assert_allclose(volume_weights(log_volume)[0, 0], expected / expected.mean(), rtol=1e-12)


def test_errors_are_weighted_by_the_volume_of_their_own_points(x64):
    """The volume of this torus depends on the time alone; that the flow is looked at elsewhere changes no weight."""
    model = eqx.tree_at(
        lambda m: m.manifold, model_of(FlatTorusMetric((1, 1)), operator="none", ambient_size=4), Torus()
    )
    settings = [{}, {"volume_weight": "sqrt-det"}]
    settings.append({**settings[1], "collocation": "uniform", "shared": False})
    plain, weighted, elsewhere = (terms(model, DynamicObjective(3, 1, **chosen)) for chosen in settings)
    np.testing.assert_allclose(elsewhere["reconstruction"], weighted["reconstruction"], rtol=1e-12)
    assert abs(weighted["reconstruction"] / plain["reconstruction"] - 1) > 1e-4
    assert elsewhere["flow"] != weighted["flow"]


def test_the_flow_at_fewer_times_is_the_same_flow(x64):
    """On a manifold whose terms do not depend on the draw, only the times differ."""
    model = eqx.tree_at(
        lambda m: m.manifold, model_of(FlatTorusMetric((1, 1)), operator="none", ambient_size=4), Torus()
    )
    few, all_of_them = (terms(model, DynamicObjective(200, flow_times=count)) for count in (150, None))
    np.testing.assert_allclose(few["reconstruction"], all_of_them["reconstruction"], rtol=1e-12)
    # ∂_t g = 2t and g = 1 + t²: the residual is 2t + 2t², on the diagonal, t one of the four times.
    share = TIMES / 2
    expected = np.mean((2 * share + 2 * share**2) ** 2) / 2
    for found in (few, all_of_them):
        np.testing.assert_allclose(found["flow"], expected, rtol=0.15)
    assert few["flow"] != all_of_them["flow"]


@pytest.mark.parametrize("weight", ["none", "sqrt-det", "log-det"])
def test_weights_by_volume_leave_the_flow_as_it_is(weight, x64):
    """Neither where it is looked at nor what it moves: else an ablation would change two things at once."""
    model, data = model_of(), batch()
    plain, weighted = (
        terms(model, DynamicObjective(3, 2, flow_times=2, volume_weight=kind), data) for kind in ("none", weight)
    )
    for name in ("flow", "penalty"):
        np.testing.assert_allclose(weighted[name], plain[name], rtol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
def test_the_flow_is_looked_at_on_the_draws_that_are_decoded(shared, x64):
    """Shared draws are the same ones; others are as good for the mean, and not the same."""
    model, data = model_of(), batch()
    chosen = dict(times_per_sample=3, draws=1, shared=shared)
    found = terms(model, DynamicObjective(**chosen), data)
    weighted = terms(model, DynamicObjective(**chosen, volume_weight="log-det"), data)
    # On record is the volume where the flow is looked at, and the bound has that of what is decoded.
    assert (abs(found["log_volume"] + weighted["volume"]) < 1e-9) == shared


@pytest.mark.parametrize(
    ("options", "moved"),
    [({}, False), ({"volume_weight": "log-det"}, False), ({"detached": False}, True)],
)
def test_the_geometry_moves_the_data_only_if_asked(options, moved, x64):
    model, data = model_of(), batch()
    objective = DynamicObjective(3, 2, **options)

    def geometry(mean):
        terms = objective(eqx.tree_at(lambda m: m.posterior.mean, model, mean), data, jr.key(1))
        return terms["flow"] + terms["penalty"]

    slopes = jax.tree.leaves(eqx.filter_jit(eqx.filter_grad(geometry))(model.posterior.mean))
    assert any(np.abs(slope).max() > 1e-6 for slope in slopes) == moved


def test_volume_and_condition_of_a_jacobian(x64):
    jacobian = np.random.default_rng(0).normal(size=(5, 3))
    singular = np.linalg.svd(jacobian, compute_uv=False)
    volume, condition = volume_and_condition(jnp.asarray(jacobian))
    np.testing.assert_allclose(volume, np.log(singular).sum(), atol=1e-12)
    np.testing.assert_allclose(condition, np.log(singular[0] / singular[-1]), atol=1e-12)
    collapsed = volume_and_condition(jnp.asarray(jacobian * [1, 0, 0]))
    assert np.isfinite(collapsed).all()
    assert collapsed[1] > 13


def test_a_metric_network_is_matched_to_the_manifold(x64):
    model = model_of(metric="network")
    found = terms(model)
    assert found["metric"] > 1e-3
    assert "metric" not in terms(model_of())
    v, t = jnp.array([0.3, 0.1]), jnp.asarray(0.4)
    g = model.metric_at(v, t)
    np.testing.assert_array_equal(g, g.T)
    assert np.linalg.eigvalsh(g).min() > 0

    class Exact(eqx.Module):
        """The factor √2 I - I of the metric 2 I, which is that of the torus below."""

        def __call__(self, at):
            return (2**0.5 - 1) * jnp.eye(2).reshape(-1)

    torus = FlatTorusMetric((2**0.5, 2**0.5))
    exact = model_of(torus, metric="network", ambient_size=4, operator="none")
    surface = lambda at: torus.embed(at[:2])
    exact = eqx.tree_at(lambda m: (m.manifold, m.metric), exact, (surface, Exact()))
    found = terms(exact)
    assert found["metric"] < 1e-10  # But for the jitter.
    assert found["flow"] < 1e-10
    assert found["penalty"] == 0

    class Twice(eqx.Module):
        """The factor 2 I - I of 4 I."""

        def __call__(self, at):
            return jnp.eye(2).reshape(-1)

    twice = eqx.tree_at(lambda m: m.metric, exact, Twice())
    off = {matching: terms(twice, DynamicObjective(3, 2, matching=matching)) for matching in ("relative", "absolute")}
    assert off["relative"]["metric"] == pytest.approx(1, rel=1e-4)  # but for the jitter
    assert off["absolute"]["metric"] == pytest.approx(2, rel=1e-4)  # the mean of the squares of 2 I
    # A manifold that is too short under a network that is not: the penalty is for the manifold, too.
    short = eqx.tree_at(lambda m: m.manifold, exact, lambda at: 0.1 * surface(at))
    assert terms(short, DynamicObjective(3, 2))["penalty"] > 0.1
    assert terms(short, DynamicObjective(3, 2, shared=False))["penalty"] == 0  # as released


@pytest.mark.parametrize("released", [False, True])
def test_every_network_has_a_slope(released, x64):
    options, settings = {}, {}
    if released:
        options = {"metric": "network", "operator": "positive", "spread": "signed", "flow": LiteralFlow(2)}
        settings = {"matching": "absolute", "shared": False, "least": 1.0}
    model, data, objective = model_of(**options), batch(), DynamicObjective(3, 2, **settings)
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)

    @jax.jit
    def slopes(arrays):
        return jax.grad(lambda a: sum(objective(eqx.combine(a, rest), data, jr.key(1)).values()))(arrays)

    found = slopes(arrays)
    for name in ("posterior", "manifold", "decoder", "operator", *(["metric"] if released else [])):
        for leaf in jax.tree.leaves(getattr(found, name)):
            assert np.isfinite(leaf).all(), name
            assert abs(leaf).max() > 0, name


def test_without_geometry_it_is_an_ordinary_vae(x64):
    data = batch()
    assert set(terms(model_of(), DynamicObjective(3, 2, geometry=False), data)) == {"reconstruction", "kl"}
    plain = model_of(manifold=False, operator="none")
    assert set(terms(plain, None, data)) == {"reconstruction", "kl"}
    v = jnp.array([0.3, 0.1])
    np.testing.assert_array_equal(plain.decode(v, jnp.asarray(0.5)), plain.state(jnp.append(v, 0.5)))


def test_the_released_posterior_is_the_same_gaussian_with_a_sign(x64):
    model = model_of(spread="signed")
    h = model.posterior.features(jnp.ones(5))
    q = model.encode(jnp.ones(5))
    np.testing.assert_allclose(q.std, abs(model.posterior.spread(h)), rtol=1e-9)
    np.testing.assert_allclose(q.mean, model.posterior.mean(h))


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match=r"ambient_size=2 leaves no room for a surface of 2 dimensions .* at least 3"):
        model_of(ambient_size=2)
    with pytest.raises(ConfigError, match=r"a StaticFlow has no operator\. Give operator='none'"):
        model_of(flow=StaticFlow())


def test_a_metric_network_converges_to_the_solution_of_its_flow(x64):
    """Trained on the flow's residual and the metric at the start alone, nothing else being known of later times."""
    flow, steps = SymmetricFlow(2.0), 3000
    context = FlowContext(jnp.diag(jnp.array([10.0, 2.5])), jnp.array([[1.0, 0.5], [0.5, 2.0]]))
    first, u, times = jnp.array([[1.0, 0.3], [0.3, 0.5]]), jnp.array([0.4, -0.7]), jnp.linspace(0, 1, 25)
    model = model_of(metric="network", operator="none", width_size=32)
    start, restore = ravel_pytree(eqx.filter(model.metric, eqx.is_inexact_array))
    rest = eqx.filter(model.metric, eqx.is_inexact_array, inverse=True)
    descent = optax.adam(optax.cosine_decay_schedule(1e-2, steps))

    def with_network(weights):
        return eqx.tree_at(lambda m: m.metric, model, eqx.combine(restore(weights), rest))

    def loss(weights):
        network = with_network(weights)

        def residual(t):
            return flow.residual(*metric_and_rate(network.metric_at, u, t), context)

        return jnp.mean(jax.vmap(residual)(times) ** 2) + 10 * jnp.mean((network.metric_at(u, times[0]) - first) ** 2)

    def step(carry, _):
        weights, state = carry
        updates, state = descent.update(jax.grad(loss)(weights), state)
        return (optax.apply_updates(weights, updates), state), None

    @jax.jit
    def train(weights):
        return jax.lax.scan(step, (weights, descent.init(weights)), None, steps)[0][0]

    def metrics(weights):
        return jax.vmap(lambda t: with_network(weights).metric_at(u, t))(times)

    def misses(found, wanted):
        return np.linalg.norm(found - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))

    with jax.numpy_dtype_promotion("standard"):
        learned = metrics(train(start.astype(float)))
    solution = lambda flow: np.asarray(jax.vmap(lambda t: flow.solution(first, t, context))(times))
    assert misses(learned, solution(flow)).mean() < 1e-3
    assert misses(learned, solution(flow)).max() < 5e-3
    assert misses(metrics(start), solution(flow)).max() > 0.1
    assert misses(learned, solution(LiteralFlow(2.0))).max() > 0.02
