"""What of a pane's header fits into a width. Measures text, paints nothing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics

from gui.style import SMALL_PX, TEXT_PX, text_font
from gui.views.model import Badge, BadgeKind, PaneModel, PaneState

GAP = 8  # px between pieces
LABEL_GAP = 12  # px after the label
BADGE_PADDING = 12  # px, both sides together
LABEL_LEAST = 44  # px: a label is cut before a figure goes, down to this
STATE_WORDS = {
    PaneState.QUEUED: "queued",
    PaneState.RUNNING: "running",
    PaneState.STALE: "updating",
    PaneState.FAILED: "failed",
}
SIGNS = {BadgeKind.NOTE: "i", BadgeKind.WARN: "!", BadgeKind.GOOD: "✓", BadgeKind.BAD: "✗"}
_SPELT_LONG = (BadgeKind.WARN, BadgeKind.BAD)


@dataclass(frozen=True)
class Piece:
    """A figure, or a badge as its text or sign."""

    text: str
    bold: bool = False
    badge: Badge | None = None

    @property
    def font(self) -> QFont:
        return text_font(SMALL_PX if self.badge else TEXT_PX, bold=self.bold)

    @property
    def width(self) -> int:
        return QFontMetrics(self.font).horizontalAdvance(self.text) + (BADGE_PADDING if self.badge else 0)


@dataclass(frozen=True)
class HeaderLayout:
    """label: elided to label_width. pieces: left to right after it. aside: at the right end, "" when left out."""

    label: str
    label_width: int
    pieces: tuple[Piece, ...]
    aside: str


@dataclass(frozen=True)
class _Form:
    """What is still shown; from generous to terse."""

    aside: bool = True
    size: bool = True
    notes: bool = True  # as texts; else as signs
    warnings: bool = True


_FORMS = (
    _Form(),
    _Form(notes=False),
    _Form(notes=False, aside=False),
    _Form(notes=False, aside=False, size=False),
    _Form(notes=False, aside=False, size=False, warnings=False),
)


def aside_text(model: PaneModel) -> str:
    """What stands at the right end: the times, or how it is getting on."""
    if model.state is PaneState.DONE:
        return model.times_text
    known = model.state is PaneState.RUNNING and model.progress is not None
    return STATE_WORDS[model.state] + (f" {100 * (model.progress or 0):.0f} %" if known else "")


def lay_out(model: PaneModel, room: int) -> HeaderLayout:
    """Fit `model` into `room` px behind the mark.

    Where it is short: notes become signs, then the right end goes, the size, warnings become signs, and the label is
    cut. Then badges, the score and at last the rate go.
    """
    bold = QFontMetrics(text_font(TEXT_PX, bold=True))
    full = bold.horizontalAdvance(model.label) + 1
    aside = aside_text(model)
    aside_width = QFontMetrics(text_font(SMALL_PX)).horizontalAdvance(aside) + 2 * GAP if aside else 0
    pieces: list[Piece] = []
    for form in _FORMS:
        pieces = _pieces(model, form)
        if full + _width(pieces) + (aside_width if form.aside else 0) <= room:
            return HeaderLayout(model.label, full, tuple(pieces), aside if form.aside else "")
    while pieces and room - _width(pieces) < min(full, LABEL_LEAST):
        pieces.pop()
    width = min(full, room - _width(pieces))
    return HeaderLayout(bold.elidedText(model.label, Qt.TextElideMode.ElideRight, width), width, tuple(pieces), "")


def _width(pieces: list[Piece]) -> int:
    return LABEL_GAP + sum(piece.width + GAP for piece in pieces) if pieces else 0


def _pieces(model: PaneModel, form: _Form) -> list[Piece]:
    pieces = [Piece(model.rate_text)]
    if form.size:
        pieces.append(Piece(model.size_text))
    pieces.append(Piece(model.score_text, bold=True))
    for badge in model.badges:
        spelt = form.warnings if badge.kind in _SPELT_LONG else form.notes
        pieces.append(Piece(badge.text if spelt else badge.sign or SIGNS[badge.kind], badge=badge))
    return [piece for piece in pieces if piece.text]
