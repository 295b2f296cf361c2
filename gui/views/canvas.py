"""`PictureCanvas`: shows one rendition, or two beside a wipe line, and turns gestures into a change of view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import DARK, Theme
from gui.views.linked import LinkedView
from gui.views.paint import (
    VALUES_FROM,
    Stage,
    cross_rect,
    draw_cross,
    draw_lower_corners,
    draw_picture,
    draw_split,
    draw_values,
)
from gui.views.refine import Refiner
from gui.views.region_brush import RegionBrush
from gui.views.rendition import Rendition
from gui.views.transform import Size, clamp

NOTCH = 2 ** (1 / 3)  # zoom of one wheel notch
KEY_ZOOM = 2**0.5
KEY_PAN = 64  # px
GRAB = 10  # px on either side of the wipe line where it is taken hold of
SPLIT_STEP = 0.02
KEYBOARD_FOCUS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class PictureCanvas(QWidget):
    """Draws renditions; wheel and pinch zoom to the cursor, a drag pans, a double click toggles fit and 1:1.
    The wipe line can be taken hold of anywhere along it; a double click on it brings it back to the middle.

    Keys when focused: F fit, Z 1:1, + and - zoom, Shift+arrows pan, [ and ] move the wipe line, \\ centres it.

    Signals: `hovered(x, y)` texel under the mouse; `unhovered()`; `pressed()` a mouse button or the focus came here;
    `split_moved(fraction)`.
    """

    hovered = Signal(int, int)
    unhovered = Signal()
    pressed = Signal()
    split_moved = Signal(float)

    def __init__(self, linked: LinkedView, refiner: Refiner, brush: RegionBrush, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._linked = linked
        self._brush = brush
        self._pointer: QPointF | None = None
        self._refiner = refiner
        self._theme = DARK
        self._base: Rendition | None = None
        self._second: Rendition | None = None
        self._override: Rendition | None = None
        self._reference: Rendition | None = None
        self._split = 0.5
        self._placeholder = ""
        self._drag_from: QPointF | None = None
        self._dragging_split = False
        self._focus_ring = False
        self._frame = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(48, 48)
        linked.changed.connect(self.update)
        brush.changed.connect(self.update)
        linked.hover_changed.connect(self._hover_moved)
        refiner.refined.connect(self.update)

    # what is shown

    def show_renditions(self, base: Rendition | None, second: Rendition | None = None) -> None:
        """Show `base`; with `second`, base left of the wipe line and second right of it."""
        for old in (self._base, self._second):
            if old is not None:
                old.pixels_changed.disconnect(self.update)
        self._base, self._second = base, second
        for new in (base, second):
            if new is not None:
                new.pixels_changed.connect(self.update)
        self.update()

    def set_override(self, rendition: Rendition | None) -> None:
        """While set, this rendition's picture (never its map) is drawn instead, in the same place: hold to flip."""
        if rendition is not self._override:
            self._override = rendition
            self.update()

    def set_reference(self, rendition: Rendition | None) -> None:
        """The original: kept ready for a flip; in a map's texels the differences from its values are written."""
        self._reference = rendition
        self.update()

    def set_split(self, fraction: float) -> None:
        """Place the wipe line, 0 left … 1 right."""
        fraction = clamp(fraction, 0.0, 1.0)
        if fraction != self._split:
            self._split = fraction
            self.update()
            self.split_moved.emit(fraction)

    @property
    def split(self) -> float:
        return self._split

    def set_placeholder(self, text: str) -> None:
        """What is said in the middle while there are no pixels."""
        if text != self._placeholder:
            self._placeholder = text
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_frame(self, colour: str) -> None:
        """Colour of the rounded frame of which the two lower corners lie in here."""
        if colour != self._frame:
            self._frame = colour
            self.update()

    # geometry

    @property
    def ratio(self) -> float:
        """Device pixels a logical pixel."""
        return self.devicePixelRatioF()

    def device_size(self) -> Size:
        return max(1, round(self.width() * self.ratio)), max(1, round(self.height() * self.ratio))

    def texel_at(self, position: QPointF) -> tuple[int, int] | None:
        """The texel under a logical position, or None."""
        return self._linked.transform.texel(self._device(position), self.device_size())

    def _device(self, position: QPointF) -> tuple[float, float]:
        return position.x() * self.ratio, position.y() * self.ratio

    def _stage(self) -> Stage:
        return Stage(self._linked.transform, self.device_size(), self.ratio)

    def _split_column(self) -> int:
        return round(self._split * self.device_size()[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_size()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell_size()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._linked.set_pane(self, None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._tell_size()
        if isinstance(event, QNativeGestureEvent) and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture:
            self._linked.zoom(1 + event.value(), self.device_size(), self._device(event.position()))
            return True
        return super().event(event)

    def _tell_size(self) -> None:
        if self.isVisible():
            self._linked.set_pane(self, self.device_size(), self.ratio)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._theme.surround))
        stage = self._stage()
        ratio, pane = stage.ratio, stage.pane
        painter.scale(1 / ratio, 1 / ratio)
        left = self._override or self._base
        if left is not None:
            right = self._second if self._override is None else None
            column = self._split_column() if self._second is not None else pane[0]
            self._paint_side(painter, left, QRect(0, 0, column if right else pane[0], pane[1]))
            if right is not None:
                self._paint_side(painter, right, QRect(column, 0, pane[0] - column, pane[1]))
            if self._second is not None:
                labels = (left.model.label, (right or left).model.label)
                draw_split(painter, column, stage, labels, self._theme.accent if self._focus_ring else "#303030")
        if self._brush.on and left is not None:
            self._paint_region(painter, stage)
        if self._linked.hover is not None and left is not None and not (self._brush.on and self._pointer):
            own = self._linked.hover_owner is self
            draw_cross(painter, self._linked.hover, stage, own)
        painter.scale(ratio, ratio)
        if self._placeholder and (left is None or left.shown is None):
            painter.setPen(QColor(self._theme.text))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._placeholder)
        if self._focus_ring:
            painter.setPen(QPen(QColor(self._theme.accent), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        if self._frame:
            draw_lower_corners(painter, self.rect(), self._theme.window, self._frame)
        self._prepare_flip()

    def _paint_side(self, painter: QPainter, rendition: Rendition, clip: QRect) -> None:
        flipped = rendition is self._override
        picture = rendition.picture if flipped else rendition.shown
        if picture is None or clip.isEmpty():
            return
        stage = self._stage()
        painter.save()
        painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
        draw_picture(painter, picture, stage, self._refiner)
        if rendition.values is not None and stage.view.scale >= VALUES_FROM * stage.ratio:
            reference = self._reference.values if self._reference and rendition.has_heat and not flipped else None
            draw_values(painter, picture, rendition.values, reference, stage)
        painter.restore()

    def _paint_region(self, painter: QPainter, stage: Stage) -> None:
        """What is painted, tinted over the original and outlined over the others, and the brush."""
        original = self._base is self._reference and self._second is None
        self._brush.draw(painter, stage, tinted=original)
        if self._pointer is not None:
            self._brush.draw_cursor(painter, QPointF(*self._device(self._pointer)), stage)

    def _prepare_flip(self) -> None:
        if self._reference is not None and self._reference.picture is not None and self._linked.scale < 1:
            self._refiner.want(self._reference.picture)

    def _hover_moved(self, old: tuple[int, int] | None, new: tuple[int, int] | None) -> None:
        for texel in (old, new):
            if texel is not None:
                area = cross_rect(texel, self._stage())
                logical = QRectF(area.topLeft() / self.ratio, area.size() / self.ratio)
                self.update(logical.toAlignedRect())

    # mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if notches:
            self._linked.zoom(NOTCH**notches, self.device_size(), self._device(event.position()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._takes_stroke(event):
            self._brush.begin(*self._place_of(event.position()))
            return
        self.pressed.emit()
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._dragging_split = self._on_split(event.position())
            self._drag_from = event.position()
            self._show_cursor(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._brush.on:
            self._pointer = event.position()
            self.update()
        if self._brush.painting:
            self._brush.go_on(*self._place_of(event.position()))
            self._hover(event.position())
            return
        if self._drag_from is not None and self._dragging_split:
            self.set_split(event.position().x() / max(1, self.width()))
        elif self._drag_from is not None:
            moved = event.position() - self._drag_from
            self._drag_from = event.position()
            self._linked.pan(moved.x() * self.ratio, moved.y() * self.ratio)
        self._show_cursor(event.position())
        self._hover(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._brush.painting:
            self._brush.end()
            return
        self._drag_from = None
        self._dragging_split = False
        self._show_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self._takes_stroke(event):
            self._brush.begin(*self._place_of(event.position()))
            return
        if self._on_split(event.position()):
            self.set_split(0.5)
        elif self._linked.fits:
            self._linked.one_to_one(self.device_size(), self._device(event.position()))
        else:
            self._linked.fit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._pointer = None
        self.update()
        if self._linked.hover_owner is self:
            self._linked.set_hover(None, None)
        self.unhovered.emit()

    def _hover(self, position: QPointF) -> None:
        texel = self.texel_at(position)
        inside = texel is not None and self._base is not None and self._base.shown is not None
        if inside and texel is not None:
            self._linked.set_hover(texel, self)
            self.hovered.emit(*texel)
        elif self._linked.hover is not None:
            self._linked.set_hover(None, None)
            self.unhovered.emit()

    def _takes_stroke(self, event: QMouseEvent) -> bool:
        """Whether this press begins a stroke of the brush; the middle button still moves the picture."""
        left = event.button() is Qt.MouseButton.LeftButton
        return self._brush.on and left and self._base is not None and not self._on_split(event.position())

    def _place_of(self, position: QPointF) -> tuple[float, float]:
        """Where a logical position lies on the picture, in texels; outside of it too."""
        return self._linked.transform.to_image(self._device(position), self.device_size())

    def _on_split(self, position: QPointF) -> bool:
        column = self._split_column() / self.ratio
        return self._second is not None and abs(position.x() - column) <= GRAB

    def _show_cursor(self, position: QPointF) -> None:
        if self._dragging_split or (self._drag_from is None and self._on_split(position)):
            shape = Qt.CursorShape.SplitHCursor
        elif self._drag_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._brush.on:
            shape = Qt.CursorShape.BlankCursor  # the ring of the brush stands for it
        else:
            shape = Qt.CursorShape.CrossCursor
        if self.cursor().shape() is not shape:
            self.setCursor(shape)

    # keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._handle_key(event):
            event.ignore()

    def _handle_key(self, event: QKeyEvent) -> bool:
        key, pane = Qt.Key(event.key()), self.device_size()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = KEY_PAN * self.ratio
        arrows = {
            Qt.Key.Key_Left: QPoint(1, 0),
            Qt.Key.Key_Right: QPoint(-1, 0),
            Qt.Key.Key_Up: QPoint(0, 1),
            Qt.Key.Key_Down: QPoint(0, -1),
        }
        if key in arrows and shift:
            self._linked.pan(arrows[key].x() * step, arrows[key].y() * step)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._linked.zoom(KEY_ZOOM, pane)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self._linked.zoom(1 / KEY_ZOOM, pane)
        elif key == Qt.Key.Key_F:
            self._linked.fit()
        elif key == Qt.Key.Key_Z:
            self._linked.one_to_one(pane)
        elif self._second is not None and key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.set_split(self._split + (SPLIT_STEP if key == Qt.Key.Key_BracketRight else -SPLIT_STEP))
        elif self._second is not None and key == Qt.Key.Key_Backslash:
            self.set_split(0.5)
        else:
            return False
        return True

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._focus_ring = event.reason() in KEYBOARD_FOCUS
        if self._focus_ring:
            self.pressed.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._focus_ring = False
        self.update()
