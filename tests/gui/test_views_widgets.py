"""The loupe and what the colours of maps mean."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QFontMetrics
from pytestqt.qtbot import QtBot
from views_kit import BLUE, RED, flat, pixels

from engine.crossed import BITS_REACH, FEW_LARGE, FEW_SMALL, MANY_LARGE, MANY_SMALL
from engine.display import rgb_of
from gui.style import SMALL_PX, current, text_font
from gui.widgets.colour_bar import WIDTH, ColourBar, Scale, ticks
from gui.widgets.colour_square import SQUARE, ColourSquare, CrossScale, three
from gui.widgets.loupe import Loupe, LoupeSource


def loupe(qtbot: QtBot, *pictures: np.ndarray | None) -> Loupe:
    shown = Loupe()
    qtbot.addWidget(shown)
    shown.set_sources([LoupeSource(f"Codec {n}", "#E69F00", "o", rgb) for n, rgb in enumerate(pictures)])
    shown.resize(248, shown.heightForWidth(248))  # two crops of 120×80: ten pixels a texel
    return shown


def test_the_loupe_has_the_texel_under_the_cursor_in_its_middle(qtbot):
    rgb = flat(RED)
    rgb[30, 40] = BLUE
    shown = loupe(qtbot, rgb, flat(RED))
    shown.look_at(40, 30)
    seen = pixels(shown)
    assert tuple(seen[45, 65]) == BLUE
    assert tuple(seen[45, 55]) == tuple(seen[25, 65]) == RED
    assert tuple(seen[45, 128 + 65]) == RED


def test_before_there_was_a_cursor_the_middle_is_shown(qtbot):
    rgb = flat(RED)
    rgb[32, 48] = BLUE
    shown = loupe(qtbot, rgb)
    assert tuple(pixels(shown)[45, 65]) == BLUE
    shown.look_at(5, 5)
    assert tuple(pixels(shown)[45, 65]) == RED
    shown.clear()
    assert tuple(pixels(shown)[45, 65]) == BLUE


def test_beyond_the_edge_of_the_picture_is_surround(qtbot):
    shown = loupe(qtbot, flat(RED), None)
    shown.look_at(0, 0)
    seen = pixels(shown)
    surround = tuple(bytes.fromhex(current().surround[1:]))
    assert tuple(seen[75, 75]) == RED
    assert tuple(seen[35, 55]) == tuple(seen[5, 5]) == surround
    assert tuple(seen[45, 128 + 65]) == surround
    shown.look_at(95, 63)
    seen = pixels(shown)
    assert tuple(seen[5, 5]) == RED and tuple(seen[75, 75]) == surround


def test_looking_far_outside_draws_only_surround(qtbot):
    shown = loupe(qtbot, flat(RED))
    shown.look_at(5000, -300)
    assert not (pixels(shown)[:80, :120] == RED).all(axis=2).any()


def test_the_loupe_grows_with_its_sources(qtbot):
    two, four = loupe(qtbot, flat(RED), flat(RED)), loupe(qtbot, *[flat(RED)] * 4)
    assert four.heightForWidth(248) > 2 * two.heightForWidth(248) > 2 * 80


@pytest.mark.parametrize(
    ("lo", "hi", "values"),
    [
        (0, 1, [0, 0.5, 1]),
        (0, 40, [0, 10, 20, 30, 40]),
        (0, 0.07, [0, 0.02, 0.04, 0.06]),
        (-3, 3, [-2, 0, 2]),
        (0, 0, [0]),
        (1e-7, 1.2e-7, [1e-7, 1.05e-7, 1.1e-7, 1.15e-7, 1.2e-7]),
    ],
)
def test_ticks_are_round_and_few(lo, hi, values):
    assert ticks(lo, hi) == pytest.approx(values)


def test_the_bar_has_the_tables_colours_from_left_to_right(qtbot):
    bar = ColourBar()
    qtbot.addWidget(bar)
    table = np.zeros((256, 3), np.uint8)
    table[:, 0] = np.arange(256)
    bar.set_scale(Scale("FLIP", "", 0, 1, table))
    row = pixels(bar)[round(bar.strip_rect.center().y())]
    reds = row[round(bar.strip_rect.left()) + 2 : round(bar.strip_rect.right()) - 2, 0].astype(int)
    assert (np.diff(reds) >= 0).all() and reds[0] < 8 and reds[-1] > 247
    assert bar.accessibleName() == "FLIP, colours from 0 to 1"


def test_a_long_name_and_its_unit_do_not_touch(qtbot):
    bar = ColourBar()
    qtbot.addWidget(bar)
    table = np.zeros((256, 3), np.uint8)
    bar.set_scale(Scale("FLIP", "", 0, 1, table))
    assert bar.width() == WIDTH
    bar.set_scale(Scale("Error (RMS over the channels)", "code values", 0, 20, table))
    assert bar.width() > WIDTH
    inked = (pixels(bar)[4:20] != pixels(bar)[2, 40]).any(axis=(0, 2))
    gaps = np.diff(np.flatnonzero(inked[12:-12]))
    assert gaps.max() >= 10


def test_the_square_has_many_bits_at_the_right_and_large_errors_at_the_top(qtbot):
    square = ColourSquare()
    qtbot.addWidget(square)
    square.set_scale(CrossScale(0.3, 0.066, "FLIP", ""))
    shown, area = pixels(square).astype(int), square.square.toRect().adjusted(2, 2, -2, -2)
    corners = {
        (area.left(), area.top()): FEW_LARGE,
        (area.right(), area.top()): MANY_LARGE,
        (area.right(), area.bottom()): MANY_SMALL,
        (area.left(), area.bottom()): FEW_SMALL,
    }
    for (x, y), colour in corners.items():
        assert np.abs(shown[y, x] - rgb_of(colour)).max() < 30, colour
    said = square.accessibleName()
    assert "bits per pixel from 0.07 to 1.2" in said and "FLIP from 0.033 to 0.13" in said and "16 × 16" in said


def test_no_figure_of_the_square_touches_the_next(qtbot):
    square = ColourSquare()
    qtbot.addWidget(square)
    metrics = QFontMetrics(text_font(SMALL_PX))
    for middle in (0.029, 0.3, 0.88, 1.7, 13.0):
        widths = [metrics.horizontalAdvance(text) for text in three(middle, BITS_REACH)]
        assert max(widths[0] + widths[1], widths[1] + widths[2]) / 2 < SQUARE / 2 - 2, three(middle, BITS_REACH)
