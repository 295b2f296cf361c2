"""The table of a batch's rows: newest first, figures with units, errors on their own."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from gui.batch.rows import Column, RowsModel, RowsView
from tests.gui.panels_kit import PSNR, A


def row(image: str, error: str = "") -> dict[str, Any]:
    shared = {"image": image, "codec": "a", "goal": "0.5 bpp", "error": error}
    if error:
        return {**shared, "status": "failed"}
    return {**shared, "status": "done", "bpp": 0.4987, "bytes": 2048, "psnr": 31.234, "notes": ["alpha is lost"]}


@pytest.fixture
def model(qtbot: QtBot) -> RowsModel:
    made = RowsModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    made.begin({"a": A}, PSNR)
    made.add([row("one"), row("two", "broken")])
    made.add([row("three")])
    return made


def texts(model: RowsModel, place: int) -> list[str]:
    return [str(model.index(place, column).data()) for column in Column]


def test_the_newest_row_is_the_first(model: RowsModel) -> None:
    assert [texts(model, place)[0] for place in range(3)] == ["three", "two", "one"]


def test_figures_have_their_units(model: RowsModel) -> None:
    wanted = ["three", "JPEG", "0.5 bpp", "0.499 bpp", "2.00\xa0KB", "31.23\xa0dB", "alpha is lost"]
    assert texts(model, 0) == wanted
    assert model.headerData(Column.SCORE, Qt.Orientation.Horizontal) == "PSNR"


def test_an_error_has_no_figures_but_its_reason(model: RowsModel) -> None:
    assert texts(model, 1) == ["two", "JPEG", "0.5 bpp", "", "", "", "broken"]


def test_errors_can_be_seen_alone_while_more_rows_come(model: RowsModel) -> None:
    model.show_only_errors(True)
    model.add([row("four"), row("five", "also broken")])
    assert [texts(model, place)[0] for place in range(model.rowCount())] == ["five", "two"]
    model.show_only_errors(False)
    assert model.rowCount() == 5


def test_an_error_is_written_across_the_columns_of_figures(model: RowsModel, qtbot: QtBot) -> None:
    view = RowsView(model)
    qtbot.addWidget(view)
    view.resize(800, 200)
    view.show()
    qtbot.waitExposed(view)
    image = view.viewport().grab().toImage()
    y = view.visualRect(model.index(1, 0)).center().y()
    left, right = view.columnViewportPosition(Column.RATE), view.columnViewportPosition(Column.SIZE)
    ink = {image.pixel(x, y + dy) for x in range(left, right) for dy in range(-4, 5)}
    assert len(ink) > 2
