"""Solutions of partial differential equations against exact ones, against each other, and what they conserve."""

import numpy as np
import pytest
from scipy.special import logsumexp

from latax._errors import ConfigError, DataError
from latax.data import allen_cahn, burgers, initial_fields, porous_medium, pseudospectral, shifts
from latax.data.initial_fields import cosine_powers

KNOWN = [(1, 0, 0), (1, 1, 1)]
PLACES = np.array([0, 0.1, 0.2, 0.25, 0.3, 0.4])


def periodic(n):
    return np.arange(n) / n


def by_quadrature(a, t, x, nu=burgers.VISCOSITY):
    """Hopf and Cole's formula on the whole line, with the antiderivative by hand: no transform, no image, no matrix."""

    def integral(y):  # ∫_0^y of a_1 c + a_2 c³ + a_3 c⁵
        s = np.sin(2 * np.pi * y)
        powers = [s, s - s**3 / 3, s - 2 * s**3 / 3 + s**5 / 5]
        return sum(ai * p for ai, p in zip(a, powers, strict=True)) / (2 * np.pi)

    found = []
    for xi in x:
        y = xi + np.linspace(-1.5, 1.5, 12001)
        g = -((xi - y) ** 2) / (4 * nu * t) - integral(y) / (2 * nu)
        found.append(np.sum((xi - y) / t * np.exp(g - logsumexp(g))))
    return np.array(found)


class TestBurgers:
    def test_known_numbers(self):
        found = burgers.solve(cosine_powers(np.array(KNOWN, float), periodic(256)), [0.5, 1.0], PLACES)
        one = [0.3716071240, 0.5156289586, 0.6145348970, 0, -0.6145348970, -0.5156289586]
        three = [0.4002899923, 0.5652819797, 0.7068419393, 0, -0.7068419393, -0.5652819797]
        late = [0.2217319504, 0.3098551624, 0.3139747947, 0, -0.3139747947, -0.3098551624]
        for field, expected in ((found[0, 0], one), (found[1, 0], three), (found[1, 1], late)):
            np.testing.assert_allclose(field, expected, atol=6e-11)

    def test_quadrature_on_the_line_agrees(self):
        a, x = np.random.default_rng(0).uniform(-1, 1, (3, 3)), np.linspace(0, 1, 21)
        times = [0.005, 0.2, 1.0]
        found = burgers.solve(cosine_powers(a, periodic(256)), times, x)
        for i in range(3):
            for j, t in enumerate(times):
                exact = by_quadrature(a[i], t, x)
                np.testing.assert_allclose(found[i, j], exact, atol=1e-11)
                other = by_quadrature(a[i], t, x, nu=1.001 * burgers.VISCOSITY)
                assert abs(found[i, j] - other).max() > 1e-6  # A thousandth more viscosity would be seen.

    def test_fourier_series_agree(self):
        """Another way altogether: exponential steps of the dealiased equation itself."""
        initial = cosine_powers(np.array(KNOWN, float), periodic(1024))
        k, times = pseudospectral.wavenumbers(1024), np.array([0.1, 0.5])
        right = lambda u: -0.5j * k * pseudospectral.transform(u**2)
        series = pseudospectral.solve(initial, -burgers.VISCOSITY * k**2, right, times, step=2.5e-4, degree=2)
        exact = burgers.solve(initial, times, periodic(1024))
        assert abs(series - exact).max() < 1e-7 * abs(exact).max()

    def test_the_set_is_within_a_millionth(self):
        made = burgers.make(4, 1, nodes=21, times=5)
        assert made.X.dtype == np.float32
        assert made.sample_shape == (5, 21)
        fields = made.X.reshape(4, 5, 21).astype(float)
        for a, field in zip(made.truth["coefficients"], fields, strict=True):
            for t, values in zip(made.times[1:], field[1:], strict=True):
                exact = by_quadrature(a, t, np.linspace(0, 1, 21))
                assert abs(values - exact).sum() < 1e-6 * abs(exact).sum()

    def test_a_longer_set_begins_with_the_shorter(self):
        first = burgers.make(2, 1, nodes=3, times=2).truth["coefficients"]
        np.testing.assert_array_equal(first, burgers.make(5, 1, nodes=3, times=2).truth["coefficients"][:2])

    def test_symmetry_and_mass_and_the_greatest_value(self):
        x = periodic(200)
        found = burgers.solve(cosine_powers(np.array([[1, -0.5, 0.7]]), periodic(256)), np.linspace(0, 1, 11), x)[0]
        np.testing.assert_allclose(found, -np.roll(found[:, ::-1], 101, axis=1), atol=1e-12)  # u(½ - x) = -u(x)
        np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-10)
        assert (np.diff(abs(found).max(axis=1)) < 0).all()

    def test_energy_falls_as_viscosity_says(self):
        initial, t, h = cosine_powers(np.array([[1, 1, 1.0]]), periodic(256)), 0.3, 1e-4
        fields = burgers.solve(initial, [t - h, t, t + h], periodic(1024))[0]
        modes = pseudospectral.transform(fields[1:2])
        slope = pseudospectral.values(1j * pseudospectral.wavenumbers(1024) * modes, 1024)[0]
        energy = (fields**2).mean(axis=1) / 2
        np.testing.assert_allclose((energy[2] - energy[0]) / (2 * h), -burgers.VISCOSITY * (slope**2).mean(), rtol=1e-5)

    def test_a_mean_wind_carries_the_rest_along(self):
        rest = cosine_powers(np.array([[1, 0, 0.5]]), periodic(256))
        x = np.linspace(0, 1, 11)
        blown = burgers.solve(rest + 0.4, [0.0, 0.5], x)
        np.testing.assert_allclose(blown[:, 1], 0.4 + burgers.solve(rest, [0.5], (x - 0.2) % 1)[:, 0], atol=1e-12)
        np.testing.assert_allclose(blown[:, 0], 0.4 + burgers.solve(rest, [0.0], x)[:, 0], atol=1e-12)

    def test_coarse_fields_at_early_times_are_exact_too(self):
        """The kernel is far narrower than the distance of the nodes that the field is given on."""
        x, t = np.linspace(0, 1, 21), 2e-4
        found = burgers.solve(cosine_powers(np.array([[1.0, 0, 0]]), periodic(32)), [0.0, t], x)[0]
        np.testing.assert_allclose(found[1], by_quadrature((1, 0, 0), t, x), atol=1e-11)
        assert abs(found[1] - found[0]).max() > 1e-5

    def test_refusals(self):
        wave = cosine_powers(np.array([[1.0, 0, 0]]), periodic(64))
        with pytest.raises(DataError, match=r"t = 1e-12 is too short after 0 .* would need \d+ nodes"):
            burgers.solve(wave, [1e-12, 0.5], PLACES)
        with pytest.raises(DataError, match=r"field 0 \(the first is 0\) is too great for viscosity 0\.01.*Lower the"):
            burgers.solve(100 * wave, [1.0], PLACES)
        with pytest.raises(DataError, match="each above the one before"):
            burgers.solve(wave, [1.0, 0.5], PLACES)
        with pytest.raises(DataError, match=r"the first time is -1; give none before 0"):
            burgers.solve(wave, [-1.0], PLACES)
        with pytest.raises(DataError, match=r"field 0 .* not finite"):
            burgers.solve(np.full((1, 64), np.nan), [1.0], PLACES)
        with pytest.raises(DataError, match="on 4 nodes are too coarse"):
            burgers.solve(np.zeros((1, 4)), [1.0], PLACES)
        with pytest.raises(ConfigError, match=r"viscosity = 0: expected a number greater than 0"):
            burgers.solve(wave, [1.0], PLACES, viscosity=0.0)
        with pytest.raises(ConfigError, match="nodes = 1: a set needs at least two"):
            burgers.make(2, 0, nodes=1)


class TestAllenCahn:
    def front(self, t, x, width):
        """Two fronts that move apart into what is 0: each alone is exact, and they are too far apart to meet."""
        return 0.5 * (1 - np.tanh((abs(x - 0.5) - 0.25 - 3 * width * t / 2**0.5) / (2 * 2**0.5 * width)))

    def test_the_moving_front(self):
        x, width = periodic(1024), 0.005
        found = allen_cahn.solve(self.front(0, x, width)[None], [0.0, 1.0], width=width)[0]
        np.testing.assert_allclose(found[1], self.front(1.0, x, width), atol=1e-9)
        assert abs(found[1] - self.front(0.99, x, width)).max() > 1e-3

    def test_fronts_between_the_two_phases_stand_still(self):
        """tanh(x / √2 ε), once up and once down, too far apart to feel one another."""
        x, width = periodic(1024), 0.02
        kinks = lambda width: np.tanh((0.25 - abs(x - 0.5)) / (2**0.5 * width))
        found = allen_cahn.solve(kinks(width)[None], [0.0, 2.0], width=width)[0]
        np.testing.assert_allclose(found[1], kinks(width), atol=1e-9)
        wider = allen_cahn.solve(kinks(1.5 * width)[None], [2.0], width=width)[0, 0]
        assert abs(wider - kinks(1.5 * width)).max() > 0.1  # Any other front goes to that one.

    def test_steps_are_of_fourth_order(self):
        initial = cosine_powers(np.array([[0.8, -0.3, 0.5]]), periodic(128))
        by = {step: allen_cahn.solve(initial, [0.4], step=step)[0, 0] for step in (0.1, 0.05, 0.005)}
        errors = [abs(by[step] - by[0.005]).max() for step in (0.1, 0.05)]
        assert 3.5 < np.log2(errors[0] / errors[1]) < 4.6
        assert errors[1] < 1e-4

    def test_resting_states_rest_and_the_set_is_resolved(self):
        rest = allen_cahn.solve(np.array([[1.0], [-1], [0]]) * np.ones((1, 16)), [3.0])
        np.testing.assert_allclose(rest[:, 0, 0], [1, -1, 0], atol=1e-12)
        made = allen_cahn.make(3, 1, nodes=51, times=5)
        twice = cosine_powers(made.truth["coefficients"], periodic(512))
        fine = allen_cahn.solve(twice, made.times, step=allen_cahn.STEP / 2)
        np.testing.assert_allclose(
            made.X.reshape(3, 5, 51),
            pseudospectral.interpolated(fine.reshape(15, -1), np.linspace(0, 1, 51)).reshape(3, 5, 51),
            atol=1e-6,
        )

    def test_too_long_steps_are_told(self):
        wave = cosine_powers(np.array([[30.0, 0, 0]]), periodic(64))
        with (
            np.errstate(over="ignore", invalid="ignore"),
            pytest.raises(DataError, match=r"field 0 .* grows without bounds before t = 5; take steps below 0\.5"),
        ):
            allen_cahn.solve(wave, [5.0], step=0.5)


class TestPorousMedium:
    def barenblatt(self, t, x):
        return t ** (-1 / 3) * np.maximum(1 - x**2 / (12 * t ** (2 / 3)), 0)

    def test_the_spreading_parabola(self):
        errors = []
        for n in (100, 400):
            x = 12 * periodic(n) - 6
            found = porous_medium.solve(self.barenblatt(1.0, x)[None], np.linspace(0, 1, 11), length=12.0)[0]
            exact = self.barenblatt(2.0, x)
            errors.append(abs(found[-1] - exact).sum() / exact.sum())
            np.testing.assert_allclose(found.sum(axis=1), found[0].sum(), rtol=1e-12)  # Of the gas nothing is lost.
            assert found.min() > -1e-6
            assert (found[-1][exact == 0] < 2e-3).all()  # The front is where it should be.
        assert errors[0] < 1e-3
        assert errors[1] < errors[0] / 4
        assert abs(self.barenblatt(2.02, x) - exact).sum() / exact.sum() > 4 * errors[1]

    def test_the_times_that_are_asked_for_do_not_matter(self):
        initial = np.maximum(cosine_powers(np.array([[0.8, -0.3, 0.5]]), periodic(100)), 0)
        at_once, often, earlier = (
            porous_medium.solve(initial, times)[0, -1] for times in ([0.1], np.linspace(0, 0.1, 401), [0.099])
        )
        np.testing.assert_allclose(at_once, often, atol=1e-5)
        assert abs(earlier - often).max() > 1e-3

    def test_places_between_nodes(self):
        initial = np.maximum(cosine_powers(np.array([[1.0, 0, 0]]), periodic(40)), 0)
        nodes = porous_medium.solve(initial, [0.01])[0, 0]
        found = porous_medium.solve_at(initial, [0.01], np.array([0.0, 0.0125, 0.025, 1.0]))[0, 0]
        np.testing.assert_allclose(found, [nodes[0], (nodes[0] + nodes[1]) / 2, nodes[1], nodes[0]], atol=1e-12)

    def test_the_set(self):
        made = porous_medium.make(2, 1, nodes=41, times=5)
        fields = made.X.reshape(2, 5, 41)
        assert fields.min() > -1e-6
        assert (np.diff(fields.max(axis=2), axis=1) < 0).all()
        np.testing.assert_array_equal(fields[..., 0], fields[..., -1])

    def test_negative_densities_are_refused(self):
        with pytest.raises(
            DataError, match=r"field 1 \(the first is 0\) falls to -1, and .*numpy\.maximum\(field, 0\)"
        ):
            porous_medium.solve(np.array([1.0, -1])[:, None] * np.ones((2, 16)), [1.0])


class TestFamilies:
    @pytest.mark.parametrize("family", initial_fields.FAMILIES)
    def test_members_have_mean_zero_and_are_of_order_one(self, family):
        x = periodic(256)
        coefficients, fields = initial_fields.draw(family, 400, x, seed=0)
        assert len(coefficients) == 400
        np.testing.assert_allclose(fields.mean(axis=1), 0, atol=1e-12)
        assert 0.2 < fields.std() < 1.2
        modes = abs(pseudospectral.transform(fields))
        assert modes[:, 60:].max() < 1e-9 * modes.max()
        np.testing.assert_array_equal(initial_fields.draw(family, 400, x, seed=0, amplitude=1.5)[1], 1.5 * fields)

    def test_the_frequency_is_doubled(self):
        x = periodic(64)
        one, two = (initial_fields.draw(family, 3, x, seed=4)[1] for family in ("cosine-powers", "frequency"))
        np.testing.assert_allclose(two[:, :32], one[:, ::2], atol=1e-14)

    def test_who_knows_the_family_finds_its_coefficients(self):
        x = np.linspace(0, 1, 201)
        a, clean = initial_fields.draw("cosine-powers", 20, x, seed=0)
        np.testing.assert_allclose(initial_fields.cosine_coefficients(clean, x), a, atol=1e-9)
        noisy = shifts.with_noise(clean, 1.0, 51 / 201, seed=0)
        np.testing.assert_allclose(initial_fields.cosine_coefficients(noisy, x, robust=True), a, atol=1e-4)
        assert abs(initial_fields.cosine_coefficients(noisy, x) - a).max() > 0.05

    def test_refusals(self):
        with pytest.raises(ConfigError, match=r"no family of initial fields 'wave'\. Did you mean 'waves'"):
            initial_fields.draw("wave", 3, PLACES, seed=0)
        with pytest.raises(ConfigError, match="amplitude = nan has to be a finite number"):
            initial_fields.draw("waves", 3, PLACES, seed=0, amplitude=float("nan"))


class TestShifts:
    @pytest.mark.parametrize("name", shifts.SHIFTS)
    def test_only_what_is_shown_is_disturbed(self, name):
        shift = shifts.SHIFTS[name]
        initial, solutions = shifts.shifted(burgers.make, name, 50, 3, nodes=201, times=2)
        difference = initial - solutions.X[:, :201]
        changed = difference != 0
        assert (changed.sum(axis=1) == (round(201 * shift.share) if shift.noise else 0)).all()
        if shift.noise:
            assert difference[changed].std() == pytest.approx(shift.noise, rel=0.05)
            assert len(np.unique(changed, axis=0)) == 50
        assert f"{shift.family}, amplitude {shift.amplitude:g}" in solutions.origin

    def test_refusals(self):
        with pytest.raises(ConfigError, match=r"no shift 'noisy'\. Did you mean 'noise'"):
            shifts.shifted(burgers.make, "noisy", 3, 0)
        with pytest.raises(ConfigError, match=r"deviation -1 on a share of 0\.5"):
            shifts.with_noise(np.zeros((1, 4)), -1.0, 0.5, seed=0)
