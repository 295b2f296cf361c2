"""The scene: a drag turns it, the line parts two maps, a draft follows the hand and the whole picture comes at rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.lit.albedo import Albedo
from engine.lit.flat import LightSource
from engine.lit.look import Lit
from engine.lit.mesh import read_mesh, room_path
from engine.tone import Tone
from gui.views.scene import SceneView, Side
from tests.gui.views_kit import pixels


def light(value: float) -> LightSource:
    return LightSource(Image(np.full((32, 32, 3), value, np.float32), LINEAR_SRGB))


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[SceneView]:
    made = SceneView()
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.set_mesh(read_mesh(room_path()))
    made.set_sides((Side("Original", light(0.1)), Side("Codec", light(0.9))))
    made.set_split(0.5)
    made.show()
    qtbot.waitExposed(made)
    settled(qtbot, made)
    yield made
    made.close_work()


def settled(qtbot: QtBot, view: SceneView) -> None:
    qtbot.waitUntil(lambda: not view.busy, timeout=10_000)


def lit(view: SceneView) -> np.ndarray:
    """Where the mesh is seen in the window."""
    assert view.frame is not None
    return view.frame.seen.covered


def drag(qtbot: QtBot, view: SceneView, start: QPoint, to: QPoint, button: Qt.MouseButton) -> None:
    qtbot.mousePress(view, button, pos=start)
    qtbot.mouseMove(view, (start + to) / 2)
    qtbot.mouseMove(view, to)
    qtbot.mouseRelease(view, button, pos=to)


def wheel(view: SceneView, notches: int) -> None:
    place = QPointF(view.rect().center())
    event = QWheelEvent(
        place,
        view.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def test_each_side_of_the_line_is_lit_by_its_own_map(view: SceneView) -> None:
    seen, drawn = lit(view), pixels(view)
    left, right = seen.copy(), seen.copy()
    left[:, 135:], right[:, :165] = False, False
    left[70:130, 130:], right[70:130, :170] = False, False  # where the grip is
    dark, bright = drawn[left].mean(), drawn[right].mean()
    assert bright > dark + 80
    view.set_split(0.9)
    assert pixels(view)[seen].mean() < drawn[seen].mean() - 20
    view.set_first_alone(True)
    assert np.unique(pixels(view)[10:-10, 10:-10][seen[10:-10, 10:-10]]).size == 1


def test_exposure_albedo_and_maps_change_what_is_seen_and_the_camera_stays(view: SceneView, qtbot: QtBot) -> None:
    before, camera = pixels(view), view.camera
    view.set_tone(Tone(exposure=1.0))
    settled(qtbot, view)
    brighter = pixels(view)
    assert brighter[lit(view)].mean() > before[lit(view)].mean() + 10
    view.set_look(Lit(albedo="grey"), Albedo(share=0.5))
    settled(qtbot, view)
    assert np.array_equal(pixels(view), before)
    seen = view.frame.seen if view.frame else None
    view.set_sides((Side("Original", light(0.1)), Side("Other", light(0.2))))
    settled(qtbot, view)
    assert view.camera is camera
    assert view.frame is not None and view.frame.seen is seen  # another codec costs no new rasterising
    assert not np.array_equal(pixels(view), before)


def test_a_drag_turns_with_drafts_and_the_whole_picture_comes_at_rest(
    view: SceneView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts: list[bool] = []
    have = view._have
    monkeypatch.setattr(view, "_have", lambda shot, made: (drafts.append(shot.draft), have(shot, made)))
    before, camera = pixels(view), view.camera
    drag(qtbot, view, QPoint(40, 40), QPoint(140, 60), Qt.MouseButton.LeftButton)
    assert view.busy
    settled(qtbot, view)
    assert view.camera is not None and camera is not None
    assert view.camera.yaw != camera.yaw and view.camera.pitch > camera.pitch
    assert drafts[0] and not drafts[-1]
    assert view.frame is not None and view.frame.pictures[0].shape == (200, 300, 3)
    assert not np.array_equal(pixels(view), before)
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(40, 40))
    settled(qtbot, view)
    assert np.array_equal(pixels(view), before)


def test_the_wheel_comes_nearer_and_the_right_button_moves(view: SceneView, qtbot: QtBot) -> None:
    camera = view.camera
    assert camera is not None
    wheel(view, 3)
    assert view.camera is not None and view.camera.distance == pytest.approx(camera.distance / 2)
    drag(qtbot, view, QPoint(40, 40), QPoint(80, 40), Qt.MouseButton.RightButton)
    assert view.camera.target != camera.target and view.camera.yaw == camera.yaw


def test_the_mouse_points_at_a_place_of_the_map(view: SceneView, qtbot: QtBot) -> None:
    assert view.frame is not None
    places: list[tuple[float, float]] = []
    view.hovered.connect(lambda u, v: places.append((u, v)))
    column, row = 60, 110
    with qtbot.waitSignal(view.hovered):
        qtbot.mouseMove(view, QPoint(column, row))
    assert view.frame.seen.owner[row, column] >= 0
    assert places[-1] == pytest.approx(view.frame.seen.places("light_uv", (32, 32))[0][row, column].tolist())
    with qtbot.waitSignal(view.unhovered):
        qtbot.mouseMove(view, QPoint(2, 2))


def test_the_line_is_dragged_and_centred_again(view: SceneView, qtbot: QtBot) -> None:
    camera = view.camera
    drag(qtbot, view, QPoint(150, 30), QPoint(60, 30), Qt.MouseButton.LeftButton)
    assert view.split == pytest.approx(0.2) and view.camera is camera
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 30))
    assert view.split == 0.5


def test_keys_turn_zoom_and_move_the_line(view: SceneView, qtbot: QtBot) -> None:
    first = view.camera
    assert first is not None
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Plus, Qt.Key.Key_BracketRight):
        qtbot.keyClick(view, key)
    now = view.camera
    assert now is not None and now.pitch > first.pitch and now.distance < first.distance and view.split > 0.5
    qtbot.keyPress(view, Qt.Key.Key_Space)
    assert view._first_alone
    qtbot.keyRelease(view, Qt.Key.Key_Space)
    qtbot.keyClick(view, Qt.Key.Key_F)
    assert view.camera == first and not view._first_alone


def test_a_map_takes_the_place_of_the_last_side_of_its_frame_only(view: SceneView, qtbot: QtBot) -> None:
    frame = view.frame
    assert frame is not None
    view.set_heat(frame, np.full((200, 300, 3), (9, 200, 9), np.uint8))
    assert (pixels(view)[140:180, 190:280] == (9, 200, 9)).all()
    assert not (pixels(view)[140:180, 20:110] == (9, 200, 9)).all()
    view.set_tone(Tone(exposure=2.0))
    settled(qtbot, view)
    assert not (pixels(view) == (9, 200, 9)).all(axis=2).any()


def test_without_a_mesh_it_says_what_to_do(view: SceneView) -> None:
    view.set_mesh(None)
    view.set_lesson("Drop a mesh here")
    assert pixels(view).std() > 1 and not view.busy
