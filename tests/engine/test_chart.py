"""Charts: what they show, and that equal charts are equal bytes."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine import chart
from engine.chart import FORMATS, Chart, Series, render, visible
from engine.errors import EngineError, UsageError
from engine.palette import LOOKS, look

UPPER = Series("wavelet", [(0.1, 28.0), (0.4, 33.0), (1.5, 39.0)], look(0), mark=(0.4, 33.0))
LOWER = Series("jpeg", [(0.2, 25.0), (0.6, 30.0), (1.8, 35.0)], look(1))
FAR = Series("VTM", [(0.15, 30.0), (1.0, 38.0), (5.0, 48.0)], look(2))
CHART = Chart((LOWER, UPPER), "PSNR (dB)", references=(FAR,), target=0.5, title="Two codecs", note="one picture")


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_chart_gives_the_same_bytes(form: str) -> None:
    first, again = render(CHART, form), render(CHART, form)
    assert first == again
    assert first[:5] in (b"<?xml", b"%PDF-", b"\x89PNG\r")


def test_the_names_stand_in_the_order_of_the_curves() -> None:
    svg = render(CHART, "svg").decode()
    # Text is drawn as outlines; matplotlib leaves the words in comments before them.
    places = [svg.index(f"<!-- {name} -->") for name in ("VTM", "wavelet", "jpeg")]
    assert places == sorted(places)
    for words in ("PSNR (dB)", "rate (bits per pixel)", "Two codecs", "one picture"):
        assert f"<!-- {words} -->" in svg


def test_a_reference_beyond_the_rates_of_the_series_does_not_stretch_the_axis() -> None:
    with_far = render(replace(CHART, log_rate=False), "svg").decode()
    assert "<!-- 1.5 -->" in with_far
    assert "<!-- 4 -->" not in with_far
    alone = render(Chart((), "PSNR (dB)", references=(FAR,), log_rate=False), "svg").decode()
    assert "<!-- 4 -->" in alone


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("log_rate", [True, False])
def test_each_curve_is_drawn_in_its_colour(theme: str, log_rate: bool) -> None:
    png = render(replace(CHART, theme=theme, log_rate=log_rate), "png")
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    for series in (UPPER, LOWER):
        wanted = [int(series.look.colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=2) < 12).sum() > 400


def test_yellow_is_darkened_on_white_paper_only() -> None:
    yellow = LOOKS[6].colour
    assert visible(yellow, "#1f2126") == yellow.lower()
    assert visible(yellow, "#ffffff") != yellow.lower()
    assert visible(LOOKS[5].colour, "#ffffff") == LOOKS[5].colour.lower()


def test_a_chart_without_points_is_refused() -> None:
    with pytest.raises(EngineError, match="no point to draw"):
        render(Chart((Series("jpeg", [], look(0)),), "PSNR (dB)"), "svg")


def test_an_unknown_form_or_theme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="svg, pdf, png"):
        render(CHART, "gif")
    with pytest.raises(UsageError, match="light, dark"):
        render(replace(CHART, theme="sepia"), "svg")


def test_matplotlib_is_not_imported_before_a_chart_is_drawn() -> None:
    code = "import sys, engine.chart; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_luminance_is_that_of_wcag() -> None:
    shades = {
        "#000000": 0.0,
        "#ffffff": 1.0,
        "#ff0000": 0.2126,
        "#00ff00": 0.7152,
        "#0000ff": 0.0722,
        "#808080": 0.215861,
    }
    for colour, luminance in shades.items():
        assert chart._luminance(colour) == pytest.approx(luminance, abs=1e-6)
    assert chart._luminance("#0a0a0a") == pytest.approx(10 / 255 / 12.92)


def test_a_colour_is_darkened_just_enough() -> None:
    for colour in ("#F0E442", "#ffffff", "#56B4E9"):
        shown = visible(colour, "#ffffff")
        assert 1.05 / (chart._luminance(shown) + 0.05) >= 1.7
        assert shown == colour.lower() or 1.05 / (chart._luminance(shown) + 0.05) < 1.7 * 1.08
    assert visible("#0072B2", "#ffffff") == "#0072b2"
    assert visible("#111111", "#1f2126") == "#111111"


def test_references_reach_a_fifth_beyond_the_rates_of_the_series() -> None:
    subject = Series("a", [(0.12, 30.0), (1.0, 40.0)], look(0))
    far = Series("b", [(0.099, 1.0), (0.1, 2.0), (0.5, 3.0), (1.2, 4.0), (1.21, 5.0)], look(1))
    gone = Series("c", [(9.0, 1.0)], look(2))
    kept = chart._within_reach(Chart((subject,), "dB", references=(far, gone)))
    assert kept == [(far, [(0.1, 2.0), (0.5, 3.0), (1.2, 4.0)])]
    assert chart._within_reach(Chart((), "dB", references=(gone,))) == [(gone, [(9.0, 1.0)])]


def test_after_the_seventh_colours_come_again_with_other_markers() -> None:
    assert [look(place) for place in range(7)] == list(LOOKS)
    assert [look(place).colour for place in (7, 13, 14)] == [LOOKS[0].colour, LOOKS[6].colour, LOOKS[0].colour]
    assert len({look(place) for place in range(49)}) == 49
