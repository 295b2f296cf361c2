"""The view *3-D*: which mesh, which maps on it, and the error of what is seen of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.display import heat
from engine.errors import EngineError
from engine.image import Image
from engine.lit.measure import LitError, counted
from engine.lit.mesh import SUFFIXES, Mesh, read_mesh, room_path
from engine.samples import samples
from gui.frame import Frame
from gui.heat import ERROR_TABLE
from gui.lit_panes import PairErrors, Sources, lit_scale, shown_range, with_error
from gui.state import ORIGINAL, Source, State, View
from gui.views import scene
from gui.views.model import PaneModel
from gui.views.scene import Side

LESSON = (
    "Drop a mesh here (.glb, .gltf or .obj) that has a place in this lightmap for every vertex,\n"
    "or open one with Ctrl+Shift+M. A mesh of the map's name beside it is found by itself."
)
_KEY = ("lit_scene", 0)


class LitScene:
    """Keeps the scene in line with the state while it is shown."""

    def __init__(self, window: Frame, sources: Sources) -> None:
        self._state, self._desk = window.state, window.controller.desk
        self._view, self._strip, self._tell = window.scene, window.lit_strip, window.tell
        self._pane, self._sources = window.scene_pane, sources
        self._models: Mapping[str, PaneModel] = {}
        self._mesh: tuple[Path | None, Mesh | None] = (None, None)
        self._mapped: tuple[scene.Frame | None, LitError | None] = (None, None)  # what the map in the scene is of
        self._errors = PairErrors(self._desk, self._show_error)
        self._view.rendered.connect(self._measure)
        self._view.set_lesson(LESSON)

    @property
    def on(self) -> bool:
        return self._state.shows_lit(View.SCENE)

    def refresh(self, models: Mapping[str, PaneModel]) -> None:
        """Show what the state says; nothing is drawn while another view is chosen. models: the panes', by rendition."""
        self._models = models
        source = self._state.current
        if not self.on or source is None or source.image is None:
            self._view.set_sides(())
            return
        self._want_mesh(mesh_path(self._state, source))
        self._view.set_sides(self._sides(source.image))
        self._view.set_look(self._state.lit.look, self._sources.albedo())
        self._view.set_tone(self._state.tone, moving=self._state.tone_moves)
        self._show_error()

    def _sides(self, image: Image) -> tuple[Side, ...]:
        """The original, and what the active codec made of it, once that is there."""
        sides = [Side("Original", self._sources.light(image))]
        lane = self._state.active_lane
        solved = self._state.outcome(lane.id).solved if lane is not None else None
        if lane is not None and solved is not None and solved.decoded.pixels.shape[:2] == image.pixels.shape[:2]:
            sides.append(Side(lane.label, self._sources.light(solved.decoded)))
        return tuple(sides)

    # -- the mesh

    def _want_mesh(self, path: Path | None) -> None:
        if path == self._mesh[0]:
            return
        self._mesh = (path, None)
        self._view.set_mesh(None)
        self._view.set_lesson(LESSON if path is None else f"Reading {path.name} …")
        self._strip.set_mesh(path.name if path is not None else "")
        if path is not None:
            self._desk.apart(lambda: _read(path), lambda made: self._place(path, made))

    def _place(self, path: Path, made: Mesh | EngineError) -> None:
        if path != self._mesh[0]:
            return
        if isinstance(made, EngineError):
            self._desk.complain(str(made))
            self._view.set_lesson(LESSON)
            self._strip.set_mesh("")
            return
        self._mesh = (path, made)
        for note in made.notes:
            self._tell(f"{path.name}: {note}")
        self._view.set_mesh(made)

    # -- the error

    def _measure(self, frame: scene.Frame) -> None:
        self._show_error()
        if len(frame.pictures) > 1:
            self._errors.want(_KEY, frame, lambda: _pair(frame))

    def _show_error(self) -> None:
        """Say the error of the frame that is shown, in the header, and as a map if that is wanted."""
        frame = self._view.frame
        found = self._errors.get(_KEY, frame) if frame is not None else None
        self._say(found)
        wanted = (frame, found) if self._state.lit.errors and found is not None else (frame, None)
        if wanted == self._mapped:
            return
        self._mapped = wanted
        if frame is None or found is None or wanted[1] is None:
            self._pane.set_scale(None)
            if frame is not None:
                self._view.set_heat(frame, None)
            return
        hi = shown_range([found])
        self._pane.set_scale(lit_scale(hi))
        self._desk.apart(lambda: _coloured(frame, found, hi), lambda rgb: self._place_map(frame, rgb))

    def _place_map(self, frame: scene.Frame, rgb: np.ndarray) -> None:
        if frame is self._mapped[0] and self._mapped[1] is not None:
            self._view.set_heat(frame, rgb)

    def _say(self, found: LitError | None) -> None:
        original, lane = self._models.get(str(ORIGINAL)), self._state.active_lane
        coded = self._models.get(str(lane.id)) if lane is not None else None
        if original is not None:
            self._pane.show_models([original, *([with_error(coded, found)] if coded is not None else [])])


def mesh_path(state: State, source: Source) -> Path | None:
    """The mesh that was opened for a picture; the bundled one of the bundled map; else a file of its name beside it."""
    chosen = state.lit.mesh_of(source.id)
    if chosen is not None:
        return chosen
    if source.path in [sample.path for sample in samples() if sample.name == "room_lightmap"]:
        return room_path()
    beside = (source.path.with_suffix(suffix) for suffix in SUFFIXES)
    return next((path for path in beside if path.is_file()), None)


def _read(path: Path) -> Mesh | EngineError:
    try:
        return read_mesh(path)
    except EngineError as error:
        return error


def _pair(frame: scene.Frame) -> tuple[Image, Image, np.ndarray]:
    covered = frame.seen.covered
    return counted(frame.pictures[0], covered), counted(frame.pictures[-1], covered), covered


def _coloured(frame: scene.Frame, found: LitError, hi: float) -> np.ndarray:
    """The map of an error as colours, on the ground that the frame has."""
    rgb = heat(found.map, 0.0, hi, ERROR_TABLE)
    rgb[~frame.seen.covered] = frame.shot.surround
    return rgb
