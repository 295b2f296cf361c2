"""The batch window: the job at the left, what comes of it at the right. It stays open beside the workbench."""

from __future__ import annotations

import enum
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.batch.results import DOCUMENT
from engine.batch.timeleft import spoken
from engine.batch.work import UNREACHABLE
from engine.curves import Curve, read_curves
from engine.metrics import metric, metric_ids
from gui.batch.child import BatchProcess
from gui.batch.form import BatchForm
from gui.batch.plan import BatchLane, BatchPlan, count_pictures
from gui.batch.rows import RowsModel, RowsView
from gui.desk import Desk
from gui.models.curves import RdPoint
from gui.models.lane import LaneTag
from gui.panels.rd_plot import RdPlot
from gui.theme import GRID
from gui.widgets.elided import ElidedLabel
from gui.widgets.form_window import lay_out_beside_form
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import Panel, label, set_tone

STOP_S = 10.0
_COUNT_MS = 250  # after the last stroke, the pictures of the folder are counted
_FORM_WIDTH = 340
_LESSON = (
    "Every picture in the folder, with every ticked codec, at every target: one row each.\n"
    "Originals are never touched, and what is done stays done: a batch that was stopped,\n"
    "or whose machine went down, goes on where it was."
)
_FAILED, _UNREACHABLE = 1, 3
_STOPPED = (130, -signal.SIGTERM)  # the latter if it had not quite begun
_ENDS = {0: "Done", _FAILED: "Done, with errors", _UNREACHABLE: "Done; some targets are out of reach"}
_ENDS |= dict.fromkeys(_STOPPED, "Stopped")


class Page(enum.IntEnum):
    LESSON = 0
    ROWS = 1
    CHART = 2


class BatchWindow(QDialog):
    """Asks for a batch, starts it, shows it. One at a time.

    Signal ended(text): a batch has come to its end, in a few words.
    """

    ended = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Batch of a folder")
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.resize(1120, 660)
        infos = [metric(each).info for each in metric_ids()]
        self._desk, self._metrics = desk, [info for info in infos if not info.regions]
        self._process: BatchProcess | None = None
        self._plan = BatchPlan()  # of the batch that was started last
        self._tags: dict[str, LaneTag] = {}
        self._finished: BatchPlan | None = None
        self._failed = self._unreachable = 0  # rows, of this start
        self._counts = ""
        self._counted = ("", -1)  # folder, pictures in it
        self._count = QTimer(self, interval=_COUNT_MS, singleShot=True)
        self._count.timeout.connect(self._start_counting)
        self.form = BatchForm(self._metrics)
        self.form.setFixedWidth(_FORM_WIDTH)
        self.form.changed.connect(self._show_what_may)
        self.model = RowsModel()
        self.model.setParent(self)
        self._make_progress()
        self._lay_out()
        self._show_what_may()

    def _make_progress(self) -> None:
        self.headline = ElidedLabel("")
        self.figures = label("", "small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Progress of the batch")
        self.shown = Segmented(
            "What is shown",
            (Segment("rows", "All rows"), Segment("errors", "Errors"), Segment("chart", "Chart")),
        )
        self.shown.chosen.connect(self._show)
        lesson = label(_LESSON, "dim")
        lesson.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.plot = RdPlot()
        self.plot.setProperty("kind", "bare")  # it lies in a panel already
        self.plot.export.hide()
        self.pages = QStackedWidget()
        for page in (lesson, RowsView(self.model), self.plot):
            self.pages.addWidget(page)
        self.start = QPushButton("Start")
        self.start.setProperty("kind", "primary")
        self.start.setDefault(True)
        self.start.clicked.connect(self.begin)
        self.stop_button = QPushButton("Stop")
        self.stop_button.clicked.connect(self.stop)
        self.results = QPushButton("Open results")
        self.results.clicked.connect(self._open_results)
        self.fault = ElidedLabel("")

    def _lay_out(self) -> None:
        panel = Panel("Progress")
        panel.heading.hide()
        head = QHBoxLayout()
        head.setSpacing(4 * GRID)
        head.addWidget(self.headline, 1)
        head.addWidget(self.figures)
        self.top = QWidget()
        column = QVBoxLayout(self.top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.shown, 0, Qt.AlignmentFlag.AlignLeft)
        panel.body.addWidget(self.top)
        panel.body.addWidget(self.pages, 1)
        buttons = (self.results, self.stop_button, self.start)
        lay_out_beside_form(self, self.form, panel, self.fault, buttons)

    # ------------------------------------------------------------ what is asked

    def offer(self, lanes: Sequence[tuple[LaneTag, BatchLane, str]], folder: str, score: str) -> None:
        """Take over the lanes of the comparison, the folder of its picture and its score, while nothing runs."""
        if self.running:
            return
        self._tags = {lane.codec: tag for tag, lane, _ in reversed(lanes)}
        self._metric = metric(score).info
        self.form.metrics.tick(score)
        self.form.set_lanes(lanes)
        if not self.form.folder.edit.text():
            self.form.set_folder(folder)
        self._show_what_may()

    @property
    def running(self) -> bool:
        return self._process is not None

    def _show_what_may(self) -> None:
        plan = self.form.plan()
        fault = "" if self.running else plan.fault()
        again = plan == self._finished
        self.form.set_open(not self.running)
        self.start.setVisible(not self.running)
        self.start.setEnabled(not fault and not again)
        self.start.setText("Resume" if plan.begun and not again else "Start")
        self.stop_button.setVisible(self.running)
        self.results.setVisible(bool(self._plan.out))
        self.top.setVisible(bool(self._plan.out))
        begun = "A batch was begun in that folder: it goes on where it was, if the job is the same"
        self._say(fault or (begun if plan.begun and not self.running and not again else ""), "small")
        self._count.start()

    def _start_counting(self) -> None:
        """Look beside the GUI for how many pictures the folder has, when it is another one."""
        plan = self.form.plan()
        if plan.folder == self._counted[0] or not Path(plan.folder).expanduser().is_dir():
            self._show_count(plan)
        else:
            self._desk.apart(lambda: (plan.folder, count_pictures(plan)), self._on_counted)

    def _on_counted(self, counted: tuple[str, int]) -> None:
        self._counted = counted
        self._show_count(self.form.plan())

    def _show_count(self, plan: BatchPlan) -> None:
        folder, pictures = self._counted
        rows = pictures * len(plan.lanes) * len(plan.values() or ())
        known = bool(folder) and folder == plan.folder
        self.form.count.setText(
            f"{pictures} pictures, {rows} rows" if known and rows else f"{pictures} pictures" if known else ""
        )

    def _say(self, text: str, tone: str) -> None:
        self.fault.setText(text)
        set_tone(self.fault, tone)

    # ------------------------------------------------------------ the run

    def begin(self) -> None:
        """Start what is asked for, or go on with it."""
        plan = self.form.plan()
        if self.running or plan.fault():
            return
        self._plan = plan
        self._failed = self._unreachable = 0
        self._counts = ""
        self.model.begin(self._tags, self._metric)
        self.bar.setValue(0)
        self.headline.setText("Starting the workers …")
        self.figures.setText("")
        self.shown.set_enabled("chart", False, "When the batch is done")
        self.shown.set_key("rows")
        self.model.show_only_errors(False)
        self.pages.setCurrentIndex(Page.ROWS)
        self._process = BatchProcess(plan.words(), self._desk.post, self._on_events, self._on_end)
        self._show_what_may()

    def stop(self) -> None:
        """Ask the batch to stop; what is done is kept."""
        if self._process is not None:
            self.headline.setText("Stopping …")
            self.stop_button.setEnabled(False)
            self._process.stop()

    def let_go(self) -> None:
        """The window ends, the batch goes on without it."""
        self._process = None

    def end(self) -> None:
        """The window ends, and the batch with it."""
        if self._process is not None:
            self._process.stop()
            self._process.wait(STOP_S)
            self._process = None

    def _on_events(self, events: list[dict[str, Any]]) -> None:
        if not self.running:
            return
        last = events[-1]
        self.model.add([event["row"] for event in events if event["row"]])
        self.bar.setValue(round(1000 * last["done"] / max(1, last["total"])))
        self._failed = last["failed"]
        self._unreachable += sum(bool(event["row"]) and event["row"]["status"] == UNREACHABLE for event in events)
        self._counts = f"{last['done']} of {last['total']} rows"
        self._counts += f" · {self._failed} failed" if self._failed else ""
        self._counts += f" · {self._unreachable} out of reach" if self._unreachable else ""
        left = "" if last["left_s"] is None else f" · {spoken(last['left_s'])} left"
        self.figures.setText(self._counts + left)
        self.headline.setText(f"{Path(self._plan.folder).name} → {self._plan.out}")

    def _on_end(self, code: int, words: str) -> None:
        if not self.running:
            return
        self._process = None
        self.stop_button.setEnabled(True)
        document = Path(self._plan.out).expanduser() / DOCUMENT
        finished = code in (0, _UNREACHABLE) or (code == _FAILED and self._failed > 0)
        text = _ENDS[code] if finished or code in _STOPPED else "The batch could not go on"
        self.headline.setText(f"{text}: {self._plan.out}")
        self.figures.setText(self._counts)
        self._finished = self._plan if finished else None
        self._show_what_may()
        if finished:
            self._desk.apart(lambda: read_curves(document), self._draw)
        elif code not in _STOPPED:
            self._say(words or f"it ended with code {code}", "error")
        self.ended.emit(f"Batch of {Path(self._plan.folder).name}: {text[0].lower()}{text[1:]}")

    # ------------------------------------------------------------ what is shown

    def _show(self, key: str) -> None:
        if key != "chart":
            self.model.show_only_errors(key == "errors")
        self.pages.setCurrentIndex(Page.CHART if key == "chart" else Page.ROWS)

    def _draw(self, curves: Sequence[Curve]) -> None:
        """The mean curves, in the colours of the lanes."""
        drawn = [(self._tags[curve.name], curve) for curve in curves if curve.name in self._tags and curve.points]
        self.plot.set_metrics([info for info in self._metrics if info.id in self._plan.metrics], self._metric.id)
        self.plot.set_lanes([tag for tag, _ in drawn])
        for tag, curve in drawn:
            self.plot.set_curve(tag.id, [_point(point) for point in curve.points])
        self.plot.show_all()
        self.shown.set_enabled("chart", bool(drawn), "No codec did all of the pictures")

    def _open_results(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self._plan.out).expanduser())))


def _point(point: Mapping[str, Any]) -> RdPoint:
    scores = {name: value for name, value in point.items() if isinstance(value, float)}
    return RdPoint(point["bpp"], scores, round(point["bytes"]))
