import sys
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from latax._errors import DataError
from latax.estimators.physics_vae import Estimate
from latax.evaluate import Interval, calibration, confidence_interval, metric_spectrum
from latax.report import figures as F
from latax.report.style import nothing_to_show, render

RNG = np.random.default_rng(0)
SVG = "{http://www.w3.org/2000/svg}"


def history(replicates=1, logged=50, *, values=None, validated=True):
    steps = np.arange(1, logged + 1) * 10
    curve = np.exp(-np.arange(logged) / 10.0) + 0.01 if values is None else np.full(logged, values)
    terms = {"reconstruction": np.tile(curve, (replicates, 1))}
    return F.PhaseHistory("manifold", steps, terms, steps, np.tile(curve, (replicates, 1)) if validated else None)


POINTS = {
    "usual": RNG.normal(size=(300, 3)),
    "one point": np.ones((1, 3)),
    "constant": np.ones((50, 3)),
    "some NaN": np.where(RNG.random((50, 3)) < 0.2, np.nan, RNG.normal(size=(50, 3))),
    "all NaN": np.full((20, 3), np.nan),
    "infinite": np.full((20, 3), np.inf),
    "huge": 1e30 * RNG.normal(size=(50, 3)),
    "tiny": 1e-30 * RNG.normal(size=(50, 3)),
    "float32": RNG.normal(size=(50, 3)).astype(np.float32),
}


def check(figure):
    root = ET.fromstring(figure.image)
    assert root.tag == f"{SVG}svg"
    assert figure.caption.endswith(".")
    assert len(figure.image) < 700_000
    return "".join(root.itertext())


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", POINTS)
def test_samples_of_any_kind_have_a_figure(kind, d):
    points = np.tile(POINTS[kind], (1, 2))[:, :d]
    check(F.samples_figure(points, points[: max(1, len(points) // 2)]))


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("kind", POINTS)
def test_latents_of_any_kind_have_a_figure(kind, n):
    points = np.tile(POINTS[kind], (1, 2))[:, :n]
    check(F.latent_figure(points, points[:, 0]))


@pytest.mark.parametrize("kind", POINTS)
def test_errors_and_spectra_of_any_kind_have_a_figure(kind):
    values = np.abs(POINTS[kind])
    groups = {"training": values[:, 0], "held-out": values[:, 1]}
    check(F.error_figure(groups, lines={"PCA": 1.0, "unknown": float("nan")}))
    if np.isfinite(values).all(axis=1).any():
        check(F.spectrum_figure(metric_spectrum(values)))
        check(F.spectrum_figure(metric_spectrum(values[:, :1])))
        check(F.calibration_figure(calibration(POINTS[kind])))


def test_no_forecast_is_left_out_for_want_of_colours():
    names = [f"method {number}" for number in range(9)]
    drawn = check(F.forecast_error_figure(np.arange(3.0), {name: 1 + RNG.random((4, 3)) for name in names}))
    assert all(name in drawn for name in names)


def test_a_forecast_that_is_not_finite_leaves_the_others_on_the_line(monkeypatch):
    errors = RNG.random((101, 4))
    errors[7, 2:] = np.inf
    errors[:60, 3] = np.nan
    lines, plot = [], Axes.plot

    def kept(self, x, y, *args, **kwargs):
        lines.append(np.asarray(y))
        return plot(self, x, y, *args, **kwargs)

    monkeypatch.setattr(Axes, "plot", kept)
    F.forecast_error_figure(np.arange(4.0), {"some": errors})
    np.testing.assert_allclose(lines[0][:2], np.median(errors[:, :2], axis=0))
    assert lines[0][2] == pytest.approx(np.sort(errors[:, 2])[50])
    assert np.isnan(lines[0][3])  # More than half of them were not finite.


def test_one_coordinate_is_compared_with_none():
    assert "base coordinate" in check(F.calibration_figure(calibration(POINTS["usual"])))
    assert "base coordinate" not in check(F.calibration_figure(calibration(POINTS["usual"][:, :1])))


def test_a_legend_stands_above_its_histogram_and_few_points_have_few_bars():
    ax = axes()
    F.log_histogram(ax, {"a": np.arange(1.0, 50), "b": np.arange(1.0, 50)})
    ax.figure.canvas.draw()
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_window_extent().y0 >= ax.get_window_extent().y1
    ax = axes()
    F.latent_curve(ax, RNG.normal(size=(100, 1)), np.zeros(100))
    assert len(ax.patches) == 9


def test_spectra_of_lost_and_of_many_directions_have_a_figure():
    check(F.spectrum_figure(metric_spectrum(np.zeros((5, 3)))))
    check(F.spectrum_figure(metric_spectrum(np.array([[1.0, 0.0], [2.0, 0.0]]))))
    check(F.spectrum_figure(metric_spectrum(np.exp(RNG.normal(size=(40, 64))))))


@pytest.mark.parametrize(
    "shape", [(8, 8), (64, 64), (12, 10, 3), (3, 12, 10), (2, 12, 10), (12, 10, 1), (200, 150), (12, 10, 4)]
)
def test_images_of_any_shape_have_a_figure(shape):
    data = RNG.random((40, int(np.prod(shape))))
    data[3, :5] = np.nan
    check(F.samples_figure(data, data[:7] - 0.5, sample_shape=shape))
    check(F.samples_figure(data[:1], np.full_like(data[:1], np.nan), sample_shape=shape))
    check(F.samples_figure(np.zeros_like(data), data, sample_shape=shape))


@pytest.mark.parametrize("shape", [(5,), (1, 6), (2, 2, 2), None])
def test_what_is_no_image_is_drawn_as_points(shape):
    d = int(np.prod(shape)) if shape else 4
    points = RNG.normal(size=(30, d))
    assert "x1" in check(F.samples_figure(points, points, sample_shape=shape))


@pytest.mark.parametrize(
    ("replicates", "phases", "validated"), [(1, 1, True), (1, 1, False), (3, 2, True), (3, 2, False), (1, 5, True)]
)
def test_training_of_any_length_has_a_figure(replicates, phases, validated):
    check(F.loss_figure([history(replicates, validated=validated)] * phases))


@pytest.mark.parametrize(
    "phase", [history(logged=1), history(values=np.nan), history(values=0.0), history(values=-3.0)]
)
def test_degenerate_training_has_a_figure(phase):
    check(F.loss_figure([phase]))
    check(F.loss_figure([phase, history(validated=False)]))
    check(F.record_figure([phase], title="On record", caption="Two numbers."))


def test_comparisons_have_a_figure():
    names = ["M-flow", "a model with a name that is much longer than any axis could ever hold, really", "$x_2"]
    intervals = [confidence_interval([1.0, 1.1, 1.3]), None, Interval(0.01, None, None, 0.95, 1)]
    measures = {f"measure {i}": intervals for i in range(5)}
    text = check(F.comparison_figure(names, measures))
    assert "$x_2" in text
    check(F.comparison_figure(names, {"nothing": [None, None, None]}))


def test_figures_change_no_settings_open_no_windows_and_are_repeatable():
    before = dict(matplotlib.rcParams)
    first = F.samples_figure(POINTS["usual"], POINTS["usual"])
    assert dict(matplotlib.rcParams) == before
    assert F.samples_figure(POINTS["usual"], POINTS["usual"]).image == first.image
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_a_million_points_are_a_small_file():
    points = RNG.normal(size=(1_000_000, 2))
    assert len(F.samples_figure(points, points).image) < 600_000
    assert len(F.latent_figure(points, points[:, 0]).image) < 600_000


def test_axes_in_space_have_the_names_of_their_columns():
    text = check(F.samples_figure(POINTS["usual"], POINTS["usual"], names=["width", "height", "depth"]))
    assert all(text.count(name) == 2 for name in ("width", "height", "depth"))


def test_text_of_users_is_no_mathematics():
    text = check(F.samples_figure(POINTS["usual"], POINTS["usual"][:, :], names=["price in $", "$^$", "c"]))
    points = POINTS["usual"][:, :2]
    text = check(F.samples_figure(points, points, names=["price in $ or $", "a < b & c"]))
    assert "price in $ or $" in text
    assert "a < b & c" in text


def axes():
    return Canvas().subplots()


def test_the_dot_marks_the_best_validation_of_each_replicate():
    steps = np.arange(5)
    values = np.array([[5.0, 1.0, 2.0, 3.0, np.nan], [9.0, 8.0, 7.0, 6.0, 6.5]])
    ax = F.validation_curve(axes(), F.PhaseHistory("p", steps, {"l": values}, steps, values))
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in dots] == [(1, 1.0), (3, 6.0)]


def test_an_early_spike_does_not_flatten_a_likelihood_and_errors_are_logarithmic():
    nll = np.concatenate([[1e6], np.linspace(9, 4, 99)])[None]
    ax = F.loss_terms(axes(), F.PhaseHistory("p", np.arange(100), {"nll": nll - 5.0}))
    assert ax.get_yscale() == "linear"
    assert ax.get_ylim()[1] < 10
    assert [text.get_text() for text in ax.texts] == ["first steps up to 1e+06"]
    assert F.loss_terms(axes(), history(logged=100)).get_yscale() == "log"


def test_curves_of_other_lengths_are_refused():
    with pytest.raises(DataError, match=r"phase 'p' has shape \(1, 4\), but there are 5 steps"):
        F.PhaseHistory("p", np.arange(5), {"a": np.zeros((1, 5))}, np.arange(5), np.zeros((1, 4)))


def test_scatter_says_how_many_points_lie_outside_and_draws_pixels():
    points = np.concatenate([RNG.random((9000, 2)), np.full((3, 2), 50.0)])
    ax = F.scatter(axes(), points, within=[(-0.1, 1.1), (-0.1, 1.1)])
    assert [t.get_text() for t in ax.texts] == ["3 of 9003 outside"]
    assert len(ax.collections[0].get_offsets()) == 4000
    assert ax.collections[0].get_rasterized()


def test_a_mosaic_puts_images_in_reading_order_with_gaps():
    samples = np.arange(8.0)[:, None] * np.ones(16) / 8
    ax = F.image_mosaic(axes(), samples, (4, 4), within=(0.0, 1.0))
    grid = ax.images[0].get_array()
    assert grid.shape == (2 * 5 - 1, 4 * 5 - 1)
    assert grid[0, 0] == 0
    assert grid[0, 5] == 1 / 8
    assert grid[5, 0] == 4 / 8
    assert grid.mask[4].all()
    assert grid.mask[:, 4].all()


@pytest.mark.parametrize(
    ("count", "shape", "rows", "columns"),
    [(1, (4, 4), 1, 1), (7, (4, 4), 2, 4), (99, (4, 4), 5, 6), (6, (50, 20), 1, 6), (20, (50, 20), 2, 10)],
)
def test_rows_of_a_mosaic_are_full(count, shape, rows, columns):
    gap = max(1, round(shape[0] / 16))
    grid = F.image_mosaic(axes(), RNG.random((count, shape[0] * shape[1])), shape).images[0].get_array()
    assert grid.shape == (rows * (shape[0] + gap) - gap, columns * (shape[1] + gap) - gap)


def test_a_long_image_is_made_smaller_along_its_length(monkeypatch):
    ax = F.image_mosaic(axes(), np.ones((1, 4 * 500)), (4, 500), within=(0.0, 1.0))
    height, width = ax.images[0].get_array().shape
    assert height >= 1
    assert width == pytest.approx(84, abs=1)
    assert ax.images[0].get_array().min() == 1


def test_signed_images_have_diverging_colours_symmetric_about_zero():
    image = F.image_mosaic(axes(), RNG.normal(size=(4, 25)), (5, 5)).images[0]
    assert image.get_cmap().name == "RdBu_r"
    assert image.norm.vmin == -image.norm.vmax
    assert F.image_mosaic(axes(), RNG.random((4, 25)), (5, 5)).images[0].get_cmap().name == "gray"


def test_channels_first_and_last_are_the_same_picture():
    last = RNG.random((1, 6, 5, 3))
    first = np.moveaxis(last, -1, 1)
    a = F.image_mosaic(axes(), last.reshape(1, -1), (6, 5, 3)).images[0].get_array()
    b = F.image_mosaic(axes(), first.reshape(1, -1), (3, 6, 5)).images[0].get_array()
    np.testing.assert_allclose(a, b)
    # Negative control: the same numbers read in the wrong order are another picture.
    wrong = F.image_mosaic(axes(), last.reshape(1, -1), (3, 6, 5)).images[0].get_array()
    assert not np.allclose(a, wrong)


def test_the_coverage_curve_is_the_calibrations():
    result = calibration(RNG.normal(size=(500, 2)))
    ax = F.coverage_curve(axes(), result)
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), result.coverage)
    np.testing.assert_array_equal(ax.lines[-1].get_xdata(), result.levels)


def test_a_panel_without_data_says_why():
    image = render(lambda canvas: nothing_to_show(canvas.subplots(), "because"))
    assert "because" in "".join(ET.fromstring(image).itertext())


def test_a_parameter_is_shown_in_its_unit():
    estimate = Estimate(np.array([2.0, 1.0]), np.array([1.5, 0.5]), np.array([2.5, 1.5]))
    assert b"omega (rad/s)" in F.estimates_figure("omega", "rad/s", estimate, 0.1).image
    bare = F.estimates_figure("omega", "", estimate, 0.1).image
    assert b">omega<" in bare
    assert b"omega (" not in bare


def test_unknown_shares_are_not_drawn():
    drawn = F.shares_figure(np.array([0.9, np.nan, 0.5])).image
    assert drawn == F.shares_figure(np.array([0.9, 0.5])).image
    assert drawn != F.shares_figure(np.array([0.9, 0.5, 0.1])).image


def test_a_note_ends_the_caption():
    times, data = np.arange(3.0), np.ones((1, 3))
    assert F.sequences_figure(times, data, {}, note="Mind the gap.").caption.endswith(" add. Mind the gap.")
    assert F.sequences_figure(times, data, {}).caption.endswith(" add.")
    assert F.extrapolation_figure(times, data, times, data, note="Mind the gap.").caption.endswith(". Mind the gap.")


def test_corrections_are_measured_by_the_data():
    times, data = np.arange(5.0), np.linspace(0, 2, 10).reshape(2, 5)
    figure = F.corrections_figure(times, data, {"of rates": np.full((2, 5), -0.5), "of observations": 0 * data})
    assert "the largest is 25 % of the range of these data" in figure.caption
    assert b"of observations" in figure.image


@pytest.mark.parametrize("count", [1, 3, 4])
def test_any_number_of_parts_has_a_figure(count):
    parts = {f"part {i}": np.full((2, 12), float(i)) + np.arange(12) for i in range(count)}
    figure = F.parts_figure(parts, (4, 3), title="Parts", note="And a note.")
    assert figure.title == "Parts"
    assert figure.caption.endswith("And a note.")
    assert all(f"part {i}".encode() in figure.image for i in range(count))
