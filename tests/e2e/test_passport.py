"""Decode passports in the window: unasked for learned codecs, at a person's wish for all, broken where a file is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from engine.passport import Verdict
from gui.app import Workbench
from gui.state import Lane
from gui.views.header import PaneHeader
from gui.views.model import Badge, BadgeKind
from tests.pictures import photo_like

Settle = Callable[[Workbench], None]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Pillow.fromarray(photo_like(48, 64)).save(path)
    return path


@pytest.fixture
def lane(bench: Workbench, photo: Path, settle: Settle) -> Lane:
    lane = bench.controller.add_codec("wavelet")
    assert lane is not None
    bench.controller.open_paths([photo])
    settle(bench)
    return lane


def header(bench: Workbench, lane: Lane) -> PaneHeader:
    return bench.window.compare.visible_panes()[str(lane.id)].headers[0]


def badges(bench: Workbench, lane: Lane) -> list[Badge]:
    return list(header(bench, lane)._model.badges)


def test_a_file_that_was_tampered_with_turns_the_badge_to_broken(
    bench: Workbench, lane: Lane, settle: Settle, qtbot: QtBot
) -> None:
    assert badges(bench, lane) == []  # a codec in integers is checked only at somebody's wish
    bench.window.actions_by_id["check_decode"].trigger()
    settle(bench)
    assert [(badge.text, badge.kind) for badge in badges(bench, lane)] == [("bit-exact", BadgeKind.GOOD)]
    trial = bench.state.outcome(lane.id).trial
    assert trial is not None and trial.blob is not None
    known = bench.store.find(trial.key)
    assert known is not None and known.passport is not None and known.passport.verdict is Verdict.EXACT

    path = bench.store.blobs.path(trial.blob)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    bench.window.codecs.card(str(lane.id)).check.emit(str(lane.id))
    settle(bench)
    (badge,) = badges(bench, lane)
    assert (badge.text, badge.kind) == ("broken", BadgeKind.BAD) and "damaged" in badge.tooltip
    assert any("damaged" in toast.text for toast in bench.window.toasts.shown())

    shown = header(bench, lane)
    shown.grab()
    area = shown._badge_areas[0][0]
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=area.center().toPoint())
    assert badge.tooltip in QToolTip.text()
    assert badge.tooltip in shown.description()
