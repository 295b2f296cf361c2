"""The status bar: the pixel under the pointer at the left, the work in hand at the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from engine.light import TOE
from gui import style
from gui.models.direction import angle_text, direction_text
from gui.models.units import MINUS, signed
from gui.theme import GRID
from gui.widgets.elided import ElidedLabel
from gui.widgets.themed import Themed, label

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear BT.709


@dataclass(frozen=True)
class PixelReadOut:
    """Values under the pointer. decoded: (lane label, values) of the pane it is over, if it shows a codec.
    maps: what its maps say there, in words.

    Values are per channel, in code values of the original's depth (whole), or linear light (float), which is shown
    with its luminance in stops from 1.0, and its differences in stops. directions: of a direction map, the code values
    that stand for 1, of the original and of the decoded one; it is shown as −1 … 1, and its difference as an angle.
    """

    x: int
    y: int
    original: Sequence[float]
    decoded: tuple[str, Sequence[float]] | None = None
    maps: str = ""
    directions: tuple[float, float] | None = None


def values_text(values: Sequence[float], *, sign: bool = False) -> str:
    """Channel values side by side, of light four figures each; `sign` for differences."""
    form = "+" if sign else ""

    def one(value: float) -> str:
        text = f"{value:{form}d}" if isinstance(value, int) else f"{value:.4g}"
        return "0" if sign and value == 0 else text.replace("-", MINUS)

    return " ".join(one(value) for value in values)


def stops_text(values: Sequence[float]) -> str:
    """Luminance of linear light in stops from 1.0: "−1.35 stops"; "no light" for none."""
    weights = LUMINANCE if len(values) >= 3 else (1.0,)
    luminance = sum(weight * value for weight, value in zip(weights, values, strict=False))
    if not (luminance > 0 and math.isfinite(luminance)):
        return "no light" if luminance <= 0 else "not finite"
    return f"{signed(math.log2(luminance), 2)} stops"


def difference_text(values: Sequence[float], original: Sequence[float]) -> str:
    """What a pixel differs by, channel by channel: in code values, or of light in stops as log2-PSNR counts them."""
    pairs = zip(values, original, strict=False)
    kinds = {type(value) for value in (*values, *original)}
    if kinds == {int}:
        return values_text([new - old for new, old in pairs], sign=True)
    if kinds != {float}:
        return ""  # light and code values have no difference
    if not all(math.isfinite(value) for value in (*values, *original)):
        return "not finite"
    stops = [math.log2((max(new, 0) + TOE) / (max(old, 0) + TOE)) for new, old in pairs]
    return " ".join("0" if round(each, 2) == 0 else signed(each, 2) for each in stops) + " stops"


def _direction_texts(read_out: PixelReadOut, original: Sequence[float], peak: float, decoded_peak: float) -> list[str]:
    texts = [f"original {direction_text(original, peak)}", "", ""]
    if read_out.decoded is not None:
        name, values = read_out.decoded[0], _plain(read_out.decoded[1])
        angle = angle_text(values, decoded_peak, original, peak)
        texts[1:] = [f"{name} {direction_text(values, decoded_peak)}", f"Δ {angle}" if angle else ""]
    return texts


def _plain(values: Sequence[float]) -> list[float]:
    """Python numbers: NumPy's unsigned ones would wrap around in a difference."""
    return [value.item() if hasattr(value, "item") else value for value in values]


class StatusBar(Themed):
    """Signal cancel_requested(): everything that runs or waits should stop."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("bar", parent)
        self.setAccessibleName("Status")
        self._pixel = [label("", "small") for _ in range(5)]  # place, original, decoded, difference, maps
        self._hint = ElidedLabel("")
        self._hint.setProperty("tone", "small")
        self._counts = label("", "small")
        self._job = ElidedLabel("")
        self._job.setProperty("tone", "small")
        self._job.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._job.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self._bar.setAccessibleName("Progress")
        self.cancel = QPushButton("Cancel")
        self.cancel.setProperty("kind", "quiet")
        self.cancel.setFont(style.text_font(style.SMALL_PX))
        self.cancel.setToolTip("Stop everything that runs or waits (Esc)")
        self.cancel.clicked.connect(self.cancel_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        row.setSpacing(4 * GRID)
        for widget in self._pixel:
            widget.setFont(style.text_font(style.SMALL_PX))
            row.addWidget(widget)
        row.addWidget(self._hint, 1)
        row.addWidget(self._counts)
        row.addWidget(self._job)
        row.addWidget(self._bar)
        row.addWidget(self.cancel)
        self.setFixedHeight(26)
        self.set_pixel(None)
        self.set_jobs(0, 0)

    def set_pixel(self, read_out: PixelReadOut | None) -> None:
        """The pixel under the pointer; None when it is over no picture."""
        texts = [""] * len(self._pixel)
        if read_out is not None:
            texts[0] = f"x {read_out.x}  y {read_out.y}"
            original = _plain(read_out.original)
            light = any(isinstance(value, float) for value in original)
            texts[1] = f"original {values_text(original)}" + (f"  ({stops_text(original)})" if light else "")
            if read_out.directions is not None:
                texts[1:4] = _direction_texts(read_out, original, *read_out.directions)
            elif read_out.decoded is not None:
                name, values = read_out.decoded[0], _plain(read_out.decoded[1])
                texts[2] = f"{name} {values_text(values)}"
                difference = difference_text(values, original)
                texts[3] = f"Δ {difference}" if difference else ""
            texts[4] = read_out.maps
        for widget, text in zip(self._pixel, texts, strict=True):
            widget.setText(text)
            widget.setVisible(bool(text))

    def set_hint(self, text: str) -> None:
        """A quiet remark in the middle, such as what the pointer is over."""
        self._hint.setText(text)

    def set_jobs(self, running: int, queued: int, name: str = "", progress: float | None = None) -> None:
        """How much work is in hand, the name of the job to speak of, and how far it is (0…1, None: unknown)."""
        busy = running + queued > 0
        parts = [f"{running} running"] if running else []
        parts += [f"{queued} queued"] if queued else []
        self._counts.setText(" · ".join(parts) if busy else "ready")
        percent = f" {progress:.0%}".replace("%", " %") if progress is not None else ""
        self._job.setText(f"{name}{percent}" if busy and name else "")
        self._job.setVisible(busy and bool(name))
        self._bar.setVisible(busy and progress is not None)
        self._bar.setValue(round(100 * (progress or 0)))
        self.cancel.setVisible(busy)

    def text(self) -> str:
        """Everything that is said, for tests and screen readers."""
        widgets = (*self._pixel, self._hint, self._counts, self._job)
        return "  ".join(widget.text() for widget in widgets if widget.text())
