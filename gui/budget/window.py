"""The budget window: maps and formats at the left; at the right how many bytes they must fit, and what they become."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine import memory
from engine.batch.pictures import find
from engine.budget.measure import Facts
from engine.budget.plan import DISK, VRAM, Plan, bounds
from engine.budget.survey import Wish, without_masks
from engine.errors import EngineError
from engine.export import csv_text, json_text
from engine.files import atomic_write
from engine.store import RunStore
from gui import style
from gui.budget.form import BudgetForm
from gui.budget.rows import PlanModel, PlanView, format_text, rows
from gui.budget.work import Carrying, Measuring, Solving, allowed
from gui.desk import Desk
from gui.models.lane import LaneTag
from gui.models.units import NBSP, size_text
from gui.saving import with_suffix
from gui.state import State, Topic
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.elided import ElidedLabel
from gui.widgets.form_window import lay_out_beside_form
from gui.widgets.rate_slider import RateSlider
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import Panel, label, set_tone

_FORM_WIDTH = 348
_LOOK_MS = 150  # what comes in quick succession is shown together
_COUNT_MS = 250  # after the last stroke, the maps of the folder are counted
_MB = 2**20
_FIRST = 4  # what the maps are, divided by this, is the first budget
_LIST_FILTER = "CSV (*.csv);;JSON (*.json)"
_LESSON = (
    "These maps must fit so many bytes: each takes the format, setting and\n"
    "resolution that it needs most, so that the sum of all errors is the least.\n\n"
    "Measuring tries every ticked format on every map, once: what was measured\n"
    "is kept, and another budget is answered at once."
)


class Page(enum.IntEnum):
    LESSON = 0
    PLAN = 1


class BudgetWindow(QDialog):
    """Asks for maps and formats, measures them, and answers budgets live. It stays open beside the workbench.

    Signal ended(text, QUrl of the folder): files were written, in a few words.
    """

    ended = Signal(str, object)

    def __init__(self, state: State, desk: Desk, store: RunStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Memory budget")
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.resize(1240, 720)
        self._state, self._desk = state, desk
        self._tags: Mapping[str, LaneTag] = {}
        self._pictures: dict[str, Path] = {}  # that were measured last
        self._plan: Plan | None = None
        self._remark = "", "small"  # on what was done last, and its tone
        self._budget: float | None = None  # bytes, None until there is something to choose from
        self.measuring = Measuring(desk, store, self._look_soon, self._on_measured)
        self.solving = Solving(desk, self._on_plan)
        self.carrying = Carrying(desk, store.blobs.folder, self._on_carried, self._on_written)
        state.subscribe(Topic.JOBS, self._notice)
        state.subscribe(Topic.SOURCES, self._show_what_may)
        self._counted = ("", -1)  # folder, maps in it
        self._count = QTimer(self, interval=_COUNT_MS, singleShot=True)
        self._count.timeout.connect(self._start_counting)
        self._look = QTimer(self, interval=_LOOK_MS, singleShot=True)
        self._look.timeout.connect(self._show_progress)
        self.form = BudgetForm()
        self.form.setFixedWidth(_FORM_WIDTH)
        self.form.changed.connect(self._show_what_may)
        self.form.allowed_changed.connect(self._solve)
        self.model = PlanModel()
        self.model.setParent(self)
        self._make_parts()
        self._lay_out()
        self._show_what_may()

    def _make_parts(self) -> None:
        self.slider = RateSlider()
        self.slider.setAccessibleName("Budget")
        self.slider.value_changed.connect(self._slid)
        self.field = QLineEdit()
        self.field.setFont(style.text_font(17, bold=True))
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFixedWidth(112)
        self.field.setAccessibleName("Bytes that the maps must fit")
        self.field.setToolTip("What the maps must fit: type MB, or a size with its unit (24, 800 KB, 1.5 GB)")
        self.field.editingFinished.connect(self._typed)
        self.count = Combo("What is counted")
        self.count.set_choices([(DISK, "on disk"), (VRAM, "in video memory")])
        self.count.currentIndexChanged.connect(self._on_count)
        self.headline = label("")
        self.headline.setFont(style.text_font(15, bold=True))
        self.beside = ElidedLabel("")
        self.beside.setProperty("tone", "dim")
        self.shown = Segmented("What is shown", (Segment("plan", "The plan"), Segment("single", "Best single preset")))
        self.shown.set_key("plan")
        self.shown.chosen.connect(lambda _key: self._show_rows())
        self.progress = ElidedLabel("")
        self.progress.setProperty("tone", "small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Progress of the measuring")
        lesson = label(_LESSON, "dim")
        lesson.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages = QStackedWidget()
        for page in (lesson, PlanView(self.model)):
            self.pages.addWidget(page)
        self.measure = _button("Measure", self.begin)
        self.measure.setProperty("kind", "primary")
        self.stop_button = _button("Stop", self.measuring.stop)
        self.refine = _button("Refine", self._refine)
        self.refine.setToolTip("Measure settings between those of this plan and their neighbours, for less error still")
        self.save = _button("Save list…", self._save_list)
        self.save.setToolTip("The import list: what each map becomes, as CSV or JSON")
        self.carry = _button("Carry out…", self._carry_out)
        self.carry.setToolTip("Write every file of the plan into another folder, and import.csv beside them")
        self.fault = ElidedLabel("")

    def _lay_out(self) -> None:
        self.budget_row = QWidget()
        row = QHBoxLayout(self.budget_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        name = label("Must fit")
        name.setFont(style.text_font(bold=True))
        row.addWidget(name)
        row.addWidget(self.field)
        row.addWidget(self.count)
        row.addWidget(self.slider, 1)
        self.verdict = QWidget()
        said = QHBoxLayout(self.verdict)
        said.setContentsMargins(0, 0, 0, 0)
        said.setSpacing(3 * GRID)
        said.addWidget(self.headline)
        said.addWidget(self.beside, 1)
        said.addWidget(self.shown)
        self.working = QWidget()
        work = QVBoxLayout(self.working)
        work.setContentsMargins(0, 0, 0, 0)
        work.setSpacing(GRID)
        work.addWidget(self.progress)
        work.addWidget(self.bar)
        panel = Panel("Plan")
        panel.heading.hide()
        panel.body.setSpacing(2 * GRID)
        for widget in (self.budget_row, self.verdict, self.working):
            panel.body.addWidget(widget)
        panel.body.addWidget(self.pages, 1)
        buttons = (self.refine, self.save, self.carry, self.stop_button, self.measure)
        lay_out_beside_form(self, self.form, panel, self.fault, buttons)

    # ------------------------------------------------------------ what is asked

    def offer(self, tags: Mapping[str, LaneTag], folder: str) -> None:
        """Take over the looks of codecs that are lanes, and the folder of the picture."""
        self._tags = tags
        if not self.form.folder.edit.text():
            self.form.set_folder(folder)
        self._show_what_may()

    def wish(self) -> Wish:
        return Wish(self.form.formats(), self.form.points.value(), self.form.chosen_scales())

    def _problem(self) -> str:
        """What is missing, in the words of the window; "" when it may be measured."""
        if self.form.takes_loaded() and not self._loaded():
            return "No pictures are loaded"
        if not self.form.takes_loaded() and self._folder() is None:
            named = self.form.folder.edit.text().strip()
            return f"There is no folder {named}" if named else "Choose the folder of the maps"
        if not self.form.formats():
            return "Tick a format"
        return "" if self.form.chosen_scales() else "Tick a resolution"

    def _loaded(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for source in self._state.sources:
            if not source.missing:
                found[str(source.path) if source.path.name in found else source.path.name] = source.path
        return found

    def _show_what_may(self) -> None:
        problem = self._problem()
        busy = self.measuring.running or self.carrying.running
        self.form.set_open(not busy)
        self.measure.setVisible(not self.measuring.running)
        self.measure.setEnabled(not problem and not busy)
        self.stop_button.setVisible(self.measuring.running)
        for button in (self.refine, self.save, self.carry):
            button.setVisible(self._plan is not None)
            button.setEnabled(not busy)
        known = self._budget is not None
        self.budget_row.setVisible(known)
        self.verdict.setVisible(known)
        self.working.setVisible(busy)
        self.pages.setCurrentIndex(Page.PLAN if known else Page.LESSON)
        text, tone = self._remark if busy or not problem else (problem, "small")
        self.fault.setText(text)
        set_tone(self.fault, tone)
        self._count.start()

    def _start_counting(self) -> None:
        """Look beside the GUI for how many maps there are, when it is another folder."""
        folder = self._folder()
        if self.form.takes_loaded() or folder is None or self._counted[0] == str(folder):
            self._show_count()
        else:
            self._desk.apart(lambda: (str(folder), _count(folder)), self._on_counted)

    def _on_counted(self, counted: tuple[str, int]) -> None:
        self._counted = counted
        self._show_count()

    def _show_count(self) -> None:
        known = self.form.takes_loaded() or self._counted[0] == str(self._folder())
        count = len(self._loaded()) if self.form.takes_loaded() else self._counted[1]
        self.form.count.setText(f"{count} maps" if known else "")

    def _folder(self) -> Path | None:
        """That of the maps, if it is there."""
        text = self.form.folder.edit.text().strip()
        folder = Path(text).expanduser()
        return folder if text and folder.is_dir() else None

    def _say(self, text: str, tone: str = "small", tip: str = "") -> None:
        """Remark on what was done, until something else is."""
        self._remark = text, tone
        self.fault.set_tip(tip)
        self._show_what_may()

    # ------------------------------------------------------------ measuring

    def begin(self) -> None:
        """Measure what is asked for."""
        if self._problem() or self.measuring.running:
            return
        if self.form.takes_loaded():
            self._start(self._loaded())
            return
        folder = self._folder()
        if folder is not None:
            self._desk.apart(lambda: _pictures(folder), self._start)

    def _start(self, pictures: dict[str, Path]) -> None:
        if not self.measuring.running:
            self._pictures, self._remark = pictures, ("", "small")
            self.measuring.begin(pictures, self.wish())
            self._show_progress()
            self._show_what_may()

    def _refine(self) -> None:
        if self._plan is None or self.measuring.running:
            return
        if self.measuring.refine(self._plan):
            self._show_progress()
            self._show_what_may()
        else:
            self._say("There is no setting between those that were measured")

    def _look_soon(self) -> None:
        if not self._look.isActive():
            self._look.start()

    def _show_progress(self) -> None:
        survey = self.measuring.survey
        if survey is not None and self.measuring.running:
            self.bar.setValue(round(1000 * survey.done))
            self.progress.setText(f"Measuring {len(self._pictures)} maps · {survey.encodes} encodes")

    def _notice(self) -> None:
        self.measuring.notice()
        self.carrying.notice()

    def _on_measured(self) -> None:
        self._show_what_may()
        survey = self.measuring.survey
        assert survey is not None
        left_out = len(self._pictures) - sum(map(bool, survey.options.values()))
        said = [*survey.failed.values(), *survey.missing]
        if not survey.finished:
            said.insert(0, f"Stopped: {left_out} maps are not in the plan" if left_out else "Stopped")
        if said:
            more = f" · {len(said) - 1} more remarks" if len(said) > 1 else ""
            self._say(said[0] + more, "warn", "\n".join(said))
        self._solve()

    # ------------------------------------------------------------ solving

    def _slid(self, value: float) -> None:
        self._budget = value
        self._show_field()
        self._solve()

    def _typed(self) -> None:
        budget = _bytes_of(self.field.text())
        if budget is not None and (self._budget is None or size_text(budget) != size_text(self._budget)):
            self._budget = budget
            self._solve()
        self._show_field()

    def _on_count(self) -> None:
        self._budget = None
        self._solve()

    def _show_field(self) -> None:
        self.field.setText(size_text(self._budget) if self._budget is not None else "")

    def _solve(self) -> None:
        """Answer the present budget from what was measured, of what is ticked."""
        survey = self.measuring.survey
        if survey is None or self.measuring.running:
            return
        facts, options = allowed(survey, self.wish())
        if not options:
            self._budget = self._plan = None
            self._show_what_may()
            return
        least, most = bounds(options, self.count.key())
        if self._budget is None:
            self._budget = min(max(least, _before(facts, self.count.key()) / _FIRST), most)
        lo, hi = min(least, self._budget), max(most, self._budget, least * 1.01)
        unit, scale = ("MB", _MB) if hi > _MB else ("KB", _MB / 1024)
        self.slider.set_scale(lo, hi, log=True, fine=1.02, coarse=1.25, unit=unit, scale=scale)
        self.slider.set_value(self._budget)
        self._show_field()
        self.solving.ask(facts, options, int(self._budget), self.count.key())

    def _on_plan(self, plan: Plan | None, why: str) -> None:
        self._plan = plan
        self._show_what_may()
        if plan is None:
            self.headline.setText("Out of reach")
            self.beside.setText(why)
            self.model.show([], self._tags)
            return
        before = size_text(_before(plan.facts, plan.count))
        self.headline.setText(size_text(plan.spent))
        self.beside.setText(f"of {size_text(plan.budget)} · {len(plan.rows)} maps, {before} before · {_compared(plan)}")
        self.shown.set_enabled("single", plan.single is not None, "No single preset fits")
        if plan.single is None:
            self.shown.set_key("plan")
        self._show_rows()

    def _show_rows(self) -> None:
        plan = self._plan
        if plan is not None:
            chosen = plan.single if self.shown.key() == "single" and plan.single is not None else plan.rows
            self.model.show(rows(plan.facts, chosen, plan.count), self._tags)

    # ------------------------------------------------------------ out

    def _save_list(self) -> None:
        plan, survey = self._plan, self.measuring.survey
        name, chosen = QFileDialog.getSaveFileName(self, "Save the import list", "import.csv", _LIST_FILTER)
        if not name or plan is None or survey is None:
            return
        path = with_suffix(Path(name), ".json" if "json" in chosen else ".csv", keep=True)
        document = plan.document(survey.missing)
        text = json_text(document) if path.suffix.lower() == ".json" else csv_text(document["plan"]["rows"])
        self._desk.apart(
            lambda: atomic_write(path, text.encode(errors="backslashreplace")),
            lambda _done: self._say(f"Saved {path.name}"),
        )

    def _carry_out(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder for the files")
        if name:
            self.carry_out(Path(name))

    def carry_out(self, folder: Path) -> None:
        """Write the files of the plan, and the import list, into this folder."""
        if self._plan is None or self.carrying.running:
            return
        if folder.resolve() in {path.resolve().parent for path in self._pictures.values()}:
            self._say("That is the folder of the maps: choose another", "warn")
            return
        self.carrying.begin(self._plan, self._pictures, folder)
        self._on_carried(0, len(self._plan.rows))
        self._show_what_may()

    def _on_carried(self, done: int, total: int) -> None:
        self.bar.setValue(round(1000 * done / max(1, total)))
        self.progress.setText(f"Writing file {min(done + 1, total)} of {total}")

    def _on_written(self, folder: Path, count: int, error: str) -> None:
        if error:
            self._say(error, "error")
            return
        text = f"{count} files and import.csv are in {folder}"
        self._say(text)
        self.ended.emit(text, QUrl.fromLocalFile(str(folder)))


def _button(text: str, does: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked=False: does())
    return button


def _pictures(folder: Path) -> dict[str, Path]:
    return without_masks({picture.name: picture.path for picture in find(folder, folder)})


def _count(folder: Path) -> int:
    """How many maps are in it; 0 for none."""
    with contextlib.suppress(EngineError):
        return len(_pictures(folder))
    return 0


def _before(facts: Mapping[str, Facts], count: str) -> int:
    """What the maps take as they are."""
    return sum(each.disk if count == DISK else each.vram for each in facts.values())


def _compared(plan: Plan) -> str:
    """The plan beside the best single preset, in words."""
    if plan.single is None or plan.less_error is None:
        return "no single preset fits"
    one = next(iter(plan.single.values()))
    sides = "" if one.scale == 1 else f", sides 1/{one.scale}"
    percent = round(100 * plan.less_error)
    said = f"{percent}{NBSP}% less error than" if percent else "no less error than"
    return f"{said} {format_text(one)}{sides} for all"


def _bytes_of(text: str) -> int | None:
    """What was typed: MB, or any size with its unit; None if it is neither."""
    words = text.strip().replace(",", ".").replace(NBSP, " ")
    try:
        return memory.parse(f"{words}M" if words.replace(".", "", 1).isdecimal() else words)
    except EngineError:
        return None
