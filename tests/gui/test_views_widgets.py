"""The loupe and the colour bar."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from views_kit import BLUE, RED, flat, pixels

from gui.style import current
from gui.widgets.colour_bar import WIDTH, ColourBar, ticks
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
    bar.set_scale("FLIP", "", 0, 1, table)
    row = pixels(bar)[round(bar.strip_rect.center().y())]
    reds = row[round(bar.strip_rect.left()) + 2 : round(bar.strip_rect.right()) - 2, 0].astype(int)
    assert (np.diff(reds) >= 0).all() and reds[0] < 8 and reds[-1] > 247
    assert bar.accessibleName() == "FLIP, colours from 0 to 1"


def test_a_long_name_and_its_unit_do_not_touch(qtbot):
    bar = ColourBar()
    qtbot.addWidget(bar)
    table = np.zeros((256, 3), np.uint8)
    bar.set_scale("FLIP", "", 0, 1, table)
    assert bar.width() == WIDTH
    bar.set_scale("Error (RMS over the channels)", "code values", 0, 20, table)
    assert bar.width() > WIDTH
    inked = (pixels(bar)[4:20] != pixels(bar)[2, 40]).any(axis=(0, 2))
    gaps = np.diff(np.flatnonzero(inked[12:-12]))
    assert gaps.max() >= 10
