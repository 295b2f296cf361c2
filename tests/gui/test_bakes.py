"""Bakes in the list of sources: one entry, a map each, switched by a click or a key."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from gui.bakes import Bakes, next_map, whole_bake
from gui.panels import bake_strip
from gui.panels.sources import SourcesPanel, _strip
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
