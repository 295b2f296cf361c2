"""The panel of the set: the order of its rows, its totals, and what a click opens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.image import Meaning
from engine.light_sets.measured import Measured, Original, Total
from engine.palette import look
from engine.trial import EncodeKey, Trial
from gui.light_set.model import COLUMNS, QUALITY, SetModel, SetRow
from gui.light_set.panel import LaneTotal, SetPanel
from gui.models.lane import LaneTag

TITLES = [column.title for column in COLUMNS]


def row(source: int, name: str, db: float | None, *, angle: float | None = None, size: int = 1000) -> SetRow:
    meaning = Meaning.DIRECTION if angle is not None else Meaning.LIGHT
    if db is None:
        return SetRow(source, name, str(meaning), Original(meaning, 64, 64, 5000, 32768))
    scores = {"psnr" if angle is not None else "log2_psnr": db} | ({"angle_mean": angle} if angle is not None else {})
    trial = Trial(EncodeKey("i", "c", "v", "{}"), size, 1.0, scores=scores, stats={"vram_bytes": 4096})
    return SetRow(source, name, str(meaning), Original(meaning, 64, 64, 5000, 32768), Measured(trial))


ROWS = [
    row(1, "b.exr", 50.0, size=300),
    row(2, "a.png", 40.0, angle=1.5, size=900),
    row(3, "d.exr", None),
    row(4, "c.png", 45.0, angle=0.5, size=100),
]


@pytest.mark.parametrize(
    ("title", "worst", "order"),
    [
        ("dB", True, [2, 4, 1, 3]),
        ("dB", False, [1, 4, 2, 3]),
        ("angle", True, [2, 4, 1, 3]),
        ("on disk", True, [2, 1, 4, 3]),
        ("map", True, [2, 1, 4, 3]),
    ],
)
def test_rows_are_sorted_worst_first_and_what_has_no_value_is_last(title: str, worst: bool, order: list[int]) -> None:
    model = SetModel()
    model.set_rows(ROWS)
    model.sort(TITLES.index(title), Qt.SortOrder.AscendingOrder if worst else Qt.SortOrder.DescendingOrder)
    assert [each.source for each in model.rows] == order
    assert model.data(model.index(3, QUALITY)) == ("…" if order[-1] == 3 else "50.00")


def test_a_column_is_there_if_a_map_has_something_to_say_in_it() -> None:
    model = SetModel()
    model.set_rows(ROWS)
    assert model.shown(TITLES.index("angle")) and not model.shown(TITLES.index("worst mask"))
    model.set_rows([replace(each, measured=Measured(error="carries none")) for each in ROWS])
    assert not model.shown(TITLES.index("angle"))
    assert model.data(model.index(0, QUALITY)) == "n/a"
    assert "carries none" in str(model.data(model.index(0, QUALITY), Qt.ItemDataRole.ToolTipRole))


def test_the_panel_tells_totals_and_opens_what_is_clicked(qtbot: QtBot) -> None:
    panel = SetPanel()
    qtbot.addWidget(panel)
    panel.resize(1000, 260)
    panel.show()
    panel.set_rows(ROWS)
    lanes = [LaneTag(str(n), name, look(n)) for n, name in ((5, "BC6H"), (6, "Wavelet"))]
    original = Total(4, 20000, 131072)
    totals = [LaneTotal(lanes[0], Total(2, 8192, 8192), 0), LaneTotal(lanes[1], Total(3, 2048, 65536), 1)]
    panel.set_totals(original, 4, totals, "6")
    assert "4 maps" in panel.summary.text() and "19.5" in panel.summary.text()
    assert "2 of 4 maps" in panel.lane_buttons["5"].text() and "1 to come" in panel.lane_buttons["6"].text()
    assert panel.lane_buttons["6"].isChecked() and not panel.lane_buttons["5"].isChecked()
    opened: list[int] = []
    panel.opened.connect(opened.append)
    place = panel.table.visualRect(panel.model.index(0, 0)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened == [2]
    with qtbot.waitSignal(panel.lane_chosen) as chosen:
        panel.lane_buttons["5"].click()
    assert chosen.args == [5]
