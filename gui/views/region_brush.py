"""The brush with which a region is painted over the panes: what it has painted, drawn so that any picture lets it be
seen, and the strokes of the mouse."""

from __future__ import annotations

from functools import cache

import numpy as np
from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen

from engine.importance import CELL, LIMIT
from gui.painted import brush
from gui.views.paint import Stage

MORE_TINT = (110, 168, 240)  # whatever the theme: it lies on the picture
HATCH = 8  # px between the lines over what is less important
TINT = (0.16, 0.42)  # opacity of the weakest and of the strongest level


class RegionBrush(QObject):
    """What all canvases share of the painting.

    Signals: `changed()` draw anew; `finished(steps)` a stroke ended that changed something (rows×columns i8).
    """

    changed = Signal()
    finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.on = False
        self.level = LIMIT
        self.radius = 48.0  # texels
        self._steps: np.ndarray | None = None
        self._size = (1, 1)
        self._at: tuple[float, float] | None = None
        self._dirty = False
        self._image: QImage | None = None
        self._lines: dict[int, list[QLineF]] = {}
        self._less: list[tuple[int, int, int]] | None = None

    # -- what there is

    def set_region(self, steps: np.ndarray | None, size: tuple[int, int]) -> None:
        """Show this map (it is kept, and changed by strokes) of a picture of width × height; None: no picture."""
        self._steps, self._size = steps, size
        self._stale()

    def set_brush(self, level: int, radius: float) -> None:
        """level: what is painted, 0 erases. radius: texels."""
        self.level, self.radius = level, radius
        self.changed.emit()

    def set_on(self, on: bool) -> None:
        if on != self.on:
            self.on, self._at = on, None
            self.changed.emit()

    @property
    def steps(self) -> np.ndarray | None:
        return self._steps

    @property
    def painting(self) -> bool:
        """Whether a stroke is under way."""
        return self._at is not None

    # -- strokes, in texels

    def begin(self, x: float, y: float) -> None:
        """The button went down here."""
        self._at, self._dirty = (x, y), False
        self.go_on(x, y)

    def go_on(self, x: float, y: float) -> None:
        """The mouse moved here, with the button down."""
        if self._at is None or self._steps is None:
            return
        if brush(self._steps, self._at, (x, y), self.radius, self.level):
            self._dirty = True
            self._stale()
        self._at = (x, y)

    def end(self) -> None:
        """The button went up."""
        self._at = None
        if self._dirty and self._steps is not None:
            self._dirty = False
            self.finished.emit(self._steps.copy())

    def _stale(self) -> None:
        self._image, self._lines, self._less = None, {}, None
        self.changed.emit()

    # -- drawing, in device pixels

    def draw(self, painter: QPainter, stage: Stage, *, tinted: bool) -> None:
        """What is painted: tinted where that is wished, outlined in any case."""
        if self._steps is None or not self._steps.any() or stage.view.image != self._size:
            return
        left, top = stage.view.origin(stage.pane)
        scale = stage.view.scale * CELL
        rows, columns = self._steps.shape
        painter.save()
        width, height = stage.view.drawn_size()
        painter.setClipRect(QRectF(left, top, width, height), Qt.ClipOperation.IntersectClip)
        if tinted:
            painter.drawImage(QRectF(left, top, columns * scale, rows * scale), self._tints())
            self._hatch(painter, stage, (left, top), scale)
        painter.translate(left, top)
        self._outline(painter, stage, scale)
        painter.restore()

    def draw_cursor(self, painter: QPainter, middle: QPointF, stage: Stage) -> None:
        """A ring as large as the brush."""
        radius = max(self.radius * stage.view.scale, 3 * stage.ratio)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in _pens(stage.ratio, dashed=self.level < 0):
            painter.setPen(pen)
            painter.drawEllipse(middle, radius, radius)
        painter.restore()

    def _tints(self) -> QImage:
        """A pixel a cell: light blue where more important, black where less, the stronger the more so."""
        if self._image is None:
            assert self._steps is not None
            strength = np.abs(self._steps.astype(np.float32)) / LIMIT
            alpha = np.where(strength > 0, TINT[0] + (TINT[1] - TINT[0]) * strength, 0) * 255
            rgba = np.zeros((*self._steps.shape, 4), np.uint8)
            rgba[self._steps > 0, :3] = MORE_TINT
            rgba[:, :, 3] = np.rint(alpha)
            rows, columns = self._steps.shape
            self._image = QImage(rgba.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()
        return self._image

    def _hatch(self, painter: QPainter, stage: Stage, origin: tuple[int, int], scale: float) -> None:
        """Lines across what is less important, which black cannot darken where the picture is black."""
        assert self._steps is not None
        if self._less is None:
            self._less = _runs(np.argwhere(self._steps < 0))
        left, top = origin
        side = round(HATCH * stage.ratio)
        painter.setBrushOrigin(left, top)
        brush = QBrush(_tile(side))
        for row, begin, end in self._less:
            painter.fillRect(QRectF(left + begin * scale, top + row * scale, (end - begin) * scale, scale), brush)

    def _outline(self, painter: QPainter, stage: Stage, scale: float) -> None:
        """Borders between levels: light on dark, so that one of both is seen; dashed around what is less important."""
        for sign in (1, -1):
            edges = self._edges(sign)
            if not edges:
                continue
            drawn = [QLineF(e.x1() * scale, e.y1() * scale, e.x2() * scale, e.y2() * scale) for e in edges]
            for pen in _pens(stage.ratio, dashed=sign < 0):
                painter.setPen(pen)
                painter.drawLines(drawn)

    def _edges(self, sign: int) -> list[QLineF]:
        """The borders of all cells of this sign against others, in cells; runs along a line are one."""
        if sign not in self._lines:
            assert self._steps is not None
            inside = np.pad(self._steps * sign > 0, 1)
            across = np.argwhere(inside[1:, 1:-1] != inside[:-1, 1:-1])
            down = np.argwhere(inside[1:-1, 1:] != inside[1:-1, :-1])[:, ::-1]
            down = down[np.lexsort((down[:, 1], down[:, 0]))]
            self._lines[sign] = [
                *(QLineF(begin, line, end, line) for line, begin, end in _runs(across)),
                *(QLineF(line, begin, line, end) for line, begin, end in _runs(down)),
            ]
        return self._lines[sign]


@cache
def _tile(side: int) -> QImage:
    """A line from corner to corner of side×side px, which goes on in the next tile."""
    pixels = np.zeros((side, side), np.uint32)
    pixels[np.arange(side), side - 1 - np.arange(side)] = 0x50505050  # white of 31 %, premultiplied
    return QImage(pixels.tobytes(), side, side, 4 * side, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _runs(places: np.ndarray) -> list[tuple[int, int, int]]:
    """(line, place) in order to (line, first, behind the last) of places that follow one another."""
    if not len(places):
        return []
    breaks = np.flatnonzero((places[1:, 0] != places[:-1, 0]) | (places[1:, 1] != places[:-1, 1] + 1)) + 1
    first, last = places[np.r_[0, breaks]], places[np.r_[breaks, len(places)] - 1]
    return [(line, begin, end + 1) for (line, begin), end in zip(first.tolist(), last[:, 1].tolist(), strict=True)]


def _pens(ratio: float, *, dashed: bool) -> tuple[QPen, QPen]:
    pens = QPen(QColor(0, 0, 0, 170), 3 * ratio), QPen(QColor(255, 255, 255, 235), ratio)
    for pen in pens:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dashed:
        pens[1].setDashPattern([4, 3])
    return pens
