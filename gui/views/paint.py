"""Drawing on a canvas, in device pixels: pictures, code values in texels, crosshair, wipe line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QStaticText, QTransform

from gui.style import SMALL_PX, text_font
from gui.theme import RADIUS
from gui.views.picture import Picture, level_for
from gui.views.refine import Refiner
from gui.views.transform import Size, ViewTransform

VALUES_FROM = 28  # px a texel from which its code values are written into it
OUTLINE_FROM = 8  # px a texel from which the texel under the mouse is outlined
CROSS_ARM, CROSS_GAP = 7, 4  # px
TAG_TOP = 12  # px
HANDLE = (20, 36)  # px: the grip on the wipe line


@dataclass(frozen=True)
class Stage:
    """Where is drawn: the view, the pane's size in device pixels, device pixels a logical pixel."""

    view: ViewTransform
    pane: Size
    ratio: float


def draw_picture(painter: QPainter, picture: Picture, stage: Stage, refiner: Refiner) -> None:
    """The part of `picture` that is seen: texels as they are from 1:1 up, averaged light below."""
    view, pane = stage.view, stage.pane
    if view.scale >= 1 and picture.images[0].width() == picture.size[0]:
        refiner.not_needed()
        _draw_texels(painter, picture, stage)
        return
    left, top = view.origin(pane)
    drawn = ViewTransform(picture.size, (0, 0), view.scale).drawn_size()
    box = (max(0, -left), max(0, -top), min(drawn[0], pane[0] - left), min(drawn[1], pane[1] - top))
    if box[0] >= box[2] or box[1] >= box[3]:
        return
    target = QRect(left + box[0], top + box[1], box[2] - box[0], box[3] - box[1])
    refined = refiner.get(picture, drawn, box)
    if refined is not None:
        source = QRect(box[0] - refined.box[0], box[1] - refined.box[1], target.width(), target.height())
        painter.drawImage(target, refined.image, source)
        return
    image = picture.images[level_for(picture, view.scale)]
    ratio_x, ratio_y = image.width() / drawn[0], image.height() / drawn[1]
    source_f = QRectF(box[0] * ratio_x, box[1] * ratio_y, target.width() * ratio_x, target.height() * ratio_y)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    painter.drawImage(QRectF(target), image, source_f)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)


def visible_texels(size: Size, stage: Stage) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the texels of a picture of `size` that touch the pane; empty if right <= left."""
    view, pane = stage.view, stage.pane
    left, top = view.origin(pane)
    return (
        max(0, math.floor(-left / view.scale)),
        max(0, math.floor(-top / view.scale)),
        min(size[0], math.ceil((pane[0] - left) / view.scale)),
        min(size[1], math.ceil((pane[1] - top) / view.scale)),
    )


def _draw_texels(painter: QPainter, picture: Picture, stage: Stage) -> None:
    x0, y0, x1, y1 = visible_texels(picture.size, stage)
    if x0 >= x1 or y0 >= y1:
        return
    left, top = stage.view.origin(stage.pane)
    scale = stage.view.scale
    target = QRectF(left + x0 * scale, top + y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale)
    if scale == 1:
        painter.drawImage(target, picture.images[0], QRectF(x0, y0, x1 - x0, y1 - y0))
        return
    part = picture.images[0].copy(QRect(x0, y0, x1 - x0, y1 - y0))  # Qt magnifies only 32-bit pixels fast
    painter.drawImage(target, part.convertToFormat(QImage.Format.Format_RGB32))


def draw_values(
    painter: QPainter,
    shown: Picture,
    values: np.ndarray,
    reference: np.ndarray | None,
    stage: Stage,
) -> None:
    """Code values in every visible texel, one channel a line; differences from `reference` where it is given.

    values, reference: H×W×C of u8, u16 or f32; an alpha channel is left out. shown: what is drawn below, for contrast.
    """
    x0, y0, x1, y1 = visible_texels((values.shape[1], values.shape[0]), stage)
    if x0 >= x1 or y0 >= y1 or shown.size != (values.shape[1], values.shape[0]) or shown.is_draft:
        return
    channels = 1 if values.shape[2] <= 2 else 3
    part = values[y0:y1, x0:x1, :channels]
    signed = reference is not None and reference.shape[:2] == values.shape[:2]
    if signed and reference is not None:
        wide = np.float64 if values.dtype == np.float32 else np.int32
        part = part.astype(wide) - reference[y0:y1, x0:x1, :channels].astype(wide)
    texts = _value_texts(part, signed)
    font = _value_font(texts, channels, stage)
    if font is None:
        return
    painter.setFont(font)
    below = shown.levels[0][y0:y1, x0:x1].astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    left, top = stage.view.origin(stage.pane)
    scale, line = stage.view.scale, QFontMetricsF(font).lineSpacing()
    first_line = top + y0 * scale + (scale - channels * line) / 2
    for dark in (False, True):
        painter.setPen(QColor(0, 0, 0, 210) if dark else QColor(255, 255, 255, 225))
        for row, column in np.argwhere((below > 118) == dark).tolist():
            middle, y = left + (x0 + column + 0.5) * scale, first_line + row * scale
            for channel, value in enumerate(texts[row][column]):
                text, half = _laid_out(value, font.pixelSize())
                painter.drawStaticText(QPointF(middle - half, y + channel * line), text)


@lru_cache(maxsize=4096)
def _laid_out(text: str, pixels: int) -> tuple[QStaticText, float]:
    """A figure laid out once for many drawings, and half its width."""
    font = text_font(pixels)
    laid_out = QStaticText(text)
    laid_out.setTextFormat(Qt.TextFormat.PlainText)
    laid_out.prepare(QTransform(), font)
    return laid_out, laid_out.size().width() / 2


def _value_texts(part: np.ndarray, signed: bool) -> list[list[list[str]]]:
    """H×W×C figures: whole code values, three digits of floats; with their sign where they are differences."""
    whole = part.dtype.kind in "iu"
    form = ("{:+d}" if signed else "{:d}") if whole else ("{:+.3g}" if signed else "{:.3g}")
    return [[[form.format(v) for v in texel] for texel in row] for row in part.tolist()]


def _value_font(texts: list[list[list[str]]], lines: int, stage: Stage) -> QFont | None:
    """The largest font up to 12 px in which every value fits into a texel; None if that is unreadable."""
    room, ratio = stage.view.scale, stage.ratio
    longest = max((value for row in texts for texel in row for value in texel), key=len)
    for pixels in range(round(12 * ratio), round(7 * ratio), -1):
        metrics = QFontMetricsF(text_font(pixels))
        if metrics.lineSpacing() * lines <= room and metrics.horizontalAdvance(longest) <= room - 2 * ratio:
            return text_font(pixels)
    return None


def cross_rect(texel: tuple[int, int], stage: Stage) -> QRectF:
    """Device rectangle that the mark of `texel` may touch."""
    x, y = stage.view.to_device(texel, stage.pane)
    scale = stage.view.scale
    reach = max(scale, (CROSS_ARM + CROSS_GAP) * stage.ratio) + 2 * stage.ratio
    return QRectF(x - reach, y - reach, 2 * reach + scale, 2 * reach + scale)


def draw_cross(painter: QPainter, texel: tuple[int, int], stage: Stage, own: bool) -> None:
    """Mark a texel: an outline where texels are large, else a small cross (not in the pane that holds the mouse)."""
    view, ratio = stage.view, stage.ratio
    x, y = view.to_device(texel, stage.pane)
    pens = (QPen(QColor(0, 0, 0, 80), 3 * ratio), QPen(QColor(255, 255, 255, 200), ratio))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in pens:
        painter.setPen(pen)
        if view.scale >= OUTLINE_FROM * ratio:
            painter.drawRect(QRectF(round(x) - 0.5, round(y) - 0.5, round(view.scale) + 1, round(view.scale) + 1))
        elif not own:
            cx, cy = math.floor(x + view.scale / 2) + 0.5, math.floor(y + view.scale / 2) + 0.5
            near, far = CROSS_GAP * ratio, (CROSS_GAP + CROSS_ARM) * ratio
            for ux, uy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(QPointF(cx + ux * near, cy + uy * near), QPointF(cx + ux * far, cy + uy * far))


def draw_split(painter: QPainter, x: int, stage: Stage, labels: tuple[str, str], colour: str) -> None:
    """The wipe line at device column `x`, its grip in the middle, and at its top what lies on either side."""
    (width, height), ratio = stage.pane, stage.ratio
    line = max(1, round(ratio))
    painter.save()
    painter.fillRect(QRect(x - line, 0, 3 * line, height), QColor(0, 0, 0, 90))
    painter.fillRect(QRect(x, 0, line, height), QColor(255, 255, 255))
    grip = QRectF(0, 0, HANDLE[0] * ratio, HANDLE[1] * ratio)
    grip.moveCenter(QPointF(x + line / 2, height / 2))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(QColor(0, 0, 0, 110), ratio))
    painter.setBrush(QColor(255, 255, 255))
    painter.drawRoundedRect(grip, grip.width() / 2, grip.width() / 2)
    painter.setPen(QPen(QColor(colour), 2 * ratio, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for side in (-1, 1):
        tip = QPointF(grip.center().x() + side * 6 * ratio, grip.center().y())
        for up in (-1, 1):
            painter.drawLine(tip, QPointF(tip.x() - side * 3 * ratio, tip.y() + up * 4 * ratio))
    _draw_tag(painter, labels[0], QRectF(0, 0, x, height), ratio, right=True)
    _draw_tag(painter, labels[1], QRectF(x + line, 0, width - x - line, height), ratio, right=False)
    painter.restore()


def _draw_tag(painter: QPainter, text: str, side: QRectF, ratio: float, *, right: bool) -> None:
    """A name on a dark ground in the upper corner of `side` next to the wipe line; none where it does not fit."""
    font = text_font(round(SMALL_PX * ratio), bold=True)
    tag = QRectF(0, TAG_TOP * ratio, QFontMetricsF(font).horizontalAdvance(text) + 16 * ratio, 24 * ratio)
    gap = 8 * ratio
    tag.moveLeft(side.right() - gap - tag.width() if right else side.left() + gap)
    if not side.contains(tag):
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(16, 16, 18, 190))
    painter.drawRoundedRect(tag, 4 * ratio, 4 * ratio)
    painter.setFont(font)
    painter.setPen(QColor(255, 255, 255))
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)


def draw_lower_corners(painter: QPainter, area: QRect, ground: str, frame: str) -> None:
    """Round the lower corners of `area`, around which a frame of one pixel runs just outside. Logical pixels."""
    reach = RADIUS + 1
    outline = QRectF(area).adjusted(-0.5, -2 * reach, 0.5, 0.5)
    inside = QPainterPath()
    inside.addRoundedRect(outline, RADIUS, RADIUS)
    corners = QPainterPath()
    corners.addRect(QRectF(area.left(), area.bottom() + 1 - reach, reach, reach))
    corners.addRect(QRectF(area.right() + 1 - reach, area.bottom() + 1 - reach, reach, reach))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.fillPath(corners.subtracted(inside), QColor(ground))
    painter.setClipPath(corners)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(frame), 1))
    painter.drawRoundedRect(outline, RADIUS, RADIUS)
    painter.restore()
