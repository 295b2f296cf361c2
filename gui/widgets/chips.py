"""What each lane achieved, as chips: mark and figure; struck through and hatched where the target is out of reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui import style
from gui.models.lane import LaneTag
from gui.theme import RADIUS, Theme, mix
from gui.widgets.marks import paint_mark

_GAP = 6
_HEIGHT = 22


@dataclass(frozen=True)
class Chip:
    """text: the figure with as much unit as needed. reached: False strikes it. stale: a newer one is computing."""

    lane: LaneTag
    text: str
    tip: str = ""
    reached: bool = True
    stale: bool = False


class Chips(QWidget):
    """Chips in a row, right-aligned. Those without room are counted in a last "+2", whose tooltip names them."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: list[Chip] = []
        self.setAccessibleName(name)
        self.setFont(style.text_font(style.SMALL_PX))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_chips(self, chips: Sequence[Chip]) -> None:
        self._chips = list(chips)
        self.setAccessibleDescription(", ".join(f"{c.lane.label} {c.text}" for c in self._chips))
        self.updateGeometry()
        self.update()

    def chips(self) -> list[Chip]:
        return list(self._chips)

    def _width(self, chip: Chip) -> int:
        return 26 + self.fontMetrics().horizontalAdvance(chip.text)

    def sizeHint(self) -> QSize:
        return QSize(sum(self._width(chip) + _GAP for chip in self._chips), 26)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 120), 26)

    def layout_chips(self) -> tuple[list[tuple[QRectF, Chip]], list[Chip]]:
        """Where each chip lies, and those that found no room."""
        room, shown = self.width(), list(self._chips)
        widths = [self._width(chip) + _GAP for chip in shown]
        rest: list[Chip] = []
        while shown and sum(widths) + (34 if rest else 0) - _GAP > room:
            rest.insert(0, shown.pop())
            widths.pop()
        x = room - sum(widths) + _GAP - (34 if rest else 0)
        top = (self.height() - _HEIGHT) / 2
        out = []
        for chip, width in zip(shown, widths, strict=True):
            out.append((QRectF(x + 0.5, top + 0.5, width - _GAP - 1, _HEIGHT - 1), chip))
            x += width
        return out, rest

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            placed, rest = self.layout_chips()
            tips = [_tip(chip) for rect, chip in placed if rect.contains(QPointF(event.pos()))]
            over = not placed or event.pos().x() > placed[-1][0].right()
            text = tips[0] if tips else "\n".join(_tip(chip) for chip in rest) if over else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        placed, rest = self.layout_chips()
        for rect, chip in placed:
            _paint(painter, rect, chip, theme)
        if rest:
            painter.setPen(QColor(theme.dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"+{len(rest)}")


def _tip(chip: Chip) -> str:
    return "\n".join(line for line in (f"{chip.lane.label}: {chip.text}", chip.tip) if line)


def _paint(painter: QPainter, rect: QRectF, chip: Chip, theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.hairline)))
    painter.setBrush(QColor(mix(theme.panel, theme.raised, 0.7)))
    painter.drawRoundedRect(rect, RADIUS, RADIUS)
    if not chip.reached:
        painter.setPen(Qt.PenStyle.NoPen)
        hatch = QColor(theme.warn)
        hatch.setAlphaF(0.45)
        painter.setBrush(QBrush(hatch, Qt.BrushStyle.BDiagPattern))
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    painter.setOpacity(0.55 if chip.stale else 1.0)
    paint_mark(painter, QPointF(rect.left() + 11, rect.center().y()), chip.lane.look, theme, 8)
    painter.setPen(QColor(theme.text))
    font = style.text_font(style.SMALL_PX)
    font.setStrikeOut(not chip.reached)
    painter.setFont(font)
    painter.drawText(rect.adjusted(20, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), chip.text)
    painter.setOpacity(1.0)
