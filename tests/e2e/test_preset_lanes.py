"""Presets in the window: taken from the menu and the palette, made custom by a change, saved under a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QInputDialog, QMenu
from pytestqt.qtbot import QtBot

from engine import io, presets, registry
from engine.color import LINEAR_SRGB
from engine.image import Image
from gui.app import Workbench

Settle = Callable[[Workbench], None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def room(tmp_path: Path) -> Path:
    y, x = np.mgrid[0:48, 0:64]
    light = np.exp2(np.sin(x / 9)[:, :, None] * np.cos(y / 7)[:, :, None] - [1, 1.5, 2]).astype(np.float32)
    io.write(tmp_path / "room.exr", Image(light, LINEAR_SRGB))
    return tmp_path / "room.exr"


def entries(menu: QMenu, title: str) -> dict[str, QAction]:
    """What the submenu with this title holds, by label."""
    part = next(action.menu() for action in menu.actions() if action.text() == title)
    assert isinstance(part, QMenu)
    return {action.text().split("\t", maxsplit=1)[0]: action for action in part.actions()}


def test_an_artist_takes_a_preset_changes_it_and_keeps_it(
    bench: Workbench, settle: Settle, room: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.open([room], ["rgbe"], None)
    settle(bench)
    state, panel = bench.state, bench.window.codecs
    menu = panel.menu()
    unity, unreal = entries(menu, "Unity"), entries(menu, "Unreal")
    assert not any(action.isEnabled() for action in unreal.values())
    assert "encoding of its own" in next(iter(unreal.values())).toolTip()
    unity["Unity mobile High, 8×8"].trigger()
    settle(bench)
    lane = state.lanes[-1]
    outcome = state.outcome(lane.id)
    assert outcome is not None and outcome.solved is not None and outcome.solved.result.best.settings["block"] == "8x8"
    assert panel.card(str(lane.id)).name.text() == "Unity mobile High, 8×8"

    card = panel.card(str(lane.id))
    card.set_expanded(True)
    panel.settings_changed.emit(str(lane.id), {"effort": "fast"})
    settle(bench)
    assert (lane.codec, lane.settings["effort"], card.name.text()) == ("astc", "fast", "ASTC")
    assert card.expanded() and card.item.info.rate_param is not None, "its block is the rate's again"

    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_kw: ("Our mobile", True))
    panel.keep.emit(str(lane.id))
    assert presets.presets().by_id["our-mobile"].settings == {"effort": "fast", "file": "ktx2+zstd"}
    assert "Our mobile" in entries(panel.menu(), presets.OWN)
    bench.window.commands.serve("palette")
    found = bench.window.palette_list
    found.field.setText("add codec our mobile")
    assert found.titles()[0] == "Add codec: Our mobile"
    found._run(found.list.item(0))
    settle(bench)
    assert [each.label for each in state.lanes] == ["RGBE", "ASTC", "Our mobile"]
    assert registry.codec(state.lanes[2].codec).info.param("effort").default == "fast"

    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_kw: ("godot mobile", True))
    bench.window.commands.serve("save_preset")
    assert any("is taken" in toast.text for toast in bench.window.toasts.shown())


def test_presets_of_light_are_greyed_for_code_values(bench: Workbench, settle: Settle, tmp_path: Path) -> None:
    io.write_png(tmp_path / "grey.png", Image(np.full((16, 16, 3), 90, np.uint8)))
    bench.open([tmp_path / "grey.png"], ["jpeg"], None)
    settle(bench)
    godot = entries(bench.window.codecs.menu(), "Godot")
    assert not godot["Godot desktop"].isEnabled()
    assert godot["Godot mobile"].isEnabled(), "ASTC carries code values too"
