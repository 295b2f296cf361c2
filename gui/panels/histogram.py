"""How the light, or the code values, of the original and of one decoded picture are spread."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from engine.histogram import BRIGHTNESS, Histogram
from engine.palette import ORIGINAL, Look
from engine.tone import NEUTRAL, Tone
from gui.models.units import NBSP, signed
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.elided import ElidedLabel
from gui.widgets.histogram_plot import HistogramPlot, Sketch
from gui.widgets.marks import Mark
from gui.widgets.themed import Panel

_LIGHT_TIP = "Drag: the light under the pointer becomes the first that is white.\nDouble click: exposure 0"


@dataclass(frozen=True, eq=False)
class Shown:
    """A decoded picture: what it is called, its look, its histogram."""

    label: str
    look: Look
    histogram: Histogram


class HistogramPanel(Panel):
    """Signals: exposure_moved(stops), released() and reset() as of `HistogramPlot`; wanted(): the panel is seen."""

    exposure_moved = Signal(float)
    released = Signal()
    reset = Signal()
    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Histogram", parent)
        self._original: Histogram | None = None
        self._decoded: Shown | None = None
        self._tone = NEUTRAL
        self._at: float | None = None
        self.what = Combo("What is counted", quiet=True)
        self.what.currentIndexChanged.connect(self._look)
        self.log = QPushButton("log")
        self.log.setCheckable(True)
        self.log.setProperty("kind", "quiet")
        self.log.setToolTip("Counts through their logarithm: what is rare is seen too")
        self.log.toggled.connect(self._look)
        self.head.addWidget(self.what)
        self.head.addWidget(self.log)
        self.plot = HistogramPlot()
        self.plot.exposure_moved.connect(self.exposure_moved)
        self.plot.released.connect(self.released)
        self.plot.reset.connect(self.reset)
        self.plot.pointed.connect(self._point)
        self.words = ElidedLabel("")
        self.words.setProperty("tone", "small")
        self._mark = Mark(ORIGINAL, 8)
        self._name = ElidedLabel("")
        self._name.setProperty("tone", "small")
        self._legend = QWidget()
        row = QHBoxLayout(self._legend)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._mark)
        row.addWidget(self._name, 1)
        self.body.addWidget(self.plot)
        self.body.addWidget(self._legend)
        self.body.addWidget(self.words)
        self.set_histograms(None, None)

    # ------------------------------------------------------------ data

    def set_histograms(self, original: Histogram | None, decoded: Shown | None) -> None:
        """What is known; a decoded picture alone is nothing to look at."""
        self._original, self._decoded = original, decoded if original is not None else None
        sketches = [Sketch(original)] if original is not None else []
        if self._decoded is not None:
            sketches.append(Sketch(self._decoded.histogram, self._decoded.look))
            self._mark.set_look(self._decoded.look)
            self._name.setText(f"{self._decoded.label} over the original")
        self._legend.setVisible(self._decoded is not None)
        self.plot.set_sketches(sketches)
        light = original is not None and original.is_light
        self.plot.setToolTip(_LIGHT_TIP if light else "")
        names = ("luma" if original is not None and not light else "luminance", "R G B")
        self.what.set_choices(list(zip(("brightness", "colours"), names, strict=True)))
        self._say()

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self.plot.set_tone(tone)
        self._say()

    # ------------------------------------------------------------ looks

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.wanted.emit()

    def _look(self) -> None:
        self.plot.set_ways(colours=self.what.key() == "colours", log=self.log.isChecked())

    def _point(self, at: float | None) -> None:
        self._at = at
        self._say()

    def _say(self) -> None:
        """What is under the pointer, else what the tone does to the picture."""
        text = ""
        if self._original is not None:
            text = self._about_tone(self._original) if self._at is None else self._about(self._original, self._at)
        self.words.setText(text)
        self.plot.setAccessibleDescription(text)

    def _about_tone(self, histogram: Histogram) -> str:
        if not histogram.is_light:
            return f"{histogram.total:,} texels".replace(",", NBSP)
        black, clipped = histogram.shares(self._tone)
        dark = histogram.dark / max(1, histogram.total)
        words = [f"clipped {_percent(clipped)}", f"black {_percent(black)}"]
        return " · ".join([*words, f"no light {_percent(dark)}"] if dark else words)

    def _about(self, histogram: Histogram, at: float) -> str:
        """The bin under the pointer: where it is, in stops and as light, and the part of the texels in it."""
        counts = histogram.counts[BRIGHTNESS]
        width = (histogram.hi - histogram.lo) / len(counts)
        place = min(len(counts) - 1, int((at - histogram.lo) / width))
        share = _percent(counts[place] / max(1, histogram.total))
        if histogram.is_light:
            return f"{signed(at, 2)} stops · light {2.0**at:.3g} · {share}"
        return f"code {histogram.lo + place * width:.0f} · {share}"


def _percent(share: float) -> str:
    """A part as people read it: two figures, and nothing rounded to 0 that is there."""
    percent = 100 * share
    if 0 < percent < 0.01:
        return f"<0.01{NBSP}%"
    return f"{percent:.2g}{NBSP}%" if percent < 10 else f"{percent:.0f}{NBSP}%"
