"""The histograms of what is looked at: counted in the workers, once for every picture, while their panel is seen."""

from __future__ import annotations

from dataclasses import replace

from engine.histogram import Histogram, HistogramTask
from engine.image import Image
from engine.jobs import Event
from engine.jobs import State as Job
from gui import presenters
from gui.desk import Desk
from gui.panels.histogram import HistogramPanel, Shown
from gui.state import ORIGINAL, State


class Histograms:
    """Keeps the panel filled; `show` after any change of the pictures or of which of them is looked at."""

    def __init__(self, state: State, desk: Desk, panel: HistogramPanel) -> None:
        self._state, self._desk, self._panel = state, desk, panel
        self._made: dict[int, tuple[Image, Histogram]] = {}  # by rendition
        panel.wanted.connect(self.show)

    def show(self) -> None:
        """Show what is known of the original and of the active lane, and have counted what is not."""
        original = self._state.current.image if self._state.current is not None else None
        lane = self._state.active_lane
        wanted = {ORIGINAL: original} if original is not None else {}
        if original is not None and lane is not None:
            solved = self._state.outcome(lane.id).solved
            if solved is not None:
                wanted[lane.id] = solved.decoded
        self._made = {key: made for key, made in self._made.items() if key in wanted}
        first = self._made.get(ORIGINAL)
        known = first[1] if first is not None and first[0] is original else None
        second = self._made.get(lane.id) if lane is not None else None
        shown = None
        if lane is not None and second is not None:
            tag = presenters.tags(self._state)[lane.id]
            shown = Shown(tag.label, tag.look, second[1])
        self._panel.set_histograms(known, shown)
        if self._panel.isVisible():
            for key, image in wanted.items():
                self._want(key, image, original)

    def _want(self, rendition: int, image: Image, original: Image | None) -> None:
        """Have it counted over the texels of the original that count, unless that is done or under way."""
        made = self._made.get(rendition)
        if (made is not None and made[0] is image) or original is None:
            return
        key = ("histogram", rendition)
        if self._desk.holds(key):
            return

        def on(event: Event) -> None:
            if event.state is Job.DONE:
                self._made[rendition] = image, event.value
            elif event.state is Job.FAILED:
                self._desk.complain(event.error)
            if event.state in (Job.DONE, Job.CANCELLED):
                self.show()

        self._desk.start(key, HistogramTask(replace(image, mask=original.mask)), on, priority=2)
