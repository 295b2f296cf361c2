"""The training window by itself: what it shows and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.learned.run_folder import CHECKPOINT, LOG, STEPS
from gui.models.units import NONE
from gui.training import plan as places
from gui.training import process
from gui.training.plan import Kind, TrainingPlan
from gui.training.window import TrainingWindow
from tests.gui.training_kit import line, lines_of, stand_in, write

PATIENCE_MS = 20_000


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RATESCOPE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("RATESCOPE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def window(runs: Path, qtbot: QtBot) -> TrainingWindow:
    """The window over a desk that does everything at once."""

    def apart(work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())

    made = TrainingWindow(SimpleNamespace(apart=apart))
    made._timer.setInterval(50)
    qtbot.addWidget(made)
    return made


def test_without_a_run_the_window_says_what_there_is_to_do(window: TrainingWindow, runs: Path, tmp_path: Path) -> None:
    window.open()
    assert window.pages.currentIndex() == 0
    assert not window.form.table.isVisible() and not window.stop_button.isVisible()
    assert not window.start.isEnabled() and window.fault.text() == "Choose a folder of pictures to learn from"
    assert window.form.plan().folder == runs / "hyperprior-1"
    window.form.recipe.setCurrentIndex(window.form.recipe.findData("lightmap-ae"))
    assert window.form.plan().folder == runs / "lightmap-ae-1"
    window.choose(str(tmp_path))
    assert "holds no run" in window.fault.text()


def test_what_is_drawn_can_be_chosen(window: TrainingWindow, runs: Path) -> None:
    run = runs / "hyperprior-3"
    write(run / LOG, line(0, 9.0), line(100, 8.0))
    write(run / "decay-100" / LOG, line(150, 7.5, decay_minutes=60, decay_from_steps=100, decay_from_seconds=6000.0))
    write(run / STEPS, *({"steps": n, "seconds": 60.0 * n, "loss": 9.0 - n, "learning_rate": 1.0} for n in (1, 2)))
    window.open()
    window.progress.measure_combo.setCurrentIndex(window.progress.measure_combo.findData("loss"))
    window.progress.axis_combo.setCurrentIndex(1)
    assert lines_of(window)["run"] == [(1.0, 8.0), (2.0, 7.0)]
    window.progress.measure_combo.setCurrentIndex(window.progress.measure_combo.findData("against_start"))
    assert lines_of(window)["decay at 100"] == [(100.0, -1.0), (150.0, -1.5)]


def test_a_run_is_remembered_with_what_it_was_trained_from(window: TrainingWindow, runs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "mine"
    write(elsewhere / LOG, line(0, 9.0))
    places.remember(places.Remembered(str(elsewhere), "lightmap-ae", str(tmp_path)))
    window.open()
    assert window.form.runs.key() == str(elsewhere)
    assert (window.form.plan().recipe, window.form.plan().data) == ("lightmap-ae", str(tmp_path))
    places.remember(places.Remembered(str(runs / "a")))
    places.remember(places.Remembered(str(elsewhere)))
    assert [each.folder for each in places.recent()] == [str(elsewhere), str(runs / "a")]
    assert places.recent()[0].recipe == "lightmap-ae"


def test_training_that_cannot_go_on_says_why(
    window: TrainingWindow, runs: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "command", stand_in)
    window.open()
    window.form.data.edit.setText(str(tmp_path))
    window.form.out.edit.setText(str(runs / "fail"))
    qtbot.mouseClick(window.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE_MS)
    assert window.fault.text() == "no pictures there: choose another folder"
    assert window.form.values["Steps"].text() == NONE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipe": ""}, "recipe"),
        ({"recipe": "nowhere.toml"}, "no such recipe"),
        ({"data": ""}, "pictures"),
        ({"data": "nowhere"}, "no such folder"),
        ({"out": ""}, "folder for the run"),
        ({"kind": Kind.DECAY}, "saved nothing"),
        ({"kind": Kind.RESUME, "out": ""}, "Choose a run"),
    ],
)
def test_what_cannot_be_trained_is_said_before(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    good = {"recipe": "hyperprior", "data": str(tmp_path), "out": str(tmp_path / "out")}
    assert TrainingPlan(**good).fault() == ""
    assert words in TrainingPlan(**{**good, **changes}).fault()


def test_a_run_is_not_begun_over_another_one(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).touch()
    here = {"recipe": "hyperprior", "data": str(tmp_path), "out": str(tmp_path)}
    assert "go on with it" in TrainingPlan(**here).fault()
    assert TrainingPlan(Kind.RESUME, **here).fault() == TrainingPlan(Kind.DECAY, **here).fault() == ""
    assert TrainingPlan(recipe=str(tmp_path / "own.toml"), data="d", out="o").words()[1] == str(tmp_path / "own.toml")
