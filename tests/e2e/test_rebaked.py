"""A picture that another program writes anew is shown anew, and coded anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pytestqt.qtbot import QtBot

from gui import preferences
from gui.app import Workbench
from tests.pictures import photo_like

Settle = Callable[[Workbench], None]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "bake.png"
    Pillow.fromarray(photo_like(96, 128)).save(path)
    return path


def looked_at(bench: Workbench) -> np.ndarray:
    source = bench.state.current
    assert source is not None and source.image is not None
    return source.image.pixels


def written(bench: Workbench, path: Path, pixels: np.ndarray) -> None:
    bench.watch.look()
    Pillow.fromarray(pixels).save(path)
    bench.watch.look()
    bench.watch.look()


def test_the_picture_that_is_looked_at_is_coded_again(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    bench.open([photo], ["jpeg"], 2.0)
    settle(bench)
    lane = bench.state.lanes[0].id
    before = bench.state.outcome(lane).solved
    again = 255 - photo_like(96, 128)
    written(bench, photo, again)
    qtbot.waitUntil(lambda: np.array_equal(looked_at(bench), again), timeout=30_000)
    settle(bench)
    after = bench.state.outcome(lane).solved
    assert before is not None and after is not None and after.data != before.data


def test_a_picture_in_the_list_gets_a_new_row_and_stays_in_the_list(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    Pillow.fromarray(photo_like(64, 64)).save(other)
    bench.open([other, photo], ["jpeg"], 2.0)
    settle(bench)
    written(bench, photo, np.zeros((32, 48, 3), np.uint8))
    qtbot.waitUntil(lambda: bench.state.sources[1].size == (48, 32), timeout=30_000)
    assert bench.state.current is bench.state.sources[0]


def test_who_does_not_want_it_is_not_disturbed(bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot) -> None:
    preferences.save(watch=False)
    bench.open([photo], ["jpeg"], 2.0)
    settle(bench)
    before = looked_at(bench)
    written(bench, photo, 255 - photo_like(96, 128))
    qtbot.wait(300)
    assert looked_at(bench) is before
