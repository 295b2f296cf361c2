"""A coarser picture is shown first where a file begins with one, and is gone when the whole is there or given up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from engine.image import Image
from engine.jobs import Event
from engine.jobs import State as Job
from engine.tasks import Beginning
from gui.app import Workbench
from gui.state import Outcome, Phase
from tests.pictures import photo_like


@pytest.fixture
def solved(
    bench: Workbench, tmp_path: Path, settle: Callable[[Workbench], None]
) -> tuple[Outcome, Callable[..., None]]:
    """An answer of `wavelet`, and what hears of the next search for it."""
    photo = tmp_path / "photo.png"
    Pillow.fromarray(photo_like(90, 120)).save(photo)
    bench.controller.add_codec("wavelet")
    bench.controller.open_paths([photo])
    settle(bench)
    lane, source = bench.state.lanes[-1], bench.state.current
    assert source is not None
    hear = bench.controller._on_solve(source, lane, bench.state.target)

    def say(state: Job, value: object = None) -> None:
        hear(Event(("solve", lane.id), 1, state, value))

    return bench.state.outcome(lane.id), say


COARSE = Image(np.full((90, 120, 3), 77, np.uint8))


def coarse_share(bench: Workbench) -> float:
    """How much of the panes is of the beginning's colour."""
    image = bench.window.compare.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return float((rows[:, : 3 * image.width()] == 77).mean())


def test_a_beginning_is_shown_until_the_whole_is_there(
    bench: Workbench, qtbot: QtBot, solved: tuple[Outcome, Callable[..., None]]
) -> None:
    outcome, say = solved
    answer, whole = outcome.solved, outcome.display
    say(Job.RUNNING)
    say(Job.PARTIAL, Beginning(COARSE))
    qtbot.waitUntil(lambda: outcome.beginning is not None)
    assert outcome.solved is answer and outcome.display is whole
    qtbot.waitUntil(lambda: coarse_share(bench) > 0.1)
    say(Job.DONE, answer)
    qtbot.waitUntil(lambda: outcome.phase is Phase.DONE)
    assert outcome.beginning is None
    qtbot.waitUntil(lambda: coarse_share(bench) < 0.01)


def test_a_search_given_up_goes_back_to_the_former_answer(
    qtbot: QtBot, solved: tuple[Outcome, Callable[..., None]]
) -> None:
    outcome, say = solved
    say(Job.RUNNING)
    say(Job.PARTIAL, Beginning(COARSE))
    qtbot.waitUntil(lambda: outcome.beginning is not None)
    say(Job.CANCELLED)
    assert outcome.beginning is None and outcome.display is not None


def test_a_beginning_that_comes_late_is_not_shown(qtbot: QtBot, solved: tuple[Outcome, Callable[..., None]]) -> None:
    outcome, say = solved
    say(Job.PARTIAL, Beginning(COARSE))  # done already
    qtbot.wait(200)
    assert outcome.beginning is None
