"""The strip over the panes with which one looks at directions and masks: all channels, or one of them as grey."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from engine.channel_film import ALL, NAMES
from engine.image import Meaning
from gui.theme import GRID
from gui.widgets.elided import ElidedLabel
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import Themed, label

_WORDS = {
    Meaning.DIRECTION: "as stored: mid-grey is 0, black −1, white 1; w, Unity's factor, is 0 to 1",
    Meaning.MASK: "as stored: white is lit, black in shadow; each channel is the mask of another light",
}


class ChannelStrip(Themed):
    """Signal chosen(channel), from the user only: 0 for all, then from 1."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self.setAccessibleName("Channels")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(3 * GRID, GRID, 3 * GRID, GRID)
        self._row.setSpacing(3 * GRID)
        self._shown: tuple[Meaning, int] | None = None
        self.channels: Segmented | None = None
        self._words = ElidedLabel("")
        self._words.setProperty("tone", "small")
        self._row.addWidget(label("Channels", "dim"))
        self._row.addWidget(self._words, 1)

    def set_map(self, meaning: Meaning, channels: int) -> None:
        """Offer the channels of a map of this kind."""
        if self._shown == (meaning, channels):
            return
        self._shown = meaning, channels
        if self.channels is not None:
            self._row.removeWidget(self.channels)
            self.channels.deleteLater()
        names = NAMES[meaning][:channels]
        segments = [Segment(str(ALL), "All", tip="The first three as red, green and blue (C: the next)")]
        segments += [Segment(str(place), name, tip=f"{name} alone, as grey") for place, name in enumerate(names, 1)]
        self.channels = Segmented("Channel", segments)
        self.channels.chosen.connect(lambda key: self.chosen.emit(int(key)))
        self._row.insertWidget(1, self.channels)
        self._words.setText(_WORDS[meaning])
        self._words.set_tip(_WORDS[meaning])

    def set_channel(self, channel: int) -> None:
        """Mark what is shown, without a signal."""
        if self.channels is not None and self._shown is not None:
            self.channels.set_key(str(channel if channel <= self._shown[1] else ALL))

    def choose_next(self) -> None:
        """The channel after the one that is shown; after the last, all."""
        if self.channels is not None and self._shown is not None:
            self.chosen.emit((int(self.channels.key()) + 1) % (self._shown[1] + 1))
