"""The rate lock: one target, and beside it what every codec made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from engine.trial import TargetKind
from gui import style
from gui.models.lane import LaneTag
from gui.models.units import parse_target, rate_text, size_text, target_text, target_unit
from gui.theme import GRID
from gui.widgets.chips import Chip, Chips
from gui.widgets.combo import Combo
from gui.widgets.keys import keep_keys
from gui.widgets.rate_slider import RateSlider, Stretch
from gui.widgets.themed import Themed, label

DEBOUNCE_MS = 100
KIND_WIDTH = 76


@dataclass(frozen=True)
class Achieved:
    """What a lane made of the target.

    value: in the unit of the target's kind (bpp, bytes, dB). reached: False strikes the chip; note: why, or
    how far off it is, for the tooltip. stale: a newer figure is being computed.
    """

    value: float
    reached: bool = True
    note: str = ""
    stale: bool = False


@dataclass(frozen=True)
class _Scale:
    """How the slider runs for one kind of target."""

    lo: float
    hi: float
    log: bool
    fine: float
    coarse: float
    divisor: float = 1.0


_SCALES = {
    TargetKind.BPP: _Scale(0.02, 8.0, True, 1.02, 1.25),
    TargetKind.BYTES: _Scale(1024.0, 400 * 1024.0, True, 1.02, 1.25, 1024.0),
    TargetKind.PSNR: _Scale(20.0, 50.0, False, 0.1, 1.0),
}
_KINDS = [(TargetKind.BPP, "bpp"), (TargetKind.BYTES, "KB"), (TargetKind.PSNR, "PSNR")]


def achieved_text(kind: TargetKind, value: float) -> str:
    """A chip's figure: bpp without its unit (it stands beside the target), sizes and dB with theirs."""
    if kind is TargetKind.BPP:
        return rate_text(value)
    return size_text(value) if kind is TargetKind.BYTES else f"{value:.2f} dB"


class RateLock(Themed):
    """The bar that moves every codec.

    Signal target_changed(kind, value), from the user only: kind is "bpp", "bytes" or "psnr" (`TargetKind`),
    value is in bpp, bytes or dB; ~100 ms after the last move of the slider, at once for typed values,
    on release, and when the kind changes (to the same operating point, see `set_equivalents`).
    """

    target_changed = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self._kind = TargetKind.BPP
        self._scales = dict(_SCALES)
        self._equivalents: dict[TargetKind, float] = {}
        self._lanes: list[LaneTag] = []
        self._achieved: dict[str, Achieved] = {}
        self._sent: tuple[TargetKind, float] | None = None
        self.setAccessibleName("Rate lock")
        self.kind = Combo("What the target is")
        self.kind.set_choices([(str(kind), text) for kind, text in _KINDS])
        self.kind.setFixedWidth(KIND_WIDTH)
        self.kind.currentIndexChanged.connect(self._kind_chosen)
        self.slider = RateSlider()
        self.slider.value_changed.connect(self._slid)
        self.slider.released.connect(self._send)
        self.field = QLineEdit()
        self.field.setFont(style.text_font(17, bold=True))
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFixedWidth(86)
        self.field.setAccessibleName("Rate lock value")
        self.field.setToolTip("The target: type a number, with a unit if you like (0.25 bpp, 24 KB, 35 dB)")
        self.field.editingFinished.connect(self._typed)
        self.field.installEventFilter(self)
        keep_keys(self.field, Qt.Key.Key_Escape, Qt.Key.Key_Up, Qt.Key.Key_Down)
        self.unit = label("bpp", "dim")
        self.unit.setFixedWidth(28)
        self.chips = Chips("Achieved by each codec")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._send)
        self._build()
        self._rescale()
        self.set_target(TargetKind.BPP, 0.5)

    def _build(self) -> None:
        name = label("Rate lock")
        name.setFont(style.text_font(bold=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * GRID, GRID, 3 * GRID, GRID)
        row.setSpacing(2 * GRID)
        row.addWidget(name)
        row.addWidget(self.kind)
        row.addWidget(self.slider, 4)
        row.addWidget(self.field)
        row.addWidget(self.unit)
        row.addSpacing(GRID)
        row.addWidget(self.chips)

    # ------------------------------------------------------------ data

    def target(self) -> tuple[str, float]:
        """Kind ("bpp", "bytes", "psnr") and value (bpp, bytes, dB) as shown."""
        return str(self._kind), self.slider.value_now()

    def set_target(self, kind: TargetKind | str, value: float) -> None:
        """Show a target, without a signal. A value outside the slider's range widens the range."""
        kind = TargetKind(kind)
        scale = self._scales[kind]
        if not scale.lo <= value <= scale.hi:
            self._scales[kind] = replace(scale, lo=min(scale.lo, value), hi=max(scale.hi, value))
        if kind is not self._kind or scale is not self._scales[kind]:
            self._kind = kind
            self.kind.set_key(str(kind))
            self._rescale()
        self.slider.set_value(value)
        self._sent = (kind, self.slider.value_now())
        self._equivalents[kind] = value
        self._timer.stop()
        self._show_value()
        self._show_chips()

    def set_range(self, kind: TargetKind | str, lo: float, hi: float) -> None:
        """The slider's ends for one kind of target, 0 < lo < hi, in bpp, bytes or dB."""
        kind = TargetKind(kind)
        self._scales[kind] = replace(self._scales[kind], lo=lo, hi=hi)
        if kind is self._kind:
            value = self.slider.value_now()
            self._rescale()
            self.slider.set_value(value)

    def set_quality(self, name: str, lo: float, hi: float) -> None:
        """What a target in dB means for the picture, and the slider's range for it."""
        self.kind.set_choices([(str(kind), name if kind is TargetKind.PSNR else text) for kind, text in _KINDS])
        self.kind.setFixedWidth(max(KIND_WIDTH, self.kind.sizeHint().width()))
        self.set_range(TargetKind.PSNR, lo, hi)

    def set_equivalents(self, equivalents: Mapping[TargetKind, float]) -> None:
        """The operating point in every kind that is known: a change of kind starts from these values.

        For instance bpp and bytes by the picture's size, and the PSNR that the leading lane has there.
        """
        self._equivalents.update(equivalents)

    def set_lanes(self, lanes: Sequence[LaneTag]) -> None:
        """The lanes in the order of their chips; what they achieved stays known."""
        self._lanes = list(lanes)
        ids = {lane.id for lane in lanes}
        self._achieved = {key: value for key, value in self._achieved.items() if key in ids}
        self._show_chips()

    def set_achieved(self, lane_id: str, achieved: Achieved | None) -> None:
        """What a lane made of the target; None while nothing is known (no chip)."""
        if achieved is None:
            self._achieved.pop(lane_id, None)
        else:
            self._achieved[lane_id] = achieved
        self._show_chips()

    def set_unreachable(self, stretches: Sequence[tuple[str, float, float]]) -> None:
        """What lanes cannot reach: (lane id, lo, hi) in the unit of the current kind; ends may be ±inf."""
        lanes = {lane.id: lane for lane in self._lanes}
        self.slider.set_stretches([Stretch(lanes[key], lo, hi) for key, lo, hi in stretches if key in lanes])

    def step(self, count: int, *, coarse: bool = False) -> None:
        """Move the target as the arrow keys do (for shortcuts of the window): 2 % or 0.1 dB; coarse 25 % or 1 dB."""
        self.slider.step(count, coarse=coarse)

    # ------------------------------------------------------------ the user

    def _rescale(self) -> None:
        scale = self._scales[self._kind]
        self.slider.set_scale(
            scale.lo,
            scale.hi,
            log=scale.log,
            fine=scale.fine,
            coarse=scale.coarse,
            unit=target_unit(self._kind),
            scale=scale.divisor,
        )
        self.unit.setText(target_unit(self._kind))

    def _kind_chosen(self) -> None:
        kind = TargetKind(self.kind.key())
        if kind is self._kind:
            return
        scale = self._scales[kind]
        middle = math.sqrt(scale.lo * scale.hi) if scale.log else (scale.lo + scale.hi) / 2
        self._achieved.clear()  # figures in the old unit
        self.set_target(kind, self._equivalents.get(kind, middle))
        self.target_changed.emit(*self.target())

    def _slid(self, _value: float) -> None:
        self._left(self.slider.value_now())
        self._show_value()
        self._timer.start()

    def _typed(self) -> None:
        value = parse_target(self._kind, self.field.text())
        if value is not None and target_text(self._kind, value) != target_text(self._kind, self.slider.value_now()):
            self._left(value)
            self.set_target(self._kind, value)
            self.target_changed.emit(*self.target())
        self._show_value()

    def _left(self, value: float) -> None:
        """The user moved the target: bpp and bytes move together, the quality there is not known yet."""
        ratio = value / self._equivalents.get(self._kind, value)
        rates = (TargetKind.BPP, TargetKind.BYTES)
        known = {kind: old * ratio for kind, old in self._equivalents.items() if kind in rates and self._kind in rates}
        self._equivalents = {**known, self._kind: value}

    def _send(self) -> None:
        self._timer.stop()
        now = (self._kind, self.slider.value_now())
        if now != self._sent:
            self._sent = now
            self.target_changed.emit(*self.target())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps: dict[int, int] = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
            if event.key() in steps:
                coarse = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                self.step(steps[event.key()], coarse=coarse)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._show_value()
                self.slider.setFocus()
                return True
        return super().eventFilter(watched, event)

    # ------------------------------------------------------------ looks

    def _show_value(self) -> None:
        self.field.setText(target_text(self._kind, self.slider.value_now()))

    def _show_chips(self) -> None:
        chips = []
        for lane in self._lanes:
            got = self._achieved.get(lane.id)
            if got is not None:
                tip = got.note or ("" if got.reached else "cannot reach the target")
                chips.append(Chip(lane, achieved_text(self._kind, got.value), tip, got.reached, got.stale))
        self.chips.set_chips(chips)
