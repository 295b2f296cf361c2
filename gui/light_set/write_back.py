"""The dialog that writes maps back, and the run that it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from engine import registry
from engine.carry import refusal
from engine.image import Meaning
from engine.jobs import Event
from engine.jobs import State as Job
from engine.light_sets.write_back import (
    ENCODED,
    REPORT,
    SAME,
    Coding,
    MapFile,
    Order,
    WriteBackTask,
    failed_row,
    named,
    tasks,
    write_report,
)
from gui import presenters
from gui.bakes import bake_around
from gui.desk import Desk
from gui.frame import Frame
from gui.models.units import size_text
from gui.state import Lane, Source
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.themed import label, set_tone

_RENEWED = 4  # after so many maps the report is written anew
THIS, BAKE, ALL = "this", "bake", "all"
_FORMS = (
    (SAME, "Decoded, in the original's format"),
    ("exr", "Decoded, as OpenEXR"),
    ("hdr", "Decoded, as Radiance"),
    ("ktx2", "Decoded, as KTX2"),
    ("png", "Decoded, as PNG"),
    (ENCODED, "The codec's own file"),
)
_LESSON = (
    "Files keep the names that the engine knows, in another folder. Originals are never written over, "
    f"nor is anything that was not written back before. {REPORT} says what became of each."
)


class WriteBackRun:
    """Writes maps through the desk; `done(report)` once the last of them is written.

    The report is renewed now and then meanwhile, so that what is there when a run is given up is known as ours.
    """

    def __init__(
        self, desk: Desk, maps: Sequence[MapFile], order: Order, done: Callable[[dict[str, Any]], None]
    ) -> None:
        self._desk, self._maps, self._order, self._done = desk, maps, order, done
        self._rows: dict[int, Mapping[str, Any]] = {}
        desk.apart(lambda: tasks(maps, order), self._begin)

    def _begin(self, made: list[WriteBackTask]) -> None:
        for place, task in enumerate(made):
            self._desk.start(("write", place, task.order.folder), task, self._on(place), priority=6)

    def _on(self, place: int) -> Callable[[Event], None]:
        def on(event: Event) -> None:
            if event.state is Job.DONE:
                self._rows[place] = event.value
            elif event.state in (Job.FAILED, Job.CANCELLED):
                self._rows[place] = failed_row(self._maps[place], event.error or "given up")
            else:
                return
            rows = [self._rows[each] for each in sorted(self._rows)]
            if len(rows) == len(self._maps):
                self._desk.apart(lambda: write_report(self._order.folder, rows), self._done)
            elif len(rows) % _RENEWED == 0:
                self._desk.apart(lambda: write_report(self._order.folder, rows), lambda _report: None)

        return on


class WriteBackDialog(QDialog):
    """Asks which maps, with which codec, in which form, and where to."""

    def __init__(self, window: Frame) -> None:
        super().__init__(window)
        self._window, self._state = window, window.state
        self.setWindowTitle("Write maps back")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(560)
        self.scope = Combo("Which maps")
        self.scope.set_choices(self._scopes())
        self.scope.currentIndexChanged.connect(self._show_kinds)
        self.form = Combo("What is stored")
        self.form.set_choices(_FORMS)
        self.folder = QLineEdit(self._suggested())
        self.folder.setAccessibleName("Folder")
        self.folder.textChanged.connect(self._check)
        self.codecs: dict[Meaning, Combo] = {}
        self._labels: dict[Meaning, Any] = {}
        self.fault = label("", "small")
        self.fault.setWordWrap(True)
        self.start = QPushButton("Write")
        self.start.setProperty("kind", "primary")
        self.start.setDefault(True)
        self.start.clicked.connect(self.begin)
        self._lay_out()
        self._show_kinds()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(2 * GRID)
        grid.setColumnStretch(1, 1)
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.setSpacing(2 * GRID)
        where.addWidget(self.folder, 1)
        where.addWidget(browse)
        grid.addWidget(label("Maps", "dim"), 0, 0)
        grid.addWidget(self.scope, 0, 1)
        for row, meaning in enumerate(Meaning, 1):
            self.codecs[meaning] = combo = Combo(f"Codec for {meaning.noun}")
            combo.set_choices([(str(lane.id), name) for lane, name in self._able(meaning)])
            self._labels[meaning] = label(presenters.MAP_NAMES[meaning], "dim")
            grid.addWidget(self._labels[meaning], row, 0)
            grid.addWidget(combo, row, 1)
        grid.addWidget(label("Stored as", "dim"), 6, 0)
        grid.addWidget(self.form, 6, 1)
        grid.addWidget(label("Folder", "dim"), 7, 0)
        grid.addLayout(where, 7, 1)
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(2 * GRID)
        foot.addWidget(self.fault, 1)
        foot.addWidget(cancel)
        foot.addWidget(self.start)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        whole.setSpacing(3 * GRID)
        lesson = label(_LESSON, "dim")
        lesson.setWordWrap(True)
        whole.addWidget(lesson)
        whole.addLayout(grid)
        whole.addLayout(foot)

    # -- what is asked

    def _scopes(self) -> list[tuple[str, str]]:
        usable, current = self._usable(), self._state.current
        found = [(ALL, f"All {len(usable)} maps")]
        bake = bake_around(self._state.sources, self._state.current_id)
        if bake is not None:
            found.insert(0, (BAKE, f"The bake {bake.name}, {len(bake.maps)} maps"))
        if current is not None and current in usable:
            found.insert(0, (THIS, f"{current.path.name} alone"))
        return found

    def _usable(self) -> list[Source]:
        return [source for source in self._state.sources if source.file is not None and not source.error]

    def chosen(self) -> list[Source]:
        """The maps of the scope that is chosen."""
        usable, scope = self._usable(), self.scope.key()
        if scope == THIS:
            return [source for source in usable if source.id == self._state.current_id]
        bake = bake_around(self._state.sources, self._state.current_id) if scope == BAKE else None
        return usable if bake is None else [each for each in usable if each.path in {m.path for m in bake.maps}]

    def _able(self, meaning: Meaning) -> list[tuple[Lane, str]]:
        """The lanes that carry maps of this kind, the active one first."""
        names = presenters.tags(self._state)
        active = self._state.active_lane
        able = [
            (lane, names[lane.id].label)
            for lane in self._state.lanes
            if refusal(registry.codec(lane.codec).info, is_light=meaning is Meaning.LIGHT) is None
        ]
        return sorted(able, key=lambda pair: pair[0] is not active)

    def _suggested(self) -> str:
        current = self._state.current or next(iter(self._state.sources), None)
        return str(current.path.parent.with_name(f"{current.path.parent.name}-written")) if current is not None else ""

    def _browse(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder for the maps", self.folder.text())
        if name:
            self.folder.setText(name)

    def _show_kinds(self) -> None:
        kinds = {source.meaning for source in self.chosen()}
        for meaning, combo in self.codecs.items():
            combo.setVisible(meaning in kinds)
            self._labels[meaning].setVisible(meaning in kinds)
        self._check()

    def _check(self) -> None:
        """Say at once what would be refused."""
        text = self.folder.text().strip()
        homes = {source.path.parent for source in self.chosen()}
        fault = "" if text else "Name a folder"
        if text and Path(text).expanduser().absolute() in homes:
            fault = "The originals lie there: name another folder"
        for meaning in {source.meaning for source in self.chosen()}:
            if not self.codecs[meaning].key():
                fault = fault or f"No codec of this comparison carries a {meaning.noun}"
        self.fault.setText(fault)
        set_tone(self.fault, "error" if fault else "small")
        self.start.setEnabled(not fault)

    # -- the run

    def begin(self) -> None:
        """Write what is asked for, and close."""
        sources = self.chosen()
        order = Order(
            Path(self.folder.text().strip()).expanduser().absolute(), self._codings(), self.form.key(), nearest=True
        )
        by_path = {source.path: source for source in sources}
        maps = [
            MapFile(each.path, each.name, by_path[each.path].fixes, by_path[each.path].read_as)
            for each in named([source.path for source in sources])
        ]
        window = self._window
        WriteBackRun(window.controller.desk, maps, order, lambda report: _tell(window, report))
        self.accept()

    def _codings(self) -> dict[Meaning, tuple[Coding, ...]]:
        found: dict[Meaning, tuple[Coding, ...]] = {}
        for meaning, combo in self.codecs.items():
            lane = self._state.lane(int(combo.key())) if combo.key() else None
            if lane is not None:
                found[meaning] = (Coding(lane.codec, dict(lane.settings), self._state.target),)
        return found


def _tell(window: Frame, report: Mapping[str, Any]) -> None:
    """What came of it, in a corner."""
    folder = QUrl.fromLocalFile(report["folder"])
    wrong = [row for row in report["rows"] if row["error"]]
    for row in wrong[:3]:
        window.complain(row["error"])
    done, many = report["maps"], "map" if report["maps"] == 1 else "maps"
    if done:
        sizes = f"{size_text(report['bytes'])}, {size_text(report['original_bytes'])} before"
        window.tell(f"Wrote {done} {many} back: {sizes}", ("Show folder", lambda: QDesktopServices.openUrl(folder)))
