"""The strip over the panes with which a region is painted: what the brush does, how strongly, how large it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QSlider, QWidget

from engine.importance import LIMIT
from gui import style
from gui.theme import GRID
from gui.widgets.elided import ElidedLabel
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import IconButton, Themed, label

MORE, LESS, ERASE = "more", "less", "erase"
TOOLS = (
    Segment(MORE, "More", tip="Paint what is more important (Alt+M)"),
    Segment(LESS, "Less", tip="Paint what is less important (Alt+L)"),
    Segment(ERASE, "Erase", tip="Make it neutral again (Alt+E)"),
)
_DB_A_STEP = 1.5  # a quarter octave of the quantisation step, in dB of error
LEVELS = tuple(Segment(str(step), f"{step * _DB_A_STEP:g} dB") for step in (LIMIT // 4, LIMIT // 2, LIMIT))
RADII = (8, 256)  # texels
_STEPS = 20  # of the slider, in equal ratios


class RegionStrip(Themed):
    """Signals, from the user only: brush_changed(): level or radius; undo_requested(), clear_requested(),
    close_requested().
    """

    brush_changed = Signal()
    undo_requested = Signal()
    clear_requested = Signal()
    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self.setAccessibleName("Brush for the region that matters")
        self.tool = Segmented("What the brush does", TOOLS)
        self.strength = Segmented("How strongly", LEVELS)
        self.strength.setToolTip("By how much the error is to be lower, or higher, than at neutral places")
        self.brush_size = QSlider(Qt.Orientation.Horizontal)
        self.brush_size.setRange(0, _STEPS)
        self.brush_size.setValue(_STEPS // 2)
        self.brush_size.setFixedWidth(120)
        self.brush_size.setAccessibleName("Size of the brush")
        self.brush_size.setToolTip("Size of the brush (Shift+[ and Shift+])")
        self.undo = IconButton("reset", "Take the last stroke back (Ctrl+Z)")
        self.clear = QPushButton("Clear")
        self.clear.setProperty("kind", "quiet")
        self.clear.setToolTip("Make all of the picture neutral again")
        self.close_button = IconButton("close", "Put the brush away (I)")
        self.says = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.says.setProperty("tone", "dim")
        self.says.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.tool.set_key(MORE)
        self.strength.set_key(str(LIMIT))
        self._build()
        self.tool.chosen.connect(self._told)
        self.strength.chosen.connect(self._told)
        self.brush_size.valueChanged.connect(self.brush_changed)
        self.undo.clicked.connect(self.undo_requested)
        self.clear.clicked.connect(self.clear_requested)
        self.close_button.clicked.connect(self.close_requested)
        self.set_changes(undo=False, clear=False)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * GRID, 0, 2 * GRID, 0)
        row.setSpacing(2 * GRID)
        name = label("Region")
        name.setFont(style.text_font(bold=True))
        row.addWidget(name)
        row.addWidget(self.tool)
        row.addSpacing(GRID)
        row.addWidget(label("by", "dim"))
        row.addWidget(self.strength)
        row.addSpacing(GRID)
        row.addWidget(label("Brush", "dim"))
        row.addWidget(self.brush_size)
        row.addSpacing(GRID)
        row.addWidget(self.undo)
        row.addWidget(self.clear)
        row.addWidget(self.says, 1)
        row.addWidget(self.close_button)
        self.setFixedHeight(40)

    # ------------------------------------------------------------ data

    @property
    def level(self) -> int:
        """What the brush paints, in quarter octaves; 0 erases."""
        sign = {MORE: 1, LESS: -1, ERASE: 0}[self.tool.key()]
        return sign * int(self.strength.key())

    @property
    def radius(self) -> float:
        """Of the brush, in texels."""
        low, high = RADII
        return low * (high / low) ** (self.brush_size.value() / _STEPS)

    def set_tool(self, key: str) -> None:
        """One of MORE, LESS, ERASE, as if it were clicked."""
        self.tool.set_key(key)
        self._told(key)

    def resize_brush(self, steps: int) -> None:
        """Make the brush larger, or smaller."""
        self.brush_size.setValue(self.brush_size.value() + 2 * steps)

    def set_changes(self, *, undo: bool, clear: bool) -> None:
        """What there is to be undone and cleared."""
        self.undo.setEnabled(undo)
        self.clear.setEnabled(clear)

    def set_followers(self, able: Sequence[str], others: Sequence[str]) -> None:
        """The codecs that follow what is painted, and those that do not."""
        texts = [f"{', '.join(able)} {'follows' if len(able) == 1 else 'follow'} it"] if able else []
        texts += [f"{', '.join(others)} cannot"] if others else []
        text = "; ".join(texts)
        self.says.setText(text)
        self.says.setToolTip(text)

    def _told(self, _key: str) -> None:
        self.strength.setEnabled(self.tool.key() != ERASE)
        self.brush_changed.emit()
