"""The job of a batch as a form: which pictures, which codecs, what targets, where to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QSpinBox, QWidget

from engine.batch.job import QUALITY
from engine.jobs import cores
from engine.metric import MetricInfo
from gui.batch.plan import EXAMPLES, KINDS, BatchLane, BatchPlan, beside
from gui.models.lane import LaneTag
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.drop import dropped_paths
from gui.widgets.elided import ElidedLabel
from gui.widgets.marks import Mark
from gui.widgets.path_row import PathRow
from gui.widgets.themed import Heading, Panel
from gui.widgets.tick import Tick

HERE, CLUSTER = "here", "cluster"


class _Scores(Combo):
    """Metrics to tick, shown as a list of their names. Signal changed()."""

    changed = Signal()

    def __init__(self, metrics: Sequence[MetricInfo]) -> None:
        super().__init__("Scores")
        self._menu = QMenu(self)
        for info in metrics:
            action = self._menu.addAction(info.label)
            action.setCheckable(True)
            action.setData(info.id)
            action.setToolTip(info.about)
            action.setChecked(info.id in ("psnr", "ms_ssim"))
            action.setEnabled(info.id != "psnr")  # always there: the chart is drawn from it
            action.toggled.connect(self._on_toggle)
        self._say()

    def ids(self) -> tuple[str, ...]:
        return tuple(str(action.data()) for action in self._ticked())

    def tick(self, metric: str) -> None:
        next(action for action in self._menu.actions() if action.data() == metric).setChecked(True)

    def showPopup(self) -> None:
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _ticked(self) -> list[QAction]:
        return [action for action in self._menu.actions() if action.isChecked()]

    def _on_toggle(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        self.set_choices([("scores", ", ".join(action.text() for action in self._ticked()))])


class _LaneRow(QWidget):
    """A lane to tick: its mark, its name, its settings."""

    def __init__(self, tag: LaneTag, lane: BatchLane, settings: str) -> None:
        super().__init__()
        self.lane = lane
        self.box = Tick(tag.label)
        self.box.setChecked(True)
        detail = ElidedLabel(settings)
        detail.setProperty("tone", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(Mark(tag.look))
        row.addWidget(self.box)
        row.addWidget(detail, 1)


class BatchForm(Panel):
    """Signal changed(): something else is asked for."""

    changed = Signal()

    def __init__(self, metrics: Sequence[MetricInfo]) -> None:
        super().__init__("Job")
        self.setAcceptDrops(True)
        self._rows: list[_LaneRow] = []
        self.folder = PathRow("Folder of pictures", "A folder, or drop one here", lambda: self._ask("Pictures"))
        self.out = PathRow("Folder for the results", "A new folder", lambda: self._ask("Results", new=True))
        self.folder.changed.connect(self._on_folder)
        self.out.changed.connect(self.changed)
        self.kind = Combo("What the targets are")
        self.kind.set_choices([*((str(kind), text) for kind, text in KINDS), (QUALITY, "quality, as it is")])
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.targets = QLineEdit(EXAMPLES["bpp"])
        self.targets.setAccessibleName("Targets")
        self.targets.textChanged.connect(self.changed)
        self.save_encoded = Tick("Encoded files")
        self.save_decoded = Tick("Decoded pictures, as PNG")
        self.passports = Tick("Decode passports, by fresh processes")
        for box in (self.save_encoded, self.save_decoded, self.passports):
            box.toggled.connect(self.changed)
        self.where = Combo("Where the work is done")
        self.where.set_choices([(HERE, "This machine"), (CLUSTER, "Dask cluster")])
        self.where.currentIndexChanged.connect(self._on_where)
        self.workers = QSpinBox()
        self.workers.setAccessibleName("Processes")
        self.workers.setRange(1, 4 * cores())
        self.workers.setValue(cores())
        self.workers.setSuffix(" processes")
        self.workers.lineEdit().setTextMargins(GRID, 0, 0, 0)
        self.scheduler = QLineEdit()
        self.scheduler.setAccessibleName("Address of the scheduler")
        self.scheduler.setPlaceholderText("tcp://host:8786")
        self.scheduler.textChanged.connect(self.changed)
        self.metrics = _Scores(metrics)
        self.metrics.changed.connect(self.changed)
        self.count = ElidedLabel("")
        self.count.setProperty("tone", "small")
        self._lay_out()
        self._on_where()

    def _lay_out(self) -> None:
        self.heading.hide()
        self.body.setSpacing(2 * GRID)
        self.body.addWidget(Heading("Pictures"))
        self.body.addWidget(self.folder)
        self.body.addWidget(self.count)
        self.body.addWidget(Heading("Codecs"))
        self._lanes_at = self.body.count()
        self.body.addWidget(Heading("Targets"))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.targets, 1)
        row.addWidget(self.kind)
        self.body.addLayout(row)
        self.body.addWidget(Heading("Scores"))
        self.body.addWidget(self.metrics)
        self.body.addWidget(Heading("Results"))
        self.body.addWidget(self.out)
        self.body.addWidget(self.save_encoded)
        self.body.addWidget(self.save_decoded)
        self.body.addWidget(self.passports)
        self.body.addWidget(Heading("Work"))
        work = QHBoxLayout()
        work.setSpacing(GRID)
        work.addWidget(self.where)
        work.addWidget(self.workers, 1)
        work.addWidget(self.scheduler, 1)
        self.body.addLayout(work)
        self.body.addStretch(1)

    # ------------------------------------------------------------ data

    def set_lanes(self, lanes: Sequence[tuple[LaneTag, BatchLane, str]]) -> None:
        """Offer these lanes: name and look, codec and settings, the settings in words."""
        for row in self._rows:
            self.body.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = []
        for place, (tag, lane, settings) in enumerate(lanes):
            row = _LaneRow(tag, lane, settings)
            twins = [other for other in self._rows if other.lane.codec == lane.codec]
            row.box.setChecked(not twins)
            row.box.toggled.connect(lambda on, row=row: self._on_tick(row, on))
            self._rows.append(row)
            self.body.insertWidget(self._lanes_at + place, row)

    def set_open(self, is_open: bool) -> None:
        """Whether the job may be changed; labels stay as they are."""
        inputs = (self.folder, self.out, self.targets, self.kind, self.metrics)
        work = (self.where, self.workers, self.scheduler)
        ticks = (self.save_encoded, self.save_decoded, self.passports, *(row.box for row in self._rows))
        for widget in (*inputs, *work, *ticks):
            widget.setEnabled(is_open)

    def set_folder(self, folder: str) -> None:
        self.folder.edit.setText(folder)

    def plan(self) -> BatchPlan:
        """What is asked for now."""
        here = self.where.key() == HERE
        return BatchPlan(
            folder=self.folder.edit.text().strip(),
            out=self.out.edit.text().strip(),
            lanes=tuple(row.lane for row in self._rows if row.box.isChecked()),
            kind=self.kind.key(),
            targets=self.targets.text(),
            metrics=self.metrics.ids(),
            save_encoded=self.save_encoded.isChecked(),
            save_decoded=self.save_decoded.isChecked(),
            passports=self.passports.isChecked(),
            workers=self.workers.value(),
            scheduler="" if here else self.scheduler.text().strip() or "tcp://",
        )

    # ------------------------------------------------------------ gestures

    def _ask(self, what: str, *, new: bool = False) -> str:
        start = self.out.edit.text() if new else self.folder.edit.text()
        return QFileDialog.getExistingDirectory(self, what, start)

    def _on_folder(self) -> None:
        """Propose a place for the results, unless one was chosen by hand."""
        folder = self.folder.edit.text().strip()
        if folder and not self.out.edit.isModified():
            self.out.edit.setText(beside(folder))
        self.changed.emit()

    def _on_tick(self, row: _LaneRow, on: bool) -> None:
        """A table has one row for a codec at a target: of lanes of one codec only one may be ticked."""
        for other in self._rows:
            if on and other is not row and other.lane.codec == row.lane.codec:
                other.box.setChecked(False)
        self.changed.emit()

    def _on_kind(self) -> None:
        self.targets.setText(EXAMPLES[self.kind.key()])
        self.changed.emit()

    def _on_where(self) -> None:
        here = self.where.key() == HERE
        self.workers.setVisible(here)
        self.scheduler.setVisible(not here)
        self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.set_folder(dropped_paths(event.mimeData())[0])
