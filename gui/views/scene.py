"""`SceneView`: a mesh lit by two maps, on either side of a line that is dragged. No OpenGL: it works everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.lit.albedo import Albedo
from engine.lit.camera import Camera
from engine.lit.flat import LightSource, developed
from engine.lit.look import Lit
from engine.lit.mesh import Mesh
from engine.lit.scene import Seen
from engine.tone import NEUTRAL, Tone
from gui.style import current
from gui.theme import Theme
from gui.views.canvas import GRAB, KEYBOARD_FOCUS, NOTCH, SPLIT_STEP
from gui.views.paint import Stage, draw_lower_corners, draw_split
from gui.views.picture import as_qimage
from gui.views.transform import ViewTransform, clamp
from gui.views.worker import PictureWorker
from gui.widgets.keys import keep_keys

REST_MS = 160  # after the last movement the whole picture is drawn
DRAFT_STEP = 2  # of a draft: every so many pixels
SLOW_DRAFT_STEP = 3
SLOW_S = 0.07  # a draft that took longer makes the next ones coarser
DEGREES = 0.35  # of turning, a pixel dragged
KEY_DEGREES = 8.0
_TURNS = {
    Qt.Key.Key_Left: (-KEY_DEGREES, 0.0),
    Qt.Key.Key_Right: (KEY_DEGREES, 0.0),
    Qt.Key.Key_Up: (0.0, KEY_DEGREES),
    Qt.Key.Key_Down: (0.0, -KEY_DEGREES),
}
_ZOOMS = {
    Qt.Key.Key_Plus: NOTCH,
    Qt.Key.Key_Equal: NOTCH,
    Qt.Key.Key_Minus: 1 / NOTCH,
    Qt.Key.Key_Underscore: 1 / NOTCH,
}
_OTHERS = (Qt.Key.Key_F, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_Backslash)


@dataclass(frozen=True, eq=False)
class Side:
    """What is left or right of the line. label: for the tag beside it."""

    label: str
    light: LightSource


@dataclass(frozen=True)
class Shot:
    """All that a picture of the scene depends on. size: width and height in pixels of this picture."""

    mesh: Mesh
    camera: Camera
    size: tuple[int, int]
    sides: tuple[Side, ...]
    look: Lit
    albedo: Albedo
    tone: Tone
    surround: tuple[int, int, int]
    draft: bool = False


@dataclass(frozen=True, eq=False)
class Frame:
    """pictures: H×W×3 u8 of each side, images over them; what the camera saw."""

    shot: Shot
    seen: Seen
    pictures: tuple[np.ndarray, ...]
    images: tuple[QImage, ...]


def render(shot: Shot, known: Seen | None = None) -> Frame:
    """Draw all sides. known: what was seen last, used again if that is the same. Safe on any thread."""
    seen = known
    if seen is None or (seen.mesh, seen.camera, seen.owner.shape[::-1]) != (shot.mesh, shot.camera, shot.size):
        seen = Seen(shot.mesh, shot.camera, *shot.size)
    beside = ~seen.covered
    pictures = []
    for side in shot.sides:
        rgb = developed(seen.light(side.light.texture, shot.look, shot.albedo), shot.tone)
        rgb[beside] = shot.surround
        pictures.append(rgb)
    return Frame(shot, seen, tuple(pictures), tuple(as_qimage(rgb) for rgb in pictures))


class SceneView(QWidget):
    """A drag turns, the wheel comes nearer, a drag with Shift or the right button moves; a double click goes back.
    The line is dragged as in the wipe. Keys: arrows turn, + and - zoom, F goes back, [ ] and \\ move the line, Space
    shows the first side alone while it is held.

    Signals: rendered(Frame): the whole picture at rest; hovered(u, v): where in the map the mouse points, unhovered():
    beside it; idle(); problem(text).
    """

    rendered = Signal(object)
    hovered = Signal(float, float)
    unhovered = Signal()
    idle = Signal()
    problem = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._worker = PictureWorker(self)
        self._mesh: Mesh | None = None
        self._camera: Camera | None = None
        self._sides: tuple[Side, ...] = ()
        self._look, self._albedo, self._tone = Lit(), Albedo(), NEUTRAL
        self._moving = False
        self._step = DRAFT_STEP
        self._frame: Frame | None = None
        self._pending: Shot | None = None
        self._heat: tuple[Frame, QImage, np.ndarray] | None = None
        self._split = 0.5
        self._first_alone = False
        self._dragged: tuple[str, QPointF] | None = None
        self._lesson = ""
        self._focus_ring = False
        self._rest = QTimer(self, interval=REST_MS, singleShot=True)
        self._rest.timeout.connect(self._come_to_rest)
        self._worker.idle.connect(self.idle)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 120)
        self.setAccessibleName("The lightmap on a mesh")
        keep_keys(self, *_TURNS, *_ZOOMS, *_OTHERS)
        self.set_theme(current())

    # ------------------------------------------------------------ data

    def set_mesh(self, mesh: Mesh | None) -> None:
        """Show another mesh, from where all of it is seen; None: none."""
        if mesh is self._mesh:
            return
        self._mesh = mesh
        self._camera = self._whole(mesh) if mesh is not None else None
        self._frame = self._heat = None
        self._want()

    def set_sides(self, sides: tuple[Side, ...]) -> None:
        """One map, or two on either side of the line. The same light under the same label costs nothing."""
        if [(each.label, each.light) for each in sides] != [(each.label, each.light) for each in self._sides]:
            self._sides = sides
            self._want()

    def set_look(self, look: Lit, albedo: Albedo) -> None:
        if (look, albedo) != (self._look, self._albedo):
            self._look, self._albedo = look, albedo
            self._want()

    def set_tone(self, tone: Tone, *, moving: bool = False) -> None:
        """moving: a control is being dragged, and a draft will do."""
        if (tone, moving) != (self._tone, self._moving):
            self._tone, self._moving = tone, moving
            self._want()

    def set_heat(self, of: Frame, rgb: np.ndarray | None) -> None:
        """Show a map (H×W×3 u8) in place of the last side of this frame, as long as it is the one that is shown."""
        self._heat = (of, as_qimage(rgb), rgb) if rgb is not None else None
        self.update()

    def set_lesson(self, text: str) -> None:
        """What is said while there is no mesh."""
        self._lesson = text
        self.update()

    @property
    def camera(self) -> Camera | None:
        return self._camera

    def set_camera(self, camera: Camera, *, moving: bool = False) -> None:
        if camera != self._camera:
            self._camera = camera
            if moving:
                self._rest.start()
            self._want()

    @property
    def frame(self) -> Frame | None:
        """What is shown now: a draft, or the whole."""
        return self._frame

    @property
    def busy(self) -> bool:
        return self._worker.busy or self._rest.isActive() or self._pending is not None

    @property
    def split(self) -> float:
        return self._split

    def set_split(self, fraction: float) -> None:
        self._split = clamp(fraction, 0.0, 1.0)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._want()
        self.update()

    def close_work(self) -> None:
        """End the threads; to be called when the window closes."""
        self._rest.stop()
        self._worker.close()

    # ------------------------------------------------------------ drawing off the GUI thread

    def _shot(self) -> Shot | None:
        if self._mesh is None or self._camera is None or not self._sides or not self.isVisible():
            return None
        draft = self._moving or self._rest.isActive()
        ratio = self.devicePixelRatioF() / (self._step if draft else 1)
        size = max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))
        ground = QColor(self._theme.surround)
        surround = (ground.red(), ground.green(), ground.blue())
        sides, look = self._sides, self._look
        return Shot(self._mesh, self._camera, size, sides, look, self._albedo, self._tone, surround, draft)

    def _want(self) -> None:
        """Have the present shot drawn; one is under way at a time, and the last wish comes after it."""
        shot = self._shot()
        if shot is None or (self._frame is not None and shot == self._frame.shot and self._pending is None):
            self.update()
            return
        started = self._pending is None
        self._pending = shot
        if started:
            self._begin(shot)

    def _begin(self, shot: Shot) -> None:
        seen = self._frame.seen if self._frame is not None else None
        self._worker.submit((self, "frame"), partial(_timed, shot, seen), partial(self._have, shot), self._failed)

    def _have(self, shot: Shot, made: tuple[Frame, float]) -> None:
        frame, seconds = made
        self._frame = frame
        if shot.draft:
            self._step = SLOW_DRAFT_STEP if seconds > SLOW_S else DRAFT_STEP
        if self._pending is not None and self._pending != shot:
            self._begin(self._pending)
        else:
            self._pending = None
            if not shot.draft:
                self.rendered.emit(frame)
        self.update()

    def _failed(self, reason: str) -> None:
        self._pending = None
        self.problem.emit(reason)

    def _come_to_rest(self) -> None:
        self._want()

    # ------------------------------------------------------------ painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surround))
        frame = self._frame
        if self._mesh is None or frame is None:
            painter.setPen(QColor(self._theme.text))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._lesson)
        else:
            self._paint_frame(painter, frame)
        if self._focus_ring:
            painter.setPen(QPen(QColor(self._theme.accent), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        draw_lower_corners(painter, self.rect(), self._theme.window, self._theme.hairline)

    def _paint_frame(self, painter: QPainter, frame: Frame) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, frame.shot.draft)
        images = list(frame.images)
        if self._heat is not None and self._heat[0] is frame:
            images[-1] = self._heat[1]
        if len(images) == 1 or self._first_alone:
            painter.drawImage(QRectF(self.rect()), images[0])
            return
        ratio = self.devicePixelRatioF()
        pane = (round(self.width() * ratio), round(self.height() * ratio))
        column = round(self._split * pane[0])
        painter.scale(1 / ratio, 1 / ratio)
        for image, clip in zip(
            images, (QRect(0, 0, column, pane[1]), QRect(column, 0, pane[0] - column, pane[1])), strict=True
        ):
            painter.setClipRect(clip)
            painter.drawImage(QRectF(0, 0, *pane), image)
        painter.setClipping(False)
        labels = (frame.shot.sides[0].label, frame.shot.sides[1].label)
        draw_split(painter, column, Stage(ViewTransform(), pane, ratio), labels, "#303030")
        painter.scale(ratio, ratio)

    # ------------------------------------------------------------ mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._on_split(event.position()):
            kind = "split"
        elif event.button() is Qt.MouseButton.LeftButton and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            kind = "orbit"
        else:
            kind = "move"
        self._dragged = (kind, event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is None:
            over = Qt.CursorShape.SplitHCursor if self._on_split(event.position()) else Qt.CursorShape.OpenHandCursor
            if self.cursor().shape() is not over:
                self.setCursor(over)
            self._point(event.position())
            return
        kind, before = self._dragged
        moved = event.position() - before
        self._dragged = (kind, event.position())
        if kind == "split":
            self.set_split(event.position().x() / max(1, self.width()))
        elif self._camera is not None and kind == "orbit":
            self.set_camera(self._camera.orbited(-DEGREES * moved.x(), DEGREES * moved.y()), moving=True)
        elif self._camera is not None:
            smaller = max(1, min(self.width(), self.height()))
            self.set_camera(self._camera.moved(-moved.x() / smaller, moved.y() / smaller), moving=True)

    def _point(self, position: QPointF) -> None:
        """Say where in the map the mouse points."""
        frame = self._frame
        if frame is None or not frame.shot.sides:
            return
        height, width = frame.seen.owner.shape
        row, column = int(position.y() / self.height() * height), int(position.x() / self.width() * width)
        if 0 <= row < height and 0 <= column < width and frame.seen.owner[row, column] >= 0:
            uv, _lod = frame.seen.places("light_uv", frame.shot.sides[0].light.size)
            self.hovered.emit(*uv[row, column].tolist())
        else:
            self.unhovered.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.unhovered.emit()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._dragged = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._on_split(event.position()):
            self.set_split(0.5)
        else:
            self.go_back()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._camera is not None:
            self.set_camera(self._camera.zoomed(NOTCH ** (event.angleDelta().y() / 120)), moving=True)
        event.accept()

    def go_back(self) -> None:
        """See all of the mesh again."""
        if self._mesh is not None:
            self.set_camera(self._whole(self._mesh))

    def _whole(self, mesh: Mesh) -> Camera:
        return Camera.seeing(mesh, self.width() / max(1, self.height()))

    def _on_split(self, position: QPointF) -> bool:
        return len(self._sides) > 1 and abs(position.x() - self._split * self.width()) <= GRAB

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._handle_key(Qt.Key(event.key()), repeated=event.isAutoRepeat()):
            super().keyPressEvent(event)

    def _handle_key(self, key: Qt.Key, *, repeated: bool) -> bool:
        if self._camera is not None and key in _TURNS:
            self.set_camera(self._camera.orbited(*_TURNS[key]), moving=True)
        elif self._camera is not None and key in _ZOOMS:
            self.set_camera(self._camera.zoomed(_ZOOMS[key]), moving=True)
        elif key == Qt.Key.Key_F:
            self.go_back()
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.set_split(self._split + (SPLIT_STEP if key == Qt.Key.Key_BracketRight else -SPLIT_STEP))
        elif key == Qt.Key.Key_Backslash:
            self.set_split(0.5)
        elif key == Qt.Key.Key_Space:
            self.set_first_alone(self._first_alone if repeated else True)
        else:
            return False
        return True

    def set_first_alone(self, on: bool) -> None:
        """Show the first side everywhere, as long as this is on."""
        self._first_alone = on
        self.update()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.set_first_alone(False)
        else:
            super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._focus_ring = event.reason() in KEYBOARD_FOCUS
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._focus_ring = False
        self.set_first_alone(False)

    # ------------------------------------------------------------ window

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._frame is not None:
            self._rest.start()
        self._want()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._want()


def _timed(shot: Shot, known: Seen | None) -> tuple[Frame, float]:
    """The frame, and the seconds that it took this thread."""
    begun = perf_counter()
    return render(shot, known), perf_counter() - begun
