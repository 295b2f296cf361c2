"""Which run is looked at, what it comes to in figures, and what is to be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QPushButton, QSpinBox, QWidget

from engine.cli.train import bundled_recipes
from gui.models.units import NONE
from gui.theme import GRID
from gui.training.plan import Kind, Remembered, TrainingPlan, fresh_folder, runs_folder
from gui.widgets.combo import Combo
from gui.widgets.drop import dropped_paths
from gui.widgets.path_row import PathRow
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import Heading, Panel, label

FIGURES = ("Steps", "Trained for", "Throughput", "Loss", "Cost", "Since the start", "Skipped steps", "Saved")
_FIRST = "hyperprior"
_FILE = "file"  # the key of a recipe that is none of ours
_MOST_MINUTES = 60 * 24 * 30


class TrainingForm(Panel):
    """Signals: looked_at(folder): another run is chosen; changed(): something else is to be trained."""

    looked_at = Signal(str)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Run")
        self.setAcceptDrops(True)
        self._recipe_file = ""
        self._proposed = ""
        self.runs = Combo("Run that is shown")
        self.runs.currentIndexChanged.connect(lambda _index: self.looked_at.emit(self.runs.key()))
        self.browse = QPushButton("Choose…")
        self.browse.setAccessibleName("Choose the folder of a run")
        self.browse.clicked.connect(self._browse)
        self.values = {name: label(NONE) for name in FIGURES}
        self.kind = Segmented(
            "What to train",
            (
                Segment(Kind.NEW, "New run", tip="Start from the recipe"),
                Segment(Kind.RESUME, "Go on", tip="Continue the run that is shown"),
                Segment(Kind.DECAY, "Decay", tip="Branch off weights to use; the run stays as it is"),
            ),
        )
        self.kind.set_key(Kind.NEW)
        self.kind.chosen.connect(lambda _key: self._on_kind())
        self.recipe = Combo("Recipe")
        self.recipe.currentIndexChanged.connect(lambda _index: self._on_recipe())
        self.data = PathRow("Folder of pictures to learn from", "Pictures to learn from", lambda: self._ask("Pictures"))
        self.out = PathRow("Folder of the new run", "A new folder", lambda: self._ask("Folder of the new run"))
        for row in (self.data, self.out):
            row.changed.connect(self.changed)
        self.minutes = QSpinBox()
        self.minutes.setAccessibleName("Minutes")
        self.minutes.setRange(1, _MOST_MINUTES)
        self.minutes.setValue(60)
        self.minutes.setSuffix(" minutes")
        self.minutes.lineEdit().setTextMargins(GRID, 0, 0, 0)
        self._offer_recipes()
        self._lay_out()
        self._propose()

    def _lay_out(self) -> None:
        self.heading.hide()
        self.body.setSpacing(2 * GRID)
        self.body.addWidget(Heading("Run"))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.runs, 1)
        row.addWidget(self.browse)
        self.body.addLayout(row)
        self.table = QWidget()
        grid = QGridLayout(self.table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        for place, (name, value) in enumerate(self.values.items()):
            grid.addWidget(label(name, "dim"), place, 0)
            grid.addWidget(value, place, 1, Qt.AlignmentFlag.AlignRight)
        self.body.addWidget(self.table)
        self.body.addSpacing(2 * GRID)
        self.body.addWidget(Heading("Train"))
        self.body.addWidget(self.kind, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.recipe)
        self.body.addWidget(self.data)
        self.body.addWidget(self.out)
        self.body.addWidget(self.minutes)
        self.body.addStretch(1)

    # ------------------------------------------------------------ data

    def offer_runs(self, folders: Sequence[str], chosen: str) -> None:
        """The runs to look at, by folder; `chosen` is among them, or "" for none."""
        names = [Path(folder).name for folder in folders]
        choices = [
            (folder, name if names.count(name) == 1 else str(Path(folder).parent / name))
            for folder, name in zip(folders, names, strict=True)
        ]
        if not chosen:
            choices.insert(0, ("", "No run yet" if not folders else "Choose a run"))
        if choices != [(self.runs.itemData(place), self.runs.itemText(place)) for place in range(self.runs.count())]:
            self.runs.set_choices(choices)
        self.runs.set_key(chosen)
        self.runs.setEnabled(bool(folders))

    def show_figures(self, figures: Mapping[str, str]) -> None:
        """What there is to say of the run, a dash for what is not known; nothing of no run."""
        self.table.setVisible(bool(figures))
        for name, value in self.values.items():
            value.setText(figures.get(name, NONE))

    def know(self, run: Remembered) -> None:
        """Fill in with what the run that is shown was trained from."""
        if run.recipe:
            self._choose_recipe(run.recipe)
        if run.data:
            self.data.edit.setText(run.data)

    def plan(self) -> TrainingPlan:
        """What is asked for now."""
        kind = Kind(self.kind.key())
        recipe = self._recipe_file if self.recipe.key() == _FILE else self.recipe.key()
        out = self.out.edit.text().strip() if kind is Kind.NEW else self.runs.key()
        return TrainingPlan(kind, recipe, self.data.edit.text().strip(), out, self.minutes.value())

    def propose_anew(self) -> None:
        """A fresh folder for the next new run, unless one was chosen by hand."""
        self._propose()

    # ------------------------------------------------------------ gestures

    def _offer_recipes(self) -> None:
        named = f"{Path(self._recipe_file).name}, a file" if self._recipe_file else "Recipe file…"
        begun = self.recipe.count() > 0
        self.recipe.set_choices([*((each, each) for each in bundled_recipes()), (_FILE, named)])
        if not begun:
            self.recipe.set_key(_FIRST)

    def _choose_recipe(self, recipe: str) -> None:
        if recipe not in bundled_recipes():
            self._recipe_file = recipe
            self._offer_recipes()
        self.recipe.set_key(recipe if recipe in bundled_recipes() else _FILE)

    def _on_recipe(self) -> None:
        if self.recipe.key() == _FILE:
            name, _ = QFileDialog.getOpenFileName(self, "Recipe", self._recipe_file, "Recipes (*.toml)")
            self._recipe_file = name or self._recipe_file
            self._offer_recipes()
        self._propose()
        self.changed.emit()

    def _on_kind(self) -> None:
        self.out.setVisible(self.kind.key() == Kind.NEW)
        self.changed.emit()

    def _propose(self) -> None:
        if self.out.edit.text() == self._proposed:
            self._proposed = str(fresh_folder(self.plan().recipe))
            self.out.edit.setText(self._proposed)

    def _browse(self) -> None:
        start = self.runs.key() or str(runs_folder())
        name = QFileDialog.getExistingDirectory(self, "Folder of a run", start)
        if name:
            self.looked_at.emit(name)

    def _ask(self, what: str) -> str:
        start = self.data.edit.text() if what == "Pictures" else str(runs_folder())
        return QFileDialog.getExistingDirectory(self, what, start)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.looked_at.emit(dropped_paths(event.mimeData())[0])
