"""What lies over or instead of the panes: the empty state, the drop highlight, the place for one more codec."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from gui.style import text_font
from gui.theme import DARK, RADIUS, Theme

ICON = 72  # px
STEPS = (
    "Drop a picture or a folder anywhere in this window.",
    "Every codec encodes it at the same rate; the results appear here side by side,\n"
    "with the loss of each as a map, and its rate–distortion curve below.",
)
FORMATS = "PNG · JPEG · WebP · AVIF · TIFF · BMP · OpenEXR · Radiance"


def _dashed(painter: QPainter, area: QRectF, theme: Theme, ink: str, ground_alpha: int = 0) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    pen = QPen(QColor(ink), 1.5)
    pen.setDashPattern([4, 3])
    ground = QColor(theme.accent)
    ground.setAlpha(ground_alpha)
    painter.setPen(pen)
    painter.setBrush(ground)
    painter.drawRoundedRect(area, RADIUS, RADIUS)


class _Icon(QWidget):
    """A picture, and an arrow that drops into it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = DARK
        self.setFixedSize(ICON, ICON)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        line = QPen(
            QColor(self.theme.dim), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        )
        painter.setPen(line)
        painter.drawRoundedRect(QRectF(8, 24, 56, 40), 4, 4)
        painter.drawPolyline([QPointF(9, 56), QPointF(24, 42), QPointF(34, 52), QPointF(44, 44), QPointF(63, 60)])
        painter.drawEllipse(QPointF(52, 36), 4, 4)
        line.setColor(QColor(self.theme.accent))
        painter.setPen(line)
        painter.drawLine(QPointF(28, 6), QPointF(28, 32))
        painter.drawPolyline([QPointF(20, 24), QPointF(28, 32), QPointF(36, 24)])


class EmptyState(QWidget):
    """Teaches what to drop and what will happen. Signal: `open_requested`."""

    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._icon = _Icon(self)
        self._title = QLabel("Drop pictures here", self)
        self._steps = QLabel("\n".join(STEPS), self)
        self._open = QPushButton("Open …", self)
        self._open.setCursor(Qt.CursorShape.PointingHandCursor)
        self._open.setAccessibleName("Open pictures")
        self._open.clicked.connect(self.open_requested)
        self._formats = QLabel(FORMATS, self)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(1)
        for widget in (self._icon, self._title, self._steps, self._open, self._formats):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        for label in (self._title, self._steps, self._formats):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.set_theme(DARK)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._icon.theme = theme
        self._title.setFont(text_font(18, bold=True))
        self._title.setStyleSheet(f"color: {theme.text};")
        for label in (self._steps, self._formats):
            label.setStyleSheet(f"color: {theme.dim};")
        self._open.setStyleSheet(
            f"QPushButton {{ color: {theme.on_accent}; background: {theme.accent}; border: none;"
            f" border-radius: {RADIUS}px; padding: 8px 20px; font-weight: 600; }}"
            f"QPushButton:focus {{ outline: none; border: 2px solid {theme.text}; padding: 6px 18px; }}"
        )
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.window))
        _dashed(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), self._theme, self._theme.hairline)


class AddPlace(QPushButton):
    """The free fourth place of a grid of three."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("+  Add codec", parent)
        self._theme = DARK
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Add a codec to the comparison")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        lit = self.underMouse() or self.hasFocus()
        ink = self._theme.accent if lit else self._theme.hairline
        _dashed(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), self._theme, ink)
        painter.setPen(QColor(self._theme.accent if lit else self._theme.dim))
        painter.setFont(text_font(13))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class DropHint(QWidget):
    """Over everything while something is dragged over the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_hint(self, text: str) -> None:
        self._text = text
        self.setVisible(bool(text))
        self.raise_()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        _dashed(painter, QRectF(self.rect()).adjusted(2, 2, -2, -2), self._theme, self._theme.accent, 40)
        font = text_font(16, bold=True)
        painter.setFont(font)
        card = QRectF(painter.boundingRect(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text))
        card.adjust(-20, -12, 20, 12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent))
        painter.drawRoundedRect(card, RADIUS, RADIUS)
        painter.setPen(QColor(self._theme.on_accent))
        painter.drawText(card, Qt.AlignmentFlag.AlignCenter, self._text)
