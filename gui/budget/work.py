"""The work behind the budget window: measuring, solving, carrying out, each beside the GUI. No widget in here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from engine.budget.carry import IMPORT_LIST, carry_tasks, write_list
from engine.budget.choose import Option
from engine.budget.measure import Facts
from engine.budget.nearby import nearby
from engine.budget.plan import Plan, solve
from engine.budget.survey import Survey, Wish
from engine.errors import EngineError
from engine.jobs import Event
from engine.jobs import State as Job
from engine.store import Recorder, RunStore
from gui.desk import Desk

_HELD, _WRITES = ("budget",), ("carry",)  # keys that tell that work was not given up, by "Cancel all jobs" say


class Measuring:
    """One survey at a time, through the window's workers.

    on_change: something came. on_end: it is over; the survey says whether it is finished or was stopped.
    """

    def __init__(self, desk: Desk, store: RunStore, on_change: Callable[[], None], on_end: Callable[[], None]) -> None:
        self._desk, self._store, self._on_change, self._on_end = desk, store, on_change, on_end
        self._recorder = Recorder(store, lambda text: desk.post(lambda: desk.complain(text)))
        self._stamp: int | None = None
        self.survey: Survey | None = None

    @property
    def running(self) -> bool:
        return self._stamp is not None

    def begin(self, pictures: Mapping[str, Path], wish: Wish) -> None:
        """Measure these; what is in the store already comes from there."""
        self.survey = Survey(pictures, wish, self._store, self._keep, self._changed)
        self._stamp = self._desk.reserve(_HELD)
        self.survey.begin(self._desk)

    def refine(self, plan: Plan) -> bool:
        """Measure what lies between the options of a plan and their neighbours; False if nothing does."""
        assert self.survey is not None
        wanted = nearby(plan, self.survey.options)
        if wanted:
            self._stamp = self._desk.reserve(_HELD)
            self.survey.refine(self._desk, wanted)
        return bool(wanted)

    def stop(self) -> None:
        """Give up what is not done; what is measured stays."""
        if self.survey is not None and self.running:
            self._stamp = None
            self._desk.cancel([*self.survey.keys, _HELD])
            self._on_end()

    def notice(self) -> None:
        """Jobs came or went: was the measuring given up from elsewhere?"""
        if self._stamp is not None and not self._desk.holds(_HELD, self._stamp):
            self.stop()

    def _keep(self, trial: Any) -> None:
        self._desk.apart(lambda: self._recorder(trial), lambda _done: None)

    def _changed(self) -> None:
        if self.survey is not None and self.survey.finished:
            self.stop()
        elif self.running:
            self._on_change()


def allowed(survey: Survey, wish: Wish) -> tuple[dict[str, Facts], dict[str, list[Option]]]:
    """Of what was measured, pictures and options that the wish takes; pictures without any are left out."""
    forms = {form.codec: form.settings for form in wish.formats}

    @cache
    def fits(codec: str, settings: str) -> bool:
        chosen = json.loads(settings)
        return codec in forms and all(chosen.get(name) == value for name, value in forms[codec])

    options = {
        name: [each for each in found if each.scale in wish.scales and fits(each.codec, each.settings)]
        for name, found in survey.options.items()
    }
    kept = {name: found for name, found in options.items() if found}
    return {name: survey.facts[name] for name in kept}, kept


class Solving:
    """Solves beside the GUI, and only for the newest question: one that comes meanwhile waits, and replaces others.

    on_plan(plan, words): a plan, or None and why there is none.
    """

    def __init__(self, desk: Desk, on_plan: Callable[[Plan | None, str], None]) -> None:
        self._desk, self._on_plan = desk, on_plan
        self._busy = False
        self._next: Callable[[], tuple[Plan | None, str]] | None = None

    def ask(self, facts: Mapping[str, Facts], options: Mapping[str, list[Option]], budget: int, count: str) -> None:
        self._next = lambda: _answer(facts, options, budget, count)
        if not self._busy:
            self._go()

    def _go(self) -> None:
        work, self._next = self._next, None
        self._busy = work is not None
        if work is not None:
            self._desk.apart(work, self._arrived)

    def _arrived(self, answer: tuple[Plan | None, str]) -> None:
        wanted = self._next is None
        self._go()
        if wanted:
            self._on_plan(*answer)


def _answer(
    facts: Mapping[str, Facts], options: Mapping[str, list[Option]], budget: int, count: str
) -> tuple[Plan | None, str]:
    try:
        return solve(facts, options, budget, count), ""
    except EngineError as error:
        return None, str(error)


class Carrying:
    """Writes the files of a plan through the workers, then the import list.

    on_change(done, all). on_end(folder, rows, the first error or "").
    """

    def __init__(
        self,
        desk: Desk,
        blobs: Path,
        on_change: Callable[[int, int], None],
        on_end: Callable[[Path, int, str], None],
    ) -> None:
        self._desk, self._blobs, self._on_change, self._on_end = desk, blobs, on_change, on_end
        self._open: set[str] = set()
        self._rows: list[dict[str, Any]] = []
        self._error = ""
        self._stamp: int | None = None

    @property
    def running(self) -> bool:
        return bool(self._open)

    def begin(self, plan: Plan, pictures: Mapping[str, Path], folder: Path) -> None:
        tasks = carry_tasks(plan, pictures, folder, self._blobs)
        self._open, self._rows, self._error = {task.name for task in tasks}, [], ""
        self._folder, self._order = folder, plan.worst_first()
        self._stamp = self._desk.reserve(_WRITES)
        for task in tasks:
            self._desk.start(("carry", task.name), task, partial(self._on_event, task.name), priority=1)

    def notice(self) -> None:
        """Jobs came or went: was the writing given up from elsewhere?"""
        if self._stamp is not None and not self._desk.holds(_WRITES, self._stamp):
            self._stamp = None
            self._desk.cancel(("carry", name) for name in self._open)
            for name in list(self._open):
                self._end(name, "it was stopped: not all files are written")

    def _on_event(self, name: str, event: Event) -> None:
        if event.state is Job.DONE:
            self._rows.append(event.value)
        if event.state in (Job.DONE, Job.FAILED):
            self._end(name, event.error)

    def _end(self, name: str, error: str) -> None:
        self._open.discard(name)
        self._error = self._error or error
        self._on_change(len(self._order) - len(self._open), len(self._order))
        if self._open:
            return
        self._stamp = None
        self._desk.cancel([_WRITES])
        rows = sorted(self._rows, key=lambda row: self._order.index(row["file"]))
        folder, problem = self._folder, self._error

        def write() -> str:
            try:
                write_list(rows, folder / IMPORT_LIST)
            except EngineError as fault:
                return str(fault)
            return ""

        self._desk.apart(write, lambda fault: self._on_end(folder, len(rows), problem or fault))
