"""Wires the set: keeper, panel and write-back to the window's state."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from gui import presenters
from gui.frame import Frame
from gui.light_set.keeper import MapRow, SetKeeper
from gui.light_set.model import SetRow
from gui.light_set.panel import LaneTotal
from gui.light_set.write_back import WriteBackDialog
from gui.models.units import size_text
from gui.state import Lane, Topic

_DRAW_MS = 60  # news that come closer together are drawn once


class LightSet(QObject):
    """The set of one window."""

    def __init__(self, window: Frame) -> None:
        super().__init__(window)
        self._window, self._state = window, window.state
        self.panel = window.light_set
        self._lane: int | None = None  # that a person chose; else the active one
        self._timer = QTimer(self, interval=_DRAW_MS, singleShot=True)
        self._timer.timeout.connect(self.draw)
        self.keeper = SetKeeper(window.state, window.controller.desk, self._stirred)
        for topic in (Topic.SOURCES, Topic.CURRENT, Topic.LANES, Topic.VIEW):
            window.state.subscribe(topic, self._stirred)
        self.panel.opened.connect(window.controller.choose_source)
        self.panel.lane_chosen.connect(self._choose_lane)
        self.panel.closed.connect(self.toggle)
        self.panel.write_back_asked.connect(self.ask_write_back)
        window.sources.set_requested.connect(self.toggle)

    def toggle(self) -> None:
        """Show the set in place of plot and table, or these again."""
        shown = self.panel.isHidden()
        self.panel.setVisible(shown)
        self._window.plot.setVisible(not shown)
        self._window.verdict.setVisible(not shown)
        if shown:
            self._window.bottom.show()
        self.keeper.look(shown)
        self.draw()

    def ask_write_back(self) -> None:
        """Ask what to write back, and where."""
        if not any(source.file is not None for source in self._state.sources) or not self._state.lanes:
            self._window.tell("There is nothing to write back yet: open maps, and add a codec")
            return
        WriteBackDialog(self._window).open()

    def _stirred(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _choose_lane(self, lane: int) -> None:
        self._lane = lane
        self._state.activate(lane)
        self.draw()

    def _shown_lane(self) -> Lane | None:
        chosen = self._state.lane(self._lane) if self._lane is not None else None
        return chosen or self._state.active_lane or next(iter(self._state.lanes), None)

    def draw(self) -> None:
        """Bring the button in the list, and the panel while it is shown, in line with the state."""
        original = self.keeper.original_total()
        maps = len(self._state.sources)
        self._window.sources.set_summary(f"{maps} pictures · {size_text(original.disk)}")
        if self.panel.isHidden():
            return
        lane = self._shown_lane()
        rows = self.keeper.rows()
        self.panel.set_rows([self._row(row, lane) for row in rows])
        tags = presenters.tags(self._state)
        lanes = self._state.lanes
        totals = [LaneTotal(tags[each.id], self.keeper.total(each.id), self._waiting(rows, each)) for each in lanes]
        self.panel.set_totals(original, maps, totals, str(lane.id) if lane is not None else "")

    @staticmethod
    def _waiting(rows: list[MapRow], lane: Lane) -> int:
        return sum(lane.id not in row.lanes and not row.error for row in rows)

    def _row(self, row: MapRow, lane: Lane | None) -> SetRow:
        source = self._state.source(row.source)
        assert source is not None
        measured = row.lanes.get(lane.id) if lane is not None else None
        kind = presenters.MAP_NAMES[source.meaning].lower()
        current = source.id == self._window.controller.chosen_id
        return SetRow(row.source, source.path.name, kind, row.original, measured, row.error, current)
