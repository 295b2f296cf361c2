"""Painting where the bits matter: strip, brush and actions in line with the state, and strokes into re-encodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from engine import io
from engine.errors import EngineError
from engine.image import Image
from engine.importance import Importance, mask_from, painted
from gui.frame import Frame
from gui.painted import followers, importance_of, judge_again, steps_of
from gui.panels.region_strip import ERASE, LESS, MORE
from gui.state import LIT_VIEWS, Topic

MAX_UNDO = 100
MASKS = "PNG (*.png)"


class Regions:
    """Serves the actions of painting for one window."""

    def __init__(self, window: Frame) -> None:
        self._window, self._state = window, window.state
        self._strip, self._brush = window.region_strip, window.compare.brush
        self._undo: dict[int, list[Importance | None]] = {}  # by source: what was there before each stroke
        self._shown: Image | None = None
        self._strip.brush_changed.connect(self._set_brush)
        self._strip.undo_requested.connect(self.undo)
        self._strip.clear_requested.connect(self.clear)
        self._strip.close_requested.connect(self.toggle)
        window.top_bar.paint_toggled.connect(lambda _on: self.toggle())
        self._brush.finished.connect(lambda steps: self._paint(importance_of(steps)))
        for topic in (Topic.VIEW, Topic.CURRENT, Topic.LANES):
            self._state.subscribe(topic, self._follow)
        self._set_brush()

    def table(self) -> dict[str, Callable[[], object]]:
        """Action ids and what they do."""
        return {
            "paint_region": self.toggle,
            "region_more": lambda: self._choose(MORE),
            "region_less": lambda: self._choose(LESS),
            "region_erase": lambda: self._choose(ERASE),
            "brush_larger": lambda: self._strip.resize_brush(1),
            "brush_smaller": lambda: self._strip.resize_brush(-1),
            "region_undo": self.undo,
            "region_clear": self.clear,
            "region_open": self.open,
            "region_save": self.save,
        }

    # -- the user

    def toggle(self) -> None:
        """Take the brush, or put it away; what is painted stays."""
        if self._image is None and not self._state.painting:
            self._window.tell("There is no picture to paint on yet")
            self._follow()
            return
        self._state.set_view(painting=not self._state.painting)

    def undo(self) -> None:
        """What was painted before the last stroke."""
        source = self._state.current
        strokes = self._undo.get(source.id, []) if source is not None else []
        if strokes:
            self._window.controller.paint(strokes.pop())
            self._follow()

    def clear(self) -> None:
        self._paint(None)

    def open(self) -> None:
        """Ask for a mask, which takes the place of what is painted."""
        if self._image is None:
            return
        name, _ = QFileDialog.getOpenFileName(self._window, "Paint by a mask", "", f"{MASKS};;All files (*)")
        if name:
            self._take(Path(name), self._image)

    def save(self) -> None:
        """Ask where what is painted goes as a mask, as `--roi` takes it."""
        image = self._image
        if image is None or image.importance is None:
            self._window.tell("Nothing is painted")
            return
        name, _ = QFileDialog.getSaveFileName(self._window, "Save as a mask", "region.png", MASKS)
        if name:
            path = Path(name).with_suffix(".png")
            mask = mask_from(image.importance, image.height, image.width)
            desk = self._window.controller.desk
            desk.apart(lambda: io.write_png(path, Image(mask)), lambda _: self._window.tell(f"Saved {path.name}"))

    # -- what becomes of it

    @property
    def _image(self) -> Image | None:
        return self._state.current.image if self._state.current is not None else None

    def _take(self, path: Path, image: Image) -> None:
        def read() -> Importance | None:
            try:
                return painted(image, io.read(path).image)
            except EngineError as error:
                raise error.at(path) from error

        def place(found: Importance | None) -> None:
            if self._image is image:
                self._paint(found)

        self._window.controller.desk.apart(read, place)

    def _choose(self, tool: str) -> None:
        if not self._state.painting:
            self.toggle()
        self._strip.set_tool(tool)

    def _paint(self, importance: Importance | None) -> None:
        source = self._state.current
        if source is None or importance == source.importance:
            return
        strokes = self._undo.setdefault(source.id, [])
        strokes.append(source.importance)
        del strokes[:-MAX_UNDO]
        self._window.controller.paint(importance)
        self._follow()

    def _set_brush(self) -> None:
        self._brush.set_brush(self._strip.level, self._strip.radius)

    def _follow(self) -> None:
        """Bring strip and brush in line with the state."""
        image, on = self._image, self._state.painting and self._image is not None
        flat = on and not any(self._state.shows_lit(view) for view in LIT_VIEWS)
        self._strip.setVisible(flat)
        self._window.top_bar.paint.setChecked(flat)
        self._window.top_bar.paint.setEnabled(image is not None)
        self._brush.set_on(flat)
        if image is not self._shown:
            self._shown = image
            if image is not None:
                self._brush.set_region(steps_of(image), (image.width, image.height))
            else:
                self._brush.set_region(None, (1, 1))
            judge_again(self._state)
        source = self._state.current
        undo = bool(source is not None and self._undo.get(source.id))
        self._strip.set_changes(undo=undo, clear=image is not None and image.importance is not None)
        self._strip.set_followers(*followers(self._state))
