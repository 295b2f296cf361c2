"""Panes that show light: in one tone, fluidly, and never anything but what the tone says."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.film import Film
from engine.image import Image
from engine.tone import Tone
from gui.views.compare import CompareArea
from gui.views.picture import build_picture, draft_picture
from tests.gui.views_kit import drawing, models, noise, settled

KEYS = ("original", "c1", "c2", "c3")


def film(value: float = 0.18, width: int = 96, height: int = 64) -> Film:
    return Film(Image(np.full((height, width, 3), value, np.float32), LINEAR_SRGB))


@pytest.fixture
def area(qtbot: QtBot) -> Iterator[CompareArea]:
    made = CompareArea()
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.set_renditions(models())
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close_work()


def middle(area: CompareArea, key: str) -> int:
    pixels = drawing(area.visible_panes()[key].canvas)
    return int(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2, 0])


def levels(area: CompareArea) -> dict[str, int]:
    return {key: middle(area, key) for key in KEYS}


def test_a_tone_is_the_same_in_every_pane(area: CompareArea, qtbot: QtBot) -> None:
    for key in KEYS:
        area.set_picture(key, film())
    settled(qtbot, area)
    assert set(levels(area).values()) == {118}  # sRGB's code of middle grey
    area.set_tone(Tone(exposure=1.0))
    settled(qtbot, area)
    assert set(levels(area).values()) == {162}  # of twice its light


def test_a_picture_that_comes_later_is_shown_in_the_present_tone(area: CompareArea, qtbot: QtBot) -> None:
    area.set_tone(Tone(exposure=1.0))
    area.set_picture("c1", film())
    area.set_renditions({**models(), "c4": models(4)["c4"]})
    area.set_picture("c4", film())
    settled(qtbot, area)
    assert middle(area, "c1") == 162
    area.set_active("c4")
    settled(qtbot, area)
    assert middle(area, "c4") == 162


def test_pixels_of_code_values_know_no_tone(area: CompareArea, qtbot: QtBot) -> None:
    area.set_picture("original", np.full((64, 96, 3), 77, np.uint8))
    area.set_tone(Tone(exposure=4.0))
    settled(qtbot, area)
    assert middle(area, "original") == 77


def test_while_a_control_moves_a_draft_of_the_present_tone_is_shown(area: CompareArea, qtbot: QtBot) -> None:
    for key in KEYS:
        area.set_picture(key, film(width=2000, height=1400))
    settled(qtbot, area)
    for step in range(10):
        area.set_tone(Tone(exposure=step / 10), moving=True)
    area.set_tone(Tone(exposure=1.0), moving=True)
    settled(qtbot, area)
    drafts = [area._renditions[key].picture for key in KEYS]
    assert all(draft is not None and draft.is_draft and draft.levels[0].shape[1] < 1000 for draft in drafts)
    assert all(abs(level - 162) <= 1 for level in levels(area).values())
    area.set_tone(Tone(exposure=1.0))
    settled(qtbot, area)
    wholes = [area._renditions[key].picture for key in KEYS]
    assert all(whole is not None and not whole.is_draft for whole in wholes)


def test_a_drag_costs_the_window_less_than_a_frame_for_an_event(area: CompareArea, qtbot: QtBot) -> None:
    for key in KEYS:
        area.set_picture(key, film(width=2048, height=2048))
    settled(qtbot, area)
    slowest = 0.0
    for step in range(20):
        begun = time.thread_time()
        area.set_tone(Tone(exposure=step / 20), moving=True)
        for pane in area.visible_panes().values():
            pane.canvas.grab()
        slowest = max(slowest, time.thread_time() - begun)
        qtbot.wait(15)
    assert slowest < 0.05
    settled(qtbot, area)


def test_a_map_over_the_picture_follows_the_tone(area: CompareArea, qtbot: QtBot) -> None:
    heat = np.zeros((64, 96, 3), np.uint8)
    area.set_picture("c1", film())
    area.set_heat("c1", heat, 0.5)
    settled(qtbot, area)
    assert middle(area, "c1") == pytest.approx(59, abs=1)
    area.set_tone(Tone(exposure=1.0))
    settled(qtbot, area)
    assert middle(area, "c1") == pytest.approx(81, abs=1)


def test_a_map_of_another_size_than_the_light_is_refused(area: CompareArea) -> None:
    area.set_picture("c1", film())
    with pytest.raises(ValueError, match="does not fit"):
        area.set_heat("c1", np.zeros((9, 9, 3), np.uint8))


def test_a_draft_lies_where_the_whole_picture_lies(area: CompareArea, qtbot: QtBot) -> None:
    """Every third texel of a picture with a bright right half, drawn at a scale at which texels are large."""
    light = np.zeros((60, 90, 3), np.float32)
    light[:, 45:] = 1.0
    picture = Film(Image(light, LINEAR_SRGB))
    area.set_picture("original", picture)
    settled(qtbot, area)
    rendition, canvas = area._renditions["original"], area.visible_panes()["original"].canvas
    whole = drawing(canvas)
    rendition.picture = draft_picture(picture.develop(Tone(), 3), (90, 60))
    canvas.update()
    draft = drawing(canvas)
    edges = [int(np.argmax(pixels[pixels.shape[0] // 2, :, 0] > 128)) for pixels in (whole, draft)]
    assert abs(edges[0] - edges[1]) <= 2 * area.view.scale
    assert draft.shape == whole.shape


def test_memory_that_runs_out_while_developing_leaves_the_pane_usable(
    area: CompareArea, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    area.set_picture("c1", film())
    settled(qtbot, area)

    def no_memory(_rgb: np.ndarray) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("gui.views.rendition.build_picture", no_memory)
        with qtbot.waitSignal(area.problem):
            area.set_tone(Tone(exposure=1.0))
    area.set_tone(Tone(exposure=2.0))
    settled(qtbot, area)
    assert middle(area, "c1") == pytest.approx(220, abs=1)


def test_a_draft_is_every_nth_texel_and_knows_what_it_stands_for() -> None:
    rgb = noise(90, 60)
    draft = draft_picture(np.ascontiguousarray(rgb[::3, ::3]), (90, 60))
    assert (draft.size, draft.is_draft) == ((90, 60), True)
    assert build_picture(rgb).size == (90, 60)
    assert not build_picture(rgb).is_draft
