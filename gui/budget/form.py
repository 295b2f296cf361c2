"""What a budget is made of, as a form: which maps, and the formats and resolutions that they may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QSpinBox

from engine.budget.measure import Format
from gui.theme import GRID
from gui.widgets.drop import dropped_paths
from gui.widgets.elided import ElidedLabel
from gui.widgets.path_row import PathRow
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import Heading, Panel, label
from gui.widgets.tick import Tick

FOLDER, LOADED = "folder", "loaded"
SCALES = {1: "Full", 2: "1/2", 4: "1/4", 8: "1/8"}
_TICKED_SCALES = (1, 2, 4)
_POINTS = 5
_COLUMNS = 2


@dataclass(frozen=True)
class Choice:
    """A format on offer. settings: in words. why: it cannot be taken, "" if it can. ticked: at first."""

    form: Format
    label: str
    settings: str = ""
    why: str = ""
    ticked: bool = False


class BudgetForm(Panel):
    """Signals: changed(): something else is asked for; allowed_changed(): other formats or resolutions are ticked."""

    changed = Signal()
    allowed_changed = Signal()

    def __init__(self) -> None:
        super().__init__("Maps and formats")
        self.setAcceptDrops(True)
        self._formats: list[tuple[Tick, Format]] = []
        self.which = Segmented("Which maps", (Segment(FOLDER, "A folder"), Segment(LOADED, "Loaded pictures")))
        self.which.set_key(FOLDER)
        self.which.chosen.connect(self._on_which)
        self.folder = PathRow("Folder of maps", "A folder, or drop one here", self._ask)
        self.folder.changed.connect(self.changed)
        self.count = ElidedLabel("")
        self.count.setProperty("tone", "small")
        self.scales = {scale: Tick(text) for scale, text in SCALES.items()}
        for scale, tick in self.scales.items():
            tick.setChecked(scale in _TICKED_SCALES)
            tick.toggled.connect(self._on_allowed)
        self.points = QSpinBox()
        self.points.setAccessibleName("Settings of each format")
        self.points.setRange(1, 20)
        self.points.setValue(_POINTS)
        self.points.setFixedWidth(56)
        self.points.lineEdit().setTextMargins(GRID, 0, 0, 0)
        self.points.valueChanged.connect(self.changed)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(_COLUMNS, 1)
        self._grid.setColumnMinimumWidth(0, 128)
        self._lay_out()

    def _lay_out(self) -> None:
        self.heading.hide()
        self.body.setSpacing(2 * GRID)
        self.body.addWidget(Heading("Maps"))
        self.body.addWidget(self.which, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.folder)
        self.body.addWidget(self.count)
        self.body.addWidget(Heading("Formats they may take"))
        self.body.addLayout(self._grid)
        self.body.addWidget(Heading("Resolutions"))
        sides = QHBoxLayout()
        sides.setSpacing(2 * GRID)
        for tick in self.scales.values():
            sides.addWidget(tick)
        sides.addStretch(1)
        self.body.addLayout(sides)
        self.body.addWidget(Heading("Measuring"))
        points = QHBoxLayout()
        points.setSpacing(2 * GRID)
        points.addWidget(self.points)
        points.addWidget(label("settings of each format", "dim"), 1)
        self.body.addLayout(points)
        self.body.addStretch(1)

    # ------------------------------------------------------------ data

    def offer(self, choices: Sequence[Choice]) -> None:
        """Offer these formats; those that were offered before keep their ticks."""
        before = {form.codec: tick.isChecked() for tick, form in self._formats}
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._formats = []
        for place, choice in enumerate(choices):
            tick = Tick(choice.label)
            tick.setToolTip(choice.why or choice.settings)
            tick.setEnabled(not choice.why)
            tick.setChecked(not choice.why and before.get(choice.form.codec, choice.ticked))
            tick.toggled.connect(self._on_allowed)
            self._formats.append((tick, choice.form))
            self._grid.addWidget(tick, place // _COLUMNS, place % _COLUMNS)

    @property
    def ticks(self) -> Mapping[str, Tick]:
        """The formats by their codec."""
        return {form.codec: tick for tick, form in self._formats}

    def formats(self) -> tuple[Format, ...]:
        """Those that are ticked."""
        return tuple(form for tick, form in self._formats if tick.isChecked())

    def chosen_scales(self) -> tuple[int, ...]:
        return tuple(scale for scale, tick in self.scales.items() if tick.isChecked())

    def set_open(self, is_open: bool) -> None:
        """Whether maps and measuring may be changed; what is allowed always may."""
        for widget in (self.which, self.folder, self.points):
            widget.setEnabled(is_open)

    def takes_loaded(self) -> bool:
        return self.which.key() == LOADED

    def set_folder(self, folder: str) -> None:
        self.folder.edit.setText(folder)

    # ------------------------------------------------------------ gestures

    def _ask(self) -> str:
        return QFileDialog.getExistingDirectory(self, "Maps", self.folder.edit.text())

    def _on_which(self) -> None:
        self.folder.setVisible(not self.takes_loaded())
        self.changed.emit()

    def _on_allowed(self) -> None:
        self.allowed_changed.emit()
        self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.which.set_key(FOLDER)
        self._on_which()
        self.set_folder(dropped_paths(event.mimeData())[0])
