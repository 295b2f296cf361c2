"""Bakes in the list of sources: one entry, a map each, switched by a click or a key."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.image import Meaning
from gui.bakes import Bakes, next_map, whole_bake
from gui.models.direction import angle_text, direction_text
from gui.panels import bake_strip
from gui.panels.channel_strip import ChannelStrip
from gui.panels.sources import SourcesPanel, _strip
from gui.panels.status import PixelReadOut, StatusBar
from gui.state import Source

NAMES = ("Lightmap-0_comp_light.exr", "photo.png", "Lightmap-0_comp_dir.png", "Lightmap-0_comp_shadowmask.png")


@pytest.fixture
def sources() -> list[Source]:
    return [Source(number, Path("/x") / name, Path(name).stem) for number, name in enumerate(NAMES, 1)]


def test_a_bake_is_one_entry_that_stands_for_the_map_looked_at(sources: list[Source]) -> None:
    bakes = Bakes()
    entries = bakes.items(sources, 3)
    assert [(each.id, each.name) for each in entries] == [("1", "Lightmap-0"), ("2", "photo")]
    assert [(each.id, each.label) for each in entries[0].maps] == [("1", "Light"), ("3", "Direction"), ("4", "Shadows")]
    assert entries[0].picture == "3"
    assert bakes.items(sources, 2)[0].picture == "3"  # what was looked at last
    assert bakes.items(sources[1:2], 2)[0].maps == ()


def test_the_next_map_goes_round_within_the_bake(sources: list[Source]) -> None:
    assert [next_map(sources, at) for at in (1, 3, 4)] == [3, 4, 1]
    assert next_map(sources, 1, -1) == 4
    assert next_map(sources, 2) is None


def test_a_file_brings_the_rest_of_its_bake(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in whole_bake(tmp_path / NAMES[2])] == [NAMES[2], NAMES[0], NAMES[3]]
    assert whole_bake(tmp_path / "photo.png") == [tmp_path / "photo.png"]


def test_clicks_and_arrows_switch_the_map_and_the_cross_removes_all(qtbot: QtBot, sources: list[Source]) -> None:
    panel = SourcesPanel()
    qtbot.addWidget(panel)
    panel.resize(212, 500)
    panel.show()
    chosen: list[str] = []
    removed: list[str] = []
    panel.chosen.connect(chosen.append)
    panel.remove.connect(removed.append)
    bakes = Bakes()
    panel.set_items(bakes.items(sources, 1))
    panel.set_current("1")
    row = panel.list.visualRect(panel.list.model().index(0, 0)).adjusted(0, 1, 0, -1)
    cell = bake_strip.cells(_strip(row), 3)[2]
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
    assert chosen == ["4"] and panel.current() == "4"
    panel.set_items(bakes.items(sources, 4))
    qtbot.keyClick(panel.list, Qt.Key.Key_Left)
    assert chosen == ["4", "3"]
    qtbot.mouseMove(panel.list.viewport(), row.center())
    cross = QPoint(row.right() - 14, row.top() + 16)
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=cross)
    assert removed == ["1", "3", "4"]


def test_what_a_picture_is_read_as_is_asked_in_its_menu(qtbot: QtBot, sources: list[Source]) -> None:
    panel = SourcesPanel()
    qtbot.addWidget(panel)
    sources[1].read_as = Meaning.MASK
    panel.set_items(Bakes().items(sources, 2))
    kinds = panel.list.menu(panel.items()[1]).actions()[2].menu()
    assert [action.text() for action in kinds.actions() if action.isChecked()] == ["Shadow mask"]
    with qtbot.waitSignal(panel.read_as) as asked:
        next(action for action in kinds.actions() if action.text() == "Direction map").trigger()
    assert asked.args == ["2", "direction"]


def test_the_strip_offers_the_channels_that_there_are(qtbot: QtBot) -> None:
    strip = ChannelStrip()
    qtbot.addWidget(strip)
    strip.set_map(Meaning.DIRECTION, 4)
    strip.set_channel(4)
    assert strip.channels is not None and strip.channels.key() == "4"
    chosen: list[int] = []
    strip.chosen.connect(chosen.append)
    strip.choose_next()
    qtbot.mouseClick(strip.channels.button("2"), Qt.MouseButton.LeftButton)
    assert chosen == [0, 2]
    strip.set_map(Meaning.MASK, 1)
    strip.set_channel(4)
    assert strip.channels.key() == "0"


def test_a_direction_is_read_out_signed_and_its_error_as_an_angle(qtbot: QtBot) -> None:
    assert direction_text([255, 0, 128, 51], 255).replace("\xa0", " ") == "x +1.00 y \u22121.00 z +0.00 w 0.20"
    assert angle_text([65535, 32768, 32768], 65535, [127, 255, 127], 255) == "90.22°"
    assert angle_text([1, 1, 1], 2, [255, 0, 0], 255) == ""  # of no length
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.set_pixel(PixelReadOut(3, 4, [255, 128, 128], ("JPEG", [128, 255, 128]), directions=(255, 255)))
    texts = [each.text() for each in bar._pixel]
    assert texts[1].startswith("original x") and texts[2].startswith("JPEG x") and texts[3] == "Δ 89.55°"
