"""Line charts and histograms as inline SVG: small, readable on light and dark pages, equal bytes for equal numbers."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

WIDTH_IN, HEIGHT_IN = 4.6, 2.7
PLOT_AREA = (0.13, 0.165, 0.835, 0.645)
"""Left, bottom, width, height, as shares of the chart: fixed, so that charts on a page line up."""

NUM_BINS = 40
"""Of a histogram."""

# Drawn in this colour, replaced by CSS's currentColor: matplotlib knows no "whatever colour the text around has".
INK = "#010203"

# After Okabe & Ito, with lightness brought to where both white and black paper carry it.
LINE_COLOURS = ("#2f7fc1", "#d9731a", "#1f9e7a", "#b560a6", "#8c8c8c", "#b59a1c")
LINE_STYLES = ("-", "--", ":", "-.")

SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text: the page is small, can be searched, and takes the reader's font
    "text.parse_math": False,  # a key may hold a dollar sign
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.handlelength": 1.4,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


def line_chart(
    title: str,
    x_label: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    y_label: str = "",
    log: bool = False,
) -> str:
    """The series, name -> (x, y), over one another as an `<svg>` element without size, to be put into HTML as it is.

    `y_label`, the unit say, stands level at the upper right. The y axis starts at 0 where no value is negative, so that
    noise does not look like a trend. A value that is not finite (or not positive, where `log`) breaks its line and is
    marked by a cross at the foot of the chart. ValueError where x and y differ in length.
    """
    with _chart(title, x_label, y_label) as (axes, chart):
        for index, (name, (x, y)) in enumerate(series.items()):
            _draw(axes, index, name, np.asarray(x, dtype=float), np.asarray(y, dtype=float), log=log)
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_formatter(NullFormatter())
        elif axes.dataLim.y0 >= 0:
            axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if series:
            above = (0, 1.03)
            axes.legend(loc="lower left", bbox_to_anchor=above, ncols=4, frameon=False, borderaxespad=0, borderpad=0)
    return chart[0]


def histogram(title: str, x_label: str, values: np.ndarray, *, limits: tuple[float, float], y_label: str = "") -> str:
    """How often each value comes, in 40 equal bins between `limits`, as an `<svg>` element. Values outside are counted
    into the outermost bins, so that none is lost.
    """
    with _chart(title, x_label, y_label) as (axes, chart):
        axes.hist(np.clip(values, *limits), bins=NUM_BINS, range=limits, color=LINE_COLOURS[0], alpha=0.85)
        axes.set_xlim(*limits)
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    return chart[0]


@contextmanager
def _chart(title: str, x_label: str, y_label: str) -> Iterator[tuple[Any, list[str]]]:
    """Axes to draw on, and a list that holds the chart as an element when the block has ended."""
    chart: list[str] = []
    with mpl.rc_context(SETTINGS | {"svg.hashsalt": title}):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN))
        axes = figure.add_axes(PLOT_AREA)
        yield axes, chart
        axes.set_xlabel(x_label)
        axes.grid(alpha=0.15, color=INK, linewidth=0.6)
        axes.set_title(title, loc="left", weight="bold", fontsize=9.5, pad=20)
        axes.set_title(y_label, loc="right", fontsize=8.5, pad=20)
        out = io.StringIO()
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=no_metadata)
    chart.append(_inline(out.getvalue()))


def _draw(axes: Any, index: int, name: str, x: np.ndarray, y: np.ndarray, *, log: bool) -> None:
    if x.shape != y.shape:
        raise ValueError(f"series {name!r} has {x.size} x and {y.size} y")
    colour = LINE_COLOURS[index % len(LINE_COLOURS)]
    style = LINE_STYLES[index // len(LINE_COLOURS) % len(LINE_STYLES)]
    drawable = np.isfinite(y) & (y > 0 if log else True)
    # A point that stands alone has no line to be seen by.
    marker = "o" if drawable.sum() < 2 else ""
    shown = np.where(drawable, y, np.nan)
    axes.plot(x, shown, style, color=colour, linewidth=1.4, marker=marker, markersize=3, label=name)
    foot = np.zeros(int((~drawable).sum()))
    axes.plot(x[~drawable], foot, "x", color=colour, markersize=5, transform=axes.get_xaxis_transform(), clip_on=False)


def _inline(document: str) -> str:
    """An SVG document as an element for HTML: no prologue, no fixed size, no ids that repeat in each chart."""
    element = document[document.index("<svg") :].strip()
    element = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", element, count=1)
    element = re.sub(r'<g id="[^"]*"', "<g", element)
    return element.replace(INK, "currentColor")
