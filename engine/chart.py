"""Rate–distortion charts fit for a paper: SVG, PDF or PNG from the same few lines, byte for byte reproducible.

matplotlib is imported when a chart is drawn, and only its object interface is used: no pyplot, no global figure.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError, UsageError
from engine.palette import Look

FORMATS = ("svg", "pdf", "png")


@dataclass(frozen=True)
class Series:
    """One curve: (bpp, score) by rising rate, drawn in `look`; `mark` is the operating point, ringed."""

    name: str
    points: Sequence[tuple[float, float]]
    look: Look
    mark: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chart:
    """All that a chart shows.

    quality: what the vertical axis says. references: curves laid under in grey, each with
        another dash, as far as the rates of `series` reach.
    target: a rate in bpp, drawn as an upright line. log_rate: equal ratios are equal lengths on the rate axis.
    theme: "light" or "dark". size: inches. note: a small line under the chart (what was measured, on how many).
    """

    series: Sequence[Series]
    quality: str
    references: Sequence[Series] = ()
    target: float | None = None
    log_rate: bool = True
    theme: str = "light"
    size: tuple[float, float] = (6.4, 4.0)
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class _Inks:
    ground: str
    text: str
    dim: str
    grid: str


_THEMES = {
    "light": _Inks(ground="#ffffff", text="#1b1d21", dim="#5d646f", grid="#e3e6ea"),
    "dark": _Inks(ground="#1f2126", text="#e9eaec", dim="#9ba0a9", grid="#34373f"),
}
_DASHES = ((0, (5, 2)), (0, (1.2, 1.6)), (0, (6, 2, 1.2, 2)), (0, (3, 1.5)), (0, (6, 2, 1.2, 2, 1.2, 2)))
_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs on every machine
    "font.size": 9,
    "svg.hashsalt": "ratescope",  # else the ids in an SVG are drawn by lot
    "pdf.fonttype": 42,  # outlines that journals take
}
_UNDATED: dict[str, Mapping[str, Any]] = {
    "svg": {"Date": None, "Creator": "Ratescope"},
    "pdf": {"CreationDate": None, "Creator": "Ratescope"},
    "png": {"Software": "Ratescope"},
}


def render(chart: Chart, form: str) -> bytes:
    """The chart as a file of `form` ("svg", "pdf", "png" at 200 dpi). The same chart gives the same bytes.

    Raises `UsageError` for an unknown form or theme, `EngineError` if there is no point to draw.
    """
    if form not in FORMATS:
        raise UsageError(f"no chart is drawn as '{form}'; known are {', '.join(FORMATS)}")
    if chart.theme not in _THEMES:
        raise UsageError(f"unknown theme '{chart.theme}'; known are {', '.join(_THEMES)}")
    if not any(series.points for series in (*chart.series, *chart.references)):
        raise EngineError("there is no point to draw")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()  # a person's matplotlibrc must not change the bytes
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=chart.size, layout="constrained")
        _draw(figure, chart, _THEMES[chart.theme])
        sink = io.BytesIO()
        figure.savefig(sink, format=form, dpi=200, metadata=dict(_UNDATED[form]))
    return sink.getvalue()


def _draw(figure: Any, chart: Chart, inks: _Inks) -> None:
    figure.set_facecolor(inks.ground)
    figure.get_layout_engine().set(w_pad=0.09, h_pad=0.09)
    axes = figure.add_subplot()
    axes.set_facecolor(inks.ground)
    lines = [
        axes.plot(*zip(*points, strict=True), label=series.name, **_faint(index, inks))[0]
        for index, (series, points) in enumerate(_within_reach(chart))
    ]
    references = len(lines)
    for series in chart.series:
        if series.points:
            lines.append(_draw_curve(axes, series, inks))
    _draw_axes(axes, chart, inks)
    if chart.target is not None:
        axes.axvline(chart.target, color=inks.dim, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1.5)
    _draw_key(figure, lines, references, inks)
    if chart.title:
        figure.suptitle(chart.title, color=inks.text, fontsize=10, fontweight="bold", x=0.014, ha="left")
    if chart.note:
        figure.supxlabel(chart.note, color=inks.dim, fontsize=7, x=0.014, ha="left")


def _within_reach(chart: Chart) -> list[tuple[Series, Sequence[tuple[float, float]]]]:
    """The references with the points that lie near the rates of the series: they must not squeeze the subject."""
    rates = [rate for series in chart.series for rate, _ in series.points]
    lo, hi = (min(rates) / 1.2, max(rates) * 1.2) if rates else (0.0, math.inf)
    kept = [(series, [point for point in series.points if lo <= point[0] <= hi]) for series in chart.references]
    return [(series, points) for series, points in kept if points]


def _faint(index: int, inks: _Inks) -> dict[str, Any]:
    return {"color": inks.dim, "linewidth": 1.1, "linestyle": _DASHES[index % len(_DASHES)], "zorder": 2}


def _draw_curve(axes: Any, series: Series, inks: _Inks) -> Any:
    colour = visible(series.look.colour, inks.ground)
    thin = series.look.marker in "PX"
    (line,) = axes.plot(
        *zip(*series.points, strict=True),
        label=series.name,
        color=colour,
        linewidth=1.5,
        marker=series.look.marker,
        markersize=5.6 if thin else 4.4,
        markeredgecolor=inks.ground,
        markeredgewidth=0.5,
        solid_joinstyle="round",
        zorder=3,
    )
    if series.mark is not None:
        axes.plot(*series.mark, "o", markersize=10, markerfacecolor="none", markeredgecolor=colour, zorder=4)
    return line


def visible(colour: str, ground: str, contrast: float = 1.7) -> str:
    """`colour` (#rrggbb), darkened just enough to be seen on a light `ground`: yellow on white paper."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    while _luminance(ground) > 0.5 and (_luminance(ground) + 0.05) / (_luminance(_hex(rgb)) + 0.05) < contrast:
        rgb = [int(0.97 * value) for value in rgb]
    return _hex(rgb)


def _hex(rgb: Sequence[int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, 0 … 1."""
    codes = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in codes)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _draw_axes(axes: Any, chart: Chart, inks: _Inks) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    plain = FuncFormatter(lambda value, _place: f"{value:g}")
    if chart.log_rate:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=(1, 2, 2.5, 5, 10)))
        axes.set_xlim(left=0)
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=(1, 2, 5, 10)))
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.grid(True, which="major", color=inks.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=inks.dim, length=0, labelsize=8, pad=5)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(inks.dim)
        spine.set_linewidth(0.7)
    axes.set_xlabel("rate (bits per pixel)", color=inks.text, fontsize=8.5, labelpad=5)
    axes.set_ylabel(chart.quality, color=inks.text, fontsize=8.5, labelpad=5)


def _draw_key(figure: Any, lines: Sequence[Any], references: int, inks: _Inks) -> None:
    """The names beside the chart, in the order in which the curves lie above one another."""
    height = {line: _height(line, lines) for line in lines}
    ordered = sorted(lines, key=lambda line: -height[line])
    key = figure.legend(
        handles=ordered, loc="outside right upper", frameon=False, fontsize=8.5, labelspacing=0.7, handlelength=2.4
    )
    faint = {line.get_label() for line in lines[:references]}
    for text in key.get_texts():
        text.set_color(inks.dim if text.get_text() in faint else inks.text)


def _height(line: Any, lines: Sequence[Any]) -> float:
    """The curve's quality at a rate in the middle of what the curves have in common."""
    extents = [(min(other.get_xdata()), max(other.get_xdata())) for other in lines]
    lo, hi = max(extent[0] for extent in extents), min(extent[1] for extent in extents)
    x, y = line.get_data()
    import numpy as np

    return float(np.interp(math.log(math.sqrt(lo * hi)), np.log(x), y))
