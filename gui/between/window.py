"""The window between two pictures: a slider from one to the other, both blends live, and draws from the prior."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from engine import interpolate
from engine.interpolate import Between, BetweenTask, DrawTask, PairTask
from engine.jobs import Event
from engine.jobs import State as Job
from engine.tasks import LoadTask
from gui.between.shown import ShownPicture
from gui.desk import FINAL, Desk
from gui.state import Source, State, Topic
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.elided import ElidedLabel
from gui.widgets.themed import label, set_tone

PAIR, BLEND, DRAW = ("between", "pair"), ("between", "blend"), ("between", "draw")
STEPS = 100  # of the slider
LATENTS, PIXELS, DRAWN = "Blend of the latents, decoded", "Blend of the pixels", "A draw from the prior"
_QUALITY = 60
_TWO_WANTED = "Open two pictures first: this window shows what lies between them"
_LESSON = (
    "This is what the model believes of a picture before it has seen one. Its prior is static: it knows how large "
    "each coefficient of a block tends to be, and nothing of the blocks beside it, so a draw has texture and no things."
)


class BetweenWindow(QDialog):
    """Shows what `engine.interpolate` makes of two of the window's pictures; one blend is under way at a time, and the
    newest place of the sliders comes next."""

    def __init__(self, state: State, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Between two pictures")
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.resize(1180, 620)
        self._state, self._desk = state, desk
        self._pair: tuple[np.ndarray, np.ndarray] | None = None
        self._wants_blend = False
        self._seed = 0
        self._make_parts()
        self._lay_out()
        state.subscribe(Topic.SOURCES, self._offer)

    def _make_parts(self) -> None:
        self.latents, self.pixels = ShownPicture(LATENTS), ShownPicture(PIXELS)
        self.first, self.second = Combo("The first picture"), Combo("The second picture")
        for combo in (self.first, self.second):
            combo.setMinimumWidth(160)
            combo.currentIndexChanged.connect(self._read)
        self.share = self._slider("How far from the first to the second", STEPS // 2, self._blend)
        self.quality = self._slider("Rate of the latents: from few bits to many", _QUALITY, self._blend)
        self.quality.setFixedWidth(120)
        self.draw = QPushButton("Draw from the prior")
        self.draw.setToolTip("A picture of nobody: what the model believes before it has seen anything")
        self.draw.clicked.connect(self.draw_another)
        self.words = ElidedLabel("")

    def _slider(self, name: str, value: int, moved: object) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, STEPS)
        slider.setValue(value)
        slider.setAccessibleName(name)
        slider.setToolTip(name)
        slider.valueChanged.connect(moved)
        return slider

    def _lay_out(self) -> None:
        pictures = QHBoxLayout()
        pictures.setSpacing(GRID + 2)
        pictures.addWidget(self.latents, 1)
        pictures.addWidget(self.pixels, 1)
        way = QHBoxLayout()
        way.setSpacing(3 * GRID)
        way.addWidget(self.first)
        way.addWidget(self.share, 1)
        way.addWidget(self.second)
        foot = QHBoxLayout()
        foot.setSpacing(2 * GRID)
        foot.addWidget(label("Rate", "dim"))
        foot.addWidget(self.quality)
        foot.addWidget(self.words, 1)
        foot.addWidget(self.draw)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        whole.setSpacing(2 * GRID)
        whole.addLayout(pictures, 1)
        whole.addLayout(way)
        whole.addLayout(foot)

    # ------------------------------------------------------------ which pictures

    def open(self) -> None:
        """Show the window, with the current picture and the next."""
        self.show()
        self.raise_()
        self._offer()

    def _sources(self) -> list[Source]:
        return [source for source in self._state.sources if not source.missing]

    def _offer(self) -> None:
        """Offer the pictures that there are; those that are chosen stay."""
        if not self.isVisible():
            return
        choices = [(str(source.id), source.name) for source in self._sources()]
        before = self.first.key(), self.second.key()
        for combo in (self.first, self.second):
            combo.set_choices(choices)
        if self._pair is None:
            self.first.set_key(str(self._state.current_id))
        if self.first.key() == self.second.key() and choices:
            at = (self.first.currentIndex() + 1) % len(choices)
            self.second.set_key(choices[at][0])
        if self._pair is None or before != (self.first.key(), self.second.key()):
            self._read()

    def _read(self) -> None:
        """Read both pictures, then blend them."""
        why = interpolate.why_not()
        chosen = [self._state.source(int(combo.key())) if combo.key() else None for combo in (self.first, self.second)]
        first, second = chosen
        ready = why is None and first is not None and second is not None and len(self._sources()) > 1
        for widget in (self.share, self.quality, self.first, self.second):
            widget.setEnabled(ready)
        self.draw.setEnabled(why is None)
        if first is None or second is None or not ready:
            self._say(why or _TWO_WANTED, "warn" if why else "dim")
            return
        self._say("")
        tasks = [LoadTask(source.path, source.fixes, source.read_as) for source in (first, second)]
        self._desk.cancel([BLEND])
        self._desk.start(PAIR, PairTask(*tasks), self._on_pair, priority=8)

    def _on_pair(self, event: Event) -> None:
        if event.state is Job.DONE:
            self._pair = event.value
            self._blend()
        elif event.state is Job.FAILED:
            self._say(event.error, "error")

    # ------------------------------------------------------------ what is shown

    def _blend(self) -> None:
        if self._pair is None or self._desk.holds(PAIR):
            return
        if self._desk.holds(BLEND):
            self._wants_blend = True
            return
        self._wants_blend = False
        self._desk.cancel([DRAW])
        share = self.share.value() / STEPS
        task = BetweenTask(*self._pair, (share,), 100 * self.quality.value() / STEPS)
        self._desk.start(BLEND, task, self._on_blend, priority=8)

    def _on_blend(self, event: Event) -> None:
        if event.state is Job.DONE:
            between: Between = event.value[0]
            self.latents.show_picture(LATENTS, between.latents)
            self.pixels.show_picture(PIXELS, between.pixels)
        elif event.state is Job.FAILED:
            self._say(event.error, "error")
        if event.state in FINAL and self._wants_blend:
            self._blend()

    def draw_another(self) -> None:
        """Another draw, where the latents' blend is; moving a slider brings that back."""
        self._wants_blend = False
        self._desk.cancel([BLEND])
        task = DrawTask(self._seed, interpolate.SIDE // 2, 100 * self.quality.value() / STEPS)
        self._desk.start(DRAW, task, self._on_draw, priority=8)
        self._seed += 1

    def _on_draw(self, event: Event) -> None:
        if event.state is Job.DONE:
            self.latents.show_picture(DRAWN, event.value)
            self.pixels.show_picture("What this is", None, _LESSON)
        elif event.state is Job.FAILED:
            self._say(event.error, "error")

    def _say(self, text: str, tone: str = "dim") -> None:
        self.words.setText(text)
        set_tone(self.words, tone)
