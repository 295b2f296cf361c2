"""The strip of a bake's maps in the list of sources: a thumbnail each, the shown one framed, one click to switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from gui import style
from gui.models.sources_model import BakeMap
from gui.theme import Theme, mix

GAP = 4
CAPTION = 15
WIDEST = 60  # of a thumbnail, px; it is two thirds as high
HEIGHT = WIDEST * 2 // 3 + CAPTION + GAP


def cells(strip: QRect, count: int) -> list[QRect]:
    """Where the maps of a bake lie in `strip`, side by side: the thumbnail with its caption below."""
    width = min(WIDEST, (strip.width() - GAP * (count - 1)) // max(count, 1))
    return [QRect(strip.left() + place * (width + GAP), strip.top(), width, HEIGHT - GAP) for place in range(count)]


def map_at(strip: QRect, maps: Sequence[BakeMap], pos: QPoint) -> BakeMap | None:
    """The map under the pointer."""
    pairs = zip(cells(strip, len(maps)), maps, strict=True)
    return next((each for cell, each in pairs if cell.contains(pos)), None)


def paint(
    painter: QPainter, strip: QRect, maps: Sequence[BakeMap], shown: str, thumbnail: Callable[[str], QPixmap | None]
) -> None:
    """Draw the strip. shown: the id of the map that the row stands for now."""
    theme = style.current()
    for cell, each in zip(cells(strip, len(maps)), maps, strict=True):
        picture = cell.adjusted(0, 0, 0, -CAPTION)
        paint_thumbnail(painter, picture, thumbnail(each.id), theme, failed=bool(each.error))
        chosen = each.id == shown
        if chosen:
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(picture).adjusted(-0.25, -0.25, -0.75, -0.75), 3, 3)
        painter.setFont(style.text_font(style.HEADING_PX))
        painter.setPen(QColor(theme.text if chosen else theme.dim))
        below = QRect(cell.left() - GAP // 2, picture.bottom() + 2, cell.width() + GAP, CAPTION)
        text = painter.fontMetrics().elidedText(each.label, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), text)


def paint_thumbnail(painter: QPainter, rect: QRect, pixmap: QPixmap | None, theme: Theme, *, failed: bool) -> None:
    """A picture in little; an icon in its place while there is none, or where it could not be read."""
    if pixmap is not None and not failed:
        painter.save()
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(rect), 3, 3)
        painter.setClipPath(clip)
        painter.drawPixmap(rect, pixmap)
        painter.restore()
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(mix(theme.panel, theme.error, 0.16) if failed else theme.hairline))
    painter.drawRoundedRect(QRectF(rect), 3, 3)
    icon, colour = ("warning", theme.error) if failed else ("picture", theme.dim)
    centre = rect.center()
    style.paint_icon(painter, icon, QRectF(centre.x() - 8, centre.y() - 8, 18, 18), colour)
