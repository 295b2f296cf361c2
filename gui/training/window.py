"""The training window: a run's figures and what is to be trained at the left, how it goes at the right."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QStackedWidget, QWidget

from engine.curves import Curve, read_curves
from engine.errors import EngineError
from engine.learned.run_folder import Run, is_run, read_run, runs_in
from engine.metrics import metric
from gui.desk import Desk
from gui.models.curves import RdPoint, Reference
from gui.panels.rd_plot import RdPlot
from gui.theme import GRID
from gui.training.branches import QUALITY, active, branches, curves, figures, state_text
from gui.training.form import TrainingForm
from gui.training.plan import Kind, Remembered, TrainingPlan, recent, remember, runs_folder
from gui.training.plot import ProgressPlot
from gui.training.process import TrainingProcess, ask_to_stop
from gui.widgets.elided import ElidedLabel
from gui.widgets.form_window import lay_out_beside_form
from gui.widgets.themed import Panel, label, set_tone

REFERENCE = "reference.json"  # in a run's folder: curves of other codecs on the pictures held back
LOOK_MS = 1000
_FORM_WIDTH = 320
_LESSON = (
    "A learned codec is trained in two parts: a run that goes on for as long as one likes,\n"
    "and decays that branch off it and end in weights to use. Both can be stopped at any\n"
    "second: everything is saved first. Choose a run to look at, or a recipe and a folder\n"
    "of pictures to start one. Training goes on when this window is closed."
)
_STOPPED = (130, -signal.SIGTERM)  # the latter where it had not quite begun


@dataclass(frozen=True)
class _Seen:
    """What a look at the disk found. runs: those in the folder for runs."""

    folder: str
    run: Run
    runs: tuple[str, ...]
    references: tuple[Curve, ...]


class TrainingWindow(QDialog):
    """Follows a run that goes on anywhere, and starts and stops processes that train.

    Signal ended(text): a training that was started here has come to its end, in a few words.
    """

    ended = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Training")
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.resize(1240, 640)
        self._desk = desk
        self._folder = ""
        self._run = Run(Path())
        self._known: tuple[str, ...] = ()
        self._looking = False
        self._process: tuple[TrainingPlan, TrainingProcess] | None = None
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self.form = TrainingForm()
        self.form.setFixedWidth(_FORM_WIDTH)
        self.form.looked_at.connect(self.choose)
        self.form.changed.connect(self._show_what_may)
        self._make_parts()
        self._lay_out()
        self._show_what_may()

    def _make_parts(self) -> None:
        self.headline = ElidedLabel("")
        self.progress = ProgressPlot()
        self.progress.asked.connect(self._draw)
        self.plot = RdPlot()
        self.plot.heading.setText("Pictures held back")
        self.plot.set_metrics([replace(metric(QUALITY).info, label="Quality")], QUALITY)
        for plot in (self.progress, self.plot):
            plot.setProperty("kind", "bare")  # they lie in a panel already
        for part in (self.plot.export, self.plot.metric_combo, self.plot.axis_combo):
            part.hide()
        self.plot.show_all()
        lesson = label(_LESSON, "dim")
        lesson.setAlignment(Qt.AlignmentFlag.AlignCenter)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4 * GRID)
        row.addWidget(self.progress, 1)
        row.addWidget(self.plot, 1)
        self.pages = QStackedWidget()
        self.pages.addWidget(lesson)
        self.pages.addWidget(both)
        self.start = QPushButton("Train")
        self.start.setProperty("kind", "primary")
        self.start.setDefault(True)
        self.start.clicked.connect(self.begin)
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Save everything, then end")
        self.stop_button.clicked.connect(self.stop)
        self.open_button = QPushButton("Open folder")
        self.open_button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder)))
        self.fault = ElidedLabel("")

    def _lay_out(self) -> None:
        panel = Panel("How it goes")
        panel.heading.hide()
        panel.body.addWidget(self.headline)
        panel.body.addWidget(self.pages, 1)
        lay_out_beside_form(self, self.form, panel, self.fault, (self.open_button, self.stop_button, self.start))

    # ------------------------------------------------------------ which run

    def open(self) -> None:
        """Show the window, with the run that was looked at last."""
        if not self._folder:
            last = next((each.folder for each in recent() if is_run(Path(each.folder))), "")
            self.choose(last or next(map(str, runs_in(runs_folder())), ""))
        self.form.propose_anew()
        self.show()
        self.raise_()

    def choose(self, folder: str) -> None:
        """Look at another run from now on, "" for none."""
        if folder and not is_run(Path(folder)) and not self._starting_in(folder):
            self._say(f"{Path(folder).name} holds no run of training", "error")
            return
        self._folder, self._run = folder, Run(Path(folder))
        if folder:
            known = next((each for each in recent() if each.folder == folder), Remembered(folder))
            remember(known)
            self.form.know(known)
        self._offer()
        self._draw()
        self.plot.set_references(())
        self.look()

    def _offer(self) -> None:
        folders = dict.fromkeys([*([self._folder] if self._folder else []), *self._known])
        folders |= dict.fromkeys(each.folder for each in recent() if is_run(Path(each.folder)))
        self.form.offer_runs(list(folders), self._folder)

    # ------------------------------------------------------------ looking

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._process is None:  # else its end is still waited for
            self._timer.stop()

    def look(self) -> None:
        """Read what the run has left on the disk since, beside the GUI."""
        self._hear_of_the_end()
        if self._looking:
            return
        self._looking = True
        folder = self._folder
        self._desk.apart(lambda: _seen(folder), self._on_seen)

    def _on_seen(self, seen: _Seen) -> None:
        self._looking = False
        if seen.runs != self._known:
            self._known = seen.runs
            self._offer()
        if seen.folder != self._folder:
            self.look()
            return
        self._run = seen.run
        self.plot.set_references([_reference(curve) for curve in seen.references])
        self._draw()

    def _draw(self) -> None:
        run = self._run
        self.pages.setCurrentIndex(1 if self._folder else 0)
        self.headline.setVisible(bool(self._folder))
        self.headline.setText(f"{Path(self._folder).name}: {self._state()}")
        self.form.show_figures(figures(run) if self._folder else {})
        measure, over_steps = self.progress.measure, self.progress.over_steps
        self.progress.set_branches(branches(run, measure, over_steps=over_steps))
        lanes = curves(run)
        self.plot.set_lanes([tag for tag, _ in lanes])
        for tag, points in lanes:
            self.plot.set_curve(tag.id, points)
        self._show_what_may()

    def _state(self) -> str:
        if self._starting_in(self._folder) and active(self._run) is None:
            return "reading the pictures …"
        text = state_text(self._run)
        return f"{text[0].lower()}{text[1:]}"

    # ------------------------------------------------------------ training

    @property
    def running(self) -> bool:
        """Whether a process that was started here trains."""
        return self._process is not None

    def begin(self) -> None:
        """Train what is asked for."""
        plan = self.form.plan()
        if plan.fault() or self._busy(plan):
            return
        folder = str(plan.folder)
        try:
            self._process = plan, TrainingProcess(plan.words(), plan.folder)
        except EngineError as error:
            self._say(error.plain, "error")
            return
        remember(Remembered(folder, plan.recipe, str(Path(plan.data).expanduser())))
        self._say("", "small")
        self.choose(folder)
        self._timer.start()

    def stop(self) -> None:
        """Ask the training to save and to end."""
        self.stop_button.setEnabled(False)
        if self._starting_in(self._folder):
            assert self._process is not None
            self._process[1].stop()
        else:
            now = active(self._run)
            if now is None or not ask_to_stop(now.folder):
                self._say("Nobody can be asked: stop it where it was started", "error")

    def _starting_in(self, folder: str) -> bool:
        """Whether the process that was started here works for this run."""
        return self._process is not None and bool(folder) and self._process[0].folder == Path(folder)

    def _busy(self, plan: TrainingPlan) -> bool:
        """Whether something is under way that this would disturb: one training at a time is started here."""
        return self.running or (plan.kind is not Kind.NEW and active(self._run) is not None)

    def _hear_of_the_end(self) -> None:
        if self._process is None:
            return
        plan, process = self._process
        code = process.code()
        if code is None:
            return
        self._process = None
        stopped = code in _STOPPED
        text = "done" if code == 0 else "stopped, and saved" if stopped else "could not go on"
        if code and not stopped:
            self._say(process.complaint() or f"it ended with code {code}", "error")
        self.form.propose_anew()
        self.ended.emit(f"Training of {plan.folder.name}: {text}")
        if not self.isVisible():
            self._timer.stop()

    def _show_what_may(self) -> None:
        plan = self.form.plan()
        now = active(self._run)
        busy = self._busy(plan)
        fault = plan.fault()
        own = self._starting_in(self._folder)
        self.start.setEnabled(not fault and not busy)
        self.start.setToolTip(fault or ("One training at a time" if busy else ""))
        self.stop_button.setVisible(own or now is not None)
        self.stop_button.setEnabled(own or (now is not None and now.process is not None))
        self.open_button.setVisible(bool(self._folder))
        if self.fault.property("tone") != "error":
            self._say("" if busy else fault, "small")

    def _say(self, text: str, tone: str) -> None:
        self.fault.setText(text)
        set_tone(self.fault, tone)


def _seen(folder: str) -> _Seen:
    run = read_run(Path(folder)) if folder else Run(Path())
    references: Sequence[Curve] = ()
    if folder:
        with contextlib.suppress(EngineError):  # it need not be there, and is not needed
            references = read_curves(Path(folder) / REFERENCE)
    return _Seen(folder, run, tuple(map(str, runs_in(runs_folder()))), tuple(references))


def _reference(curve: Curve) -> Reference:
    points = [RdPoint(rate, {QUALITY: quality}) for rate, quality in curve.pairs(QUALITY)] if curve.has(QUALITY) else []
    return Reference(curve.name, tuple(points))
