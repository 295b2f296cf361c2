"""What a budget is made of, as a form: which maps, and the formats and resolutions that they may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QMenu, QPushButton, QSpinBox

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
    """A format on offer. settings: in words. why: it cannot be taken, "" if it can. ticked: at first. title: what a
    preset stands under in the menu."""

    form: Format
    label: str
    settings: str = ""
    why: str = ""
    ticked: bool = False
    title: str = ""


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
        self._presets: list[Choice] = []
        self._chosen_presets: list[Choice] = []
        self._preset_menu = QMenu(self)
        self._preset_menu.aboutToShow.connect(self._fill_menu)
        self.add_preset = QPushButton("Add a preset")
        self.add_preset.setProperty("kind", "quiet")
        self.add_preset.setToolTip("A codec with settings under a name that people know: Unity, Godot, your own")
        self.add_preset.setMenu(self._preset_menu)
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
        self.body.addWidget(self.add_preset, 0, Qt.AlignmentFlag.AlignLeft)
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

    def offer(self, choices: Sequence[Choice], presets: Sequence[Choice] = ()) -> None:
        """Offer these formats, and presets in a menu; those that were offered before keep their ticks."""
        self._presets = list(presets)
        self.add_preset.setVisible(bool(presets))
        before = {form.codec: tick.isChecked() for tick, form in self._formats}
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._formats = []
        for place, choice in enumerate(choices):
            tick = self._tick(choice, on=before.get(choice.form.codec, choice.ticked))
            self._grid.addWidget(tick, place // _COLUMNS, place % _COLUMNS)
        for choice in self._chosen_presets:
            tick = self._tick(choice, on=before.get(choice.form.codec, True))
            self._grid.addWidget(tick, self._grid.rowCount(), 0, 1, _COLUMNS)

    def _tick(self, choice: Choice, *, on: bool) -> Tick:
        tick = Tick(choice.label)
        tick.setToolTip(choice.why or choice.settings)
        tick.setEnabled(not choice.why)
        tick.setChecked(on and not choice.why)
        tick.toggled.connect(self._on_allowed)
        self._formats.append((tick, choice.form))
        return tick

    def _fill_menu(self) -> None:
        """The presets that are not there yet, under their titles."""
        self._preset_menu.clear()
        there = self.ticks
        for title in dict.fromkeys(choice.title for choice in self._presets):
            self._preset_menu.addSection(title)
            for choice in self._presets:
                if choice.title == title and choice.form.codec not in there:
                    action = self._preset_menu.addAction(choice.label)
                    action.setToolTip(choice.why or choice.settings)
                    action.setEnabled(not choice.why)
                    action.triggered.connect(lambda _checked=False, choice=choice: self.take_preset(choice))

    def take_preset(self, choice: Choice) -> None:
        """Add a preset below the formats, ticked."""
        self._chosen_presets.append(choice)
        self._grid.addWidget(self._tick(choice, on=True), self._grid.rowCount(), 0, 1, _COLUMNS)
        self._on_allowed()

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
