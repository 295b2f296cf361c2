"""`PaneHeader`: whose picture this is, its rate, its score, its times and how it is getting on."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QHideEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.palette import Look
from gui.style import SMALL_PX, TEXT_PX, text_font
from gui.theme import DARK, Theme, lane_colour
from gui.views.header_layout import GAP, LABEL_GAP, STATE_WORDS, Piece, lay_out
from gui.views.model import Badge, BadgeKind, PaneModel, PaneState
from gui.widgets.marks import paint_mark

HEIGHT = 28  # px, progress line included
EDGE = 8
MARK_ROOM = 18
BADGE_HEIGHT = 18
PROGRESS = 2
PULSE_MS = 40
OVER_TEXT = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine


class PaneHeader(QWidget):
    """One line of a pane, painted; `header_layout` says what fits. The tooltip has everything."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._model = PaneModel(1, "")
        self._active = False
        self._override = ""
        self._badge_areas: list[tuple[QRectF, Badge]] = []
        self._pulse = QTimer(self, interval=PULSE_MS)
        self._pulse.timeout.connect(self._step)
        self._phase = 0.0
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_model(self, model: PaneModel) -> None:
        self._model = model
        self._keep_pulse()
        self.update()

    def set_active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            self.update()

    def set_override(self, label: str) -> None:
        """While not empty, the header says only this: what is shown instead during a flip."""
        if label != self._override:
            self._override = label
            self.update()

    @property
    def override(self) -> str:
        return self._override

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def description(self) -> str:
        """All that the header has to say, for tooltips and screen readers."""
        model = self._model
        texts = [model.label, model.rate_text, model.size_text, model.score_text, model.times_text]
        texts += [STATE_WORDS.get(model.state, ""), model.message]
        texts += [badge.tooltip or badge.text for badge in model.badges]
        return " · ".join(text for text in texts if text)

    def sizeHint(self) -> QSize:
        return QSize(320, HEIGHT)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            badge = self._badge_at(QPointF(event.pos()))
            self._tell((badge.tooltip or badge.text) if badge is not None else self.description(), event.globalPos())
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        badge = self._badge_at(event.position())
        if badge is not None and event.button() == Qt.MouseButton.LeftButton:
            self._tell(badge.tooltip or badge.text, event.globalPosition().toPoint())
        else:
            super().mouseReleaseEvent(event)

    def _badge_at(self, place: QPointF) -> Badge | None:
        return next((badge for area, badge in self._badge_areas if area.contains(place)), None)

    def _tell(self, text: str, place: QPoint) -> None:
        QToolTip.showText(place, f"<p>{escape(text)}</p>", self)  # only rich text is wrapped

    # an unknown share of work done

    def _keep_pulse(self) -> None:
        unsure = self._model.state is PaneState.RUNNING and self._model.progress is None
        wanted = unsure and self.isVisible()
        if wanted != self._pulse.isActive():
            self._pulse.start() if wanted else self._pulse.stop()

    def _step(self) -> None:
        self._phase = (self._phase + 0.02) % 1.0
        self.update(0, HEIGHT - PROGRESS, self.width(), PROGRESS)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._keep_pulse()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._keep_pulse()

    # painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        model, theme = self._model, self._theme
        number = text_font(SMALL_PX, bold=self._active)
        self._write(painter, EDGE, str(model.number), number, theme.accent if self._active else theme.dim)
        x = EDGE + QFontMetrics(text_font(SMALL_PX)).horizontalAdvance("0") + 4
        paint_mark(painter, QPointF(x + MARK_ROOM / 2, HEIGHT / 2), Look(model.colour, model.marker), theme)
        x += MARK_ROOM + 2
        self._badge_areas = []
        if self._override:
            self._write(painter, x, self._override, text_font(TEXT_PX, bold=True), theme.accent)
            return
        self._paint_texts(painter, x)
        self._paint_progress(painter)

    def _paint_texts(self, painter: QPainter, x: int) -> None:
        model, theme = self._model, self._theme
        layout = lay_out(model, self.width() - x - EDGE)
        waiting = model.state in (PaneState.STALE, PaneState.QUEUED)
        self._write(painter, x, layout.label, text_font(TEXT_PX, bold=True), theme.dim if waiting else theme.text)
        x += layout.label_width + LABEL_GAP
        for piece in layout.pieces:
            if piece.badge is None:
                colour = theme.text if model.state is PaneState.DONE else theme.dim
                self._write(painter, x, piece.text, piece.font, colour)
            else:
                self._paint_badge(painter, x, piece, piece.badge)
            x += piece.width + GAP
        if layout.aside:
            painter.setFont(text_font(SMALL_PX))
            painter.setPen(QColor(theme.error if model.state is PaneState.FAILED else theme.dim))
            area = QRectF(x, 0, self.width() - EDGE - x, HEIGHT)
            painter.drawText(area, Qt.AlignmentFlag.AlignRight | OVER_TEXT, layout.aside)

    def _paint_badge(self, painter: QPainter, x: int, piece: Piece, badge: Badge) -> None:
        theme = self._theme
        inks = {
            BadgeKind.WARN: theme.warn,
            BadgeKind.GOOD: theme.good,
            BadgeKind.BAD: theme.error,
            BadgeKind.NOTE: theme.dim,
        }
        ink = QColor(inks[badge.kind])
        area = QRectF(x, (HEIGHT - BADGE_HEIGHT) / 2, piece.width, BADGE_HEIGHT)
        ground = QColor(ink)
        ground.setAlpha(32)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 4, 4)
        painter.setPen(ink)
        painter.setFont(piece.font)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, piece.text)
        self._badge_areas.append((area, badge))

    def _write(self, painter: QPainter, x: int, text: str, font: QFont, colour: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(x, 0, self.width() - x, HEIGHT), Qt.AlignmentFlag.AlignLeft | OVER_TEXT, text)

    def _paint_progress(self, painter: QPainter) -> None:
        model = self._model
        if model.state is not PaneState.RUNNING:
            return
        if model.progress is None:
            span = self.width() // 4
            left, width = round(self._phase * (self.width() + span)) - span, span
        else:
            left, width = 0, round(self.width() * model.progress)
        line = QRect(left, HEIGHT - PROGRESS, width, PROGRESS)
        painter.fillRect(line, QColor(lane_colour(model.colour, self._theme)))
