"""The look of the figures, and the one place where they become bytes.

Colours are Okabe and Ito's, which colour-blind readers can tell apart (the blue a little lighter, for dark pages),
with one meaning throughout: blue for data and training, orange for the model and held-out points, grey for references.
INK, MUTED and GRID are replaced by the page's own colours when a figure is put into it, so that figures follow its
light or dark theme.
"""

import io
from collections.abc import Callable
from typing import Any, Literal

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

INK, MUTED, GRID = "#1b1e23", "#6b7281", "#dfe3e8"
DATA, MODEL, REFERENCE = "#1a80bb", "#d55e00", "#8a8f99"
SERIES = (DATA, MODEL, "#009e73", "#cc79a7", "#56b4e9", "#e69f00")

HALF, WIDE = 5.4, 11.0
"""Widths in inches of a figure in one of the page's two columns, and of one across both."""

_RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes3d.xaxis.panecolor": (0, 0, 0, 0),
    "axes3d.yaxis.panecolor": (0, 0, 0, 0),
    "axes3d.zaxis.panecolor": (0, 0, 0, 0),
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.formatter.limits": (-4, 5),
    "axes.formatter.useoffset": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
    "savefig.dpi": 160,
    "svg.fonttype": "none",
    "svg.hashsalt": "latax",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


def density_colours() -> Colormap:
    """Viridis without its ends, which would vanish on a dark or a light page."""
    return LinearSegmentedColormap.from_list("density", matplotlib.colormaps["viridis"](np.linspace(0.18, 0.93, 128)))


def render(draw: Callable[[Canvas], object], *, width: float = HALF, height: float = 3.4) -> bytes:
    """The SVG that `draw` makes on an empty canvas of width by height inches.

    Matplotlib's settings are changed only meanwhile, no window system or pyplot state is used, and equal figures have
    equal bytes.
    """
    with matplotlib.rc_context(_RC):
        canvas = Canvas(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.08))
        FigureCanvasSVG(canvas)
        draw(canvas)
        canvas.patch.set_visible(False)
        for ax in canvas.axes:
            ax.patch.set_visible(False)
        file = io.BytesIO()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return file.getvalue()


def log_scale(ax: Axes, which: Literal["x", "y"]) -> None:
    """Makes an axis logarithmic, with tick labels as plain text (names given by users may contain a $)."""
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    steps = (1.0,) if decades > 2 else (1.0, 2.0, 5.0) if decades > 0.7 else tuple(range(1, 10))
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _decade_text(value)))
    axis.set_minor_formatter(NullFormatter())


def _decade_text(value: float) -> str:
    exponent = int(np.floor(np.log10(value) + 1e-9)) if value > 0 else 0
    if -5 < exponent < 5:
        return f"{value:.6g}"
    factor = round(value / 10.0**exponent)
    power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if factor == 1 else f"{factor}·{power}"


def nothing_to_show(ax: Axes, reason: str) -> Axes:
    """An empty panel that says why it is empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, reason, transform=ax.transAxes, ha="center", va="center", color=MUTED, wrap=True)
    return ax


def finite_rows(points: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "M d"]:
    """The rows without a value that is not finite."""
    return points[np.isfinite(points).all(axis=1)]


def at_most(count: int, n: int, *, seed: int = 0) -> np.ndarray:
    """Indices of `count` random rows out of n in increasing order, or of all if there are fewer."""
    if n <= count:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, count, replace=False))
