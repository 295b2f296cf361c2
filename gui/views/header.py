"""`PaneHeader`: whose picture this is, its rate, its score, its times and how it is getting on."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.palette import Look
from gui.style import SMALL_PX, TEXT_PX, text_font
from gui.theme import DARK, Theme, lane_colour
from gui.views.model import Badge, BadgeKind, PaneModel, PaneState
from gui.widgets.marks import paint_mark

HEIGHT = 28  # px, progress line included
EDGE = 8
GAP = 8
MARKER_ROOM = 12
LABEL_LEAST = 44  # px: a label is cut before a figure goes, down to this
PROGRESS = 2
PULSE_MS = 40
WORDS = {
    PaneState.QUEUED: "queued",
    PaneState.RUNNING: "running",
    PaneState.STALE: "updating",
    PaneState.FAILED: "failed",
}


@dataclass(frozen=True)
class _Form:
    """What a header still shows; from generous to terse."""

    times: bool
    size: bool
    notes: bool  # texts of badges; else only their signs
    warnings: bool


_FORMS = (
    _Form(True, True, True, True),
    _Form(True, True, False, True),
    _Form(False, True, False, True),
    _Form(False, False, False, True),
    _Form(False, False, False, False),
)


@dataclass(frozen=True)
class _Piece:
    text: str
    bold: bool = False
    dim: bool = False
    badge: Badge | None = None


class PaneHeader(QWidget):
    """One line of a pane, painted. Where room is short: notes become signs, then times go, the size, warnings become
    signs, the label is cut; the score and the rate go last. The tooltip has everything.
    """

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
        unsure = model.state is PaneState.RUNNING and model.progress is None
        self._pulse.start() if unsure and self.isVisible() else self._pulse.stop()
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
        texts += [WORDS.get(model.state, ""), model.message]
        texts += [badge.tooltip or badge.text for badge in model.badges]
        return " · ".join(text for text in texts if text)

    def sizeHint(self) -> QSize:
        return QSize(320, HEIGHT)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            badges = [badge for area, badge in self._badge_areas if area.contains(QPointF(event.pos()))]
            text = (badges[0].tooltip or badges[0].text) if badges else self.description()
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _step(self) -> None:
        self._phase = (self._phase + 0.02) % 1.0
        self.update(0, HEIGHT - PROGRESS, self.width(), PROGRESS)

    # layout

    def _times(self) -> str:
        model = self._model
        if model.state is PaneState.DONE:
            return model.times_text
        running = model.state is PaneState.RUNNING and model.progress is not None
        percent = f" {100 * (model.progress or 0):.0f} %" if running else ""
        return WORDS[model.state] + percent

    def _pieces(self, form: _Form) -> list[_Piece]:
        """What comes after the label, in order."""
        model = self._model
        dim = model.state is not PaneState.DONE
        pieces = [_Piece(model.rate_text, dim=dim)]
        if form.size:
            pieces.append(_Piece(model.size_text, dim=dim))
        pieces.append(_Piece(model.score_text, bold=True, dim=dim))
        for badge in model.badges:
            spelt = form.warnings if badge.kind is BadgeKind.WARN else form.notes
            pieces.append(_Piece(badge.text if spelt else _sign(badge.kind), badge=badge))
        return [piece for piece in pieces if piece.text]

    def _width(self, piece: _Piece) -> int:
        size = SMALL_PX if piece.badge else TEXT_PX
        width = QFontMetrics(text_font(size, bold=piece.bold)).horizontalAdvance(piece.text)
        return width + (12 if piece.badge else 0)

    def _arrange(self, room: int, label_width: int) -> tuple[int, list[_Piece], str]:
        """Label width, pieces and times that fit into `room` px."""
        times = self._times()
        times_width = QFontMetrics(text_font(SMALL_PX)).horizontalAdvance(times) + 2 * GAP
        for form in _FORMS:
            pieces = self._pieces(form)
            needed = sum(self._width(piece) + GAP for piece in pieces) + (times_width if form.times and times else 0)
            if label_width + GAP + needed <= room:
                return label_width, pieces, times if form.times else ""
        while pieces:
            label_room = room - GAP - sum(self._width(piece) + GAP for piece in pieces)
            if label_room >= min(label_width, LABEL_LEAST):
                return min(label_width, label_room), pieces, ""
            pieces.pop()
        return min(label_width, room), [], ""

    # painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        self._badge_areas = []
        middle = (HEIGHT - PROGRESS) / 2 + 1
        x = self._paint_number(painter, EDGE)
        model = self._model
        paint_mark(painter, QPointF(x + MARKER_ROOM / 2, middle), Look(model.colour, model.marker), self._theme)
        x += MARKER_ROOM + GAP - 2
        bold = text_font(TEXT_PX, bold=True)
        label = self._override or model.label
        label_width = QFontMetrics(bold).horizontalAdvance(label) + 1
        if self._override:
            self._text(painter, x, label_width, label, bold=True, colour=self._theme.accent)
            return
        label_width, pieces, times = self._arrange(self.width() - x - EDGE, label_width)
        waiting = model.state in (PaneState.STALE, PaneState.QUEUED)
        shown = QFontMetrics(bold).elidedText(label, Qt.TextElideMode.ElideRight, label_width)
        colour = self._theme.dim if waiting else self._theme.text
        self._text(painter, x, label_width, shown, bold=True, colour=colour)
        x += label_width + GAP + 4
        for piece in pieces:
            x += self._paint_piece(painter, x, piece) + GAP
        if times:
            failed = model.state is PaneState.FAILED
            self._text(painter, x, self.width() - EDGE - x, times, size=SMALL_PX, right=True, failed=failed)
        self._paint_progress(painter)

    def _paint_number(self, painter: QPainter, x: int) -> int:
        width = QFontMetrics(text_font(SMALL_PX)).horizontalAdvance("0")
        colour = self._theme.accent if self._active else self._theme.dim
        self._text(painter, x, width + 2, str(self._model.number), size=SMALL_PX, bold=self._active, colour=colour)
        return x + width + GAP - 2

    def _paint_piece(self, painter: QPainter, x: int, piece: _Piece) -> int:
        width = self._width(piece)
        if piece.badge is None:
            colour = self._theme.dim if piece.dim else self._theme.text
            self._text(painter, x, width + 2, piece.text, bold=piece.bold, colour=colour)
            return width
        ink = QColor(
            {BadgeKind.WARN: self._theme.warn, BadgeKind.GOOD: self._theme.good}.get(piece.badge.kind, self._theme.dim)
        )
        area = QRectF(x, (HEIGHT - PROGRESS - 18) / 2 + 1, width, 18)
        ground = QColor(ink)
        ground.setAlpha(36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 4, 4)
        painter.setPen(ink)
        painter.setFont(text_font(SMALL_PX))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, piece.text)
        self._badge_areas.append((area, piece.badge))
        return width

    def _text(
        self,
        painter: QPainter,
        x: float,
        width: float,
        text: str,
        *,
        size: int = TEXT_PX,
        bold: bool = False,
        right: bool = False,
        failed: bool = False,
        colour: str = "",
    ) -> None:
        painter.setFont(text_font(size, bold=bold))
        painter.setPen(QColor(colour or (self._theme.error if failed else self._theme.dim)))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        area = QRectF(x, 0, width, HEIGHT - PROGRESS + 2)
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)

    def _paint_progress(self, painter: QPainter) -> None:
        model = self._model
        if model.state is not PaneState.RUNNING:
            return
        if model.progress is None:
            span = self.width() // 4
            left, width = round(self._phase * (self.width() + span)) - span, span
        else:
            left, width = 0, round(self.width() * model.progress)
        painter.fillRect(
            QRect(left, HEIGHT - PROGRESS, width, PROGRESS), QColor(lane_colour(model.colour, self._theme))
        )


def _sign(kind: BadgeKind) -> str:
    return {BadgeKind.WARN: "!", BadgeKind.GOOD: "✓"}.get(kind, "i")
