"""`CompareArea`: the heart of the window: 1 to 4 linked panes, wipe, flip and blink.

Data goes in by key (`set_renditions`, `set_model`, `set_picture`, `set_heat`, `set_values`), gestures come out as
signals. The first key is the original, the others are codecs. Nothing here knows of jobs or codecs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from engine.display import Shown
from engine.tone import NEUTRAL, Tone
from gui.style import current
from gui.theme import GRID, Theme
from gui.views.layouts import GRID_MOST, Layout, arrangement, visible_keys
from gui.views.linked import LinkedView
from gui.views.model import PaneModel
from gui.views.overlays import AddPlace, DropHint, EmptyState
from gui.views.pane import Pane
from gui.views.refine import Refiner
from gui.views.region_brush import RegionBrush
from gui.views.rendition import Rendition
from gui.views.transform import ViewTransform
from gui.views.worker import PictureWorker
from gui.widgets.colour_bar import ColourBar, Scale
from gui.widgets.colour_square import ColourSquare, CrossScale

BLINK_MS = 700
BLINK_LEAST_MS = 100
LEGEND_EDGE = 12


class CompareArea(QWidget):
    """Linked panes over one set of renditions.

    Keys when it or a canvas has the focus: 1…9 choose a pane, Space (held) shows the original; more in PictureCanvas.

    Signals:
    - `active_changed(key)`: a pane was chosen by click, key or focus;
    - `layout_changed(Layout)`, `flipped_changed(bool)`, `scale_changed(float)` (device pixels a texel);
    - `split_moved(fraction)`: the wipe line was moved;
    - `hovered(x, y)`: texel under the mouse, in image coordinates; `unhovered()`;
    - `retry_requested(key)`, `open_requested()`, `add_requested()`: the buttons that are shown in panes' places;
    - `problem(key, text)`: a picture could not be shown; `idle()`: everything asked for is drawn at its best.
    """

    active_changed = Signal(str)
    layout_changed = Signal(object)
    flipped_changed = Signal(bool)
    scale_changed = Signal(float)
    split_moved = Signal(float)
    hovered = Signal(int, int)
    unhovered = Signal()
    retry_requested = Signal(str)
    open_requested = Signal()
    add_requested = Signal()
    problem = Signal(str, str)
    idle = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.linked = LinkedView(self)
        self.brush = RegionBrush(self)
        self._worker = PictureWorker(self)
        self._refiner = Refiner(self._worker, self)
        self._renditions: dict[str, Rendition] = {}
        self._tone = NEUTRAL
        self._layout = Layout.GRID
        self._active = ""
        self._codec = ""
        self._wipe: tuple[str, str] | None = None
        self._flipped = False
        self._blink_keys: tuple[str, ...] = ()
        self._blink = QTimer(self, interval=BLINK_MS)
        self._blink.timeout.connect(self._blink_on)
        self._blink_step = 0
        self._panes = [Pane(self.linked, self._refiner, self.brush, self) for _ in range(GRID_MOST)]
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GRID)
        self._shape: tuple[int, ...] = ()
        self._add = AddPlace(self)
        self._empty = EmptyState(self)
        self._bar, self._square = ColourBar(self), ColourSquare(self)
        self._hint = DropHint(self)
        self._legend: QWidget | None = None
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._connect()
        self.set_theme(current())
        self._arrange()

    def _connect(self) -> None:
        self.linked.scale_changed.connect(self.scale_changed)
        self._worker.idle.connect(self._maybe_idle)
        self._add.clicked.connect(self.add_requested)
        self._empty.open_requested.connect(self.open_requested)
        for pane in self._panes:
            pane.activated.connect(self._choose)
            pane.retry.connect(self.retry_requested)
            pane.canvas.hovered.connect(self.hovered)
            pane.canvas.split_moved.connect(self.split_moved)
            pane.canvas.unhovered.connect(self.unhovered)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)

    # data

    def set_renditions(self, models: Mapping[str, PaneModel]) -> None:
        """The whole comparison, in order, the original first. Keys that stay keep their pixels; none at all clears.

        Keys are any strings that name a rendition for its life, e.g. "original", "jpeg", "jpeg#2".
        """
        was = self.keys
        for gone in [key for key in self._renditions if key not in models]:
            rendition = self._renditions.pop(gone)
            rendition.close()
            rendition.deleteLater()
        ordered = {}
        for key, model in models.items():
            rendition = self._renditions.get(key) or self._new_rendition(key, model)
            rendition.set_model(model)
            ordered[key] = rendition
        same = tuple(ordered) == was
        self._renditions = ordered
        if same:
            return
        if self._active not in ordered:
            self._active = next(iter(ordered), "")
        if self._codec not in list(ordered)[1:]:
            self._codec = next(iter(list(ordered)[1:]), "")
        self._arrange()

    def set_model(self, key: str, model: PaneModel) -> None:
        """Header and state of one rendition. Raises KeyError for an unknown key, as do the setters below."""
        self._renditions[key].set_model(model)

    def set_picture(self, key: str, shown: Shown | None) -> None:
        """H×W×3 u8 sRGB pixels (C-contiguous, never changed afterwards) or a film; old ones stay until it is ready."""
        self._renditions[key].set_picture(shown)

    def set_tone(self, tone: Tone, *, moving: bool = False) -> None:
        """How films are shown. moving: a control is being dragged; what is in view follows, as fine as it is drawn."""
        self._tone = tone
        step = max(1, math.floor(1 / self.linked.scale)) if moving else 0
        seen = self._seen()
        for key, rendition in self._renditions.items():
            if not moving or key in seen:
                rendition.set_tone(tone, step)

    def set_heat(self, key: str, heat: np.ndarray | None, opacity: float = 1.0) -> None:
        """A map as H×W×3 u8 in place of the picture, or over the greyed picture at opacity < 1; None: the picture."""
        self._renditions[key].set_heat(heat, opacity)

    def set_values(self, key: str, values: np.ndarray | None) -> None:
        """H×W×C code values (engine.image.Image.pixels) for read-outs and for the numbers in large texels."""
        self._renditions[key].set_values(values)

    def values_at(self, x: int, y: int) -> dict[str, tuple[float, ...]]:
        """Code values of every rendition that has any at texel (x, y), in order."""
        found = {}
        for key, rendition in self._renditions.items():
            values = rendition.values
            if values is not None and 0 <= y < values.shape[0] and 0 <= x < values.shape[1]:
                found[key] = tuple(values[y, x].tolist())
        return found

    def set_scale(self, scale: Scale | CrossScale | None) -> None:
        """Show what the colours of the maps mean: one scale for all panes; None where there are no maps."""
        if isinstance(scale, Scale):
            self._bar.set_scale(scale)
        elif scale is not None:
            self._square.set_scale(scale)
        self._legend = None if scale is None else self._bar if isinstance(scale, Scale) else self._square
        self._place_overlays()

    # choice of layout and pane

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._renditions)

    @property
    def original(self) -> str:
        """Key of the original, "" when empty."""
        return next(iter(self._renditions), "")

    @property
    def active(self) -> str:
        """Key of the chosen rendition."""
        return self._active

    @property
    def active_codec(self) -> str:
        """Key of the codec that was chosen last: the right one of wipe and side by side."""
        return self._codec

    @property
    def layout_mode(self) -> Layout:
        return self._layout

    @property
    def flipped(self) -> bool:
        return self._flipped

    def set_active(self, key: str) -> None:
        """Choose a rendition; it comes into view. Raises KeyError for an unknown key."""
        self._renditions[key]
        if key == self._active:
            return
        self._active = key
        if key != self.original:
            self._codec = key
        self._arrange()
        self.active_changed.emit(key)

    def set_codec(self, key: str) -> None:
        """Choose the right one of wipe and side by side, whatever is active; without a signal."""
        if key in list(self._renditions)[1:] and key != self._codec:
            self._codec = key
            self._arrange()

    def set_layout(self, layout: Layout) -> None:
        if layout is self._layout:
            return
        self._layout = layout
        self._arrange()
        self.layout_changed.emit(layout)

    def set_wipe(self, left: str, right: str) -> None:
        """Compare these two in the wipe, whatever is active. Without it: the original and the active codec."""
        self._wipe = (left, right)
        self._arrange()

    def clear_wipe(self) -> None:
        """Back to the original and the active codec."""
        self._wipe = None
        self._arrange()

    @property
    def split(self) -> float:
        """Where the wipe line stands, 0 left … 1 right."""
        return self._panes[0].canvas.split

    def set_split(self, fraction: float) -> None:
        """Place the wipe line, 0 left … 1 right."""
        self._panes[0].canvas.set_split(fraction)

    def set_blink(self, keys: Sequence[str], interval_ms: int = BLINK_MS) -> None:
        """What the Blink layout alternates between, and how fast; no keys: the original and the active codec."""
        self._blink_keys = tuple(keys)
        self._blink.setInterval(max(BLINK_LEAST_MS, interval_ms))
        self._arrange()

    def set_flipped(self, flipped: bool) -> None:
        """While true every pane shows the original, in the same place.

        For a button that is held: connect its `pressed` and `released`, and give it no focus policy, since a flip ends
        when the focus leaves the area.
        """
        if flipped == self._flipped or not self._renditions:
            return
        self._flipped = flipped
        for pane in self._panes:
            pane.set_override(self._renditions[self.original] if flipped else None)
        self._place_overlays()
        self.flipped_changed.emit(flipped)

    # the view

    def fit(self) -> None:
        """All of the picture in every pane (key F)."""
        self.linked.fit()

    def one_to_one(self) -> None:
        """One texel to one device pixel (key Z)."""
        self.linked.one_to_one(self._panes[0].canvas.device_size())

    def zoom(self, factor: float) -> None:
        """`factor` times as large, around the middle."""
        self.linked.zoom(factor, self._panes[0].canvas.device_size())

    @property
    def view(self) -> ViewTransform:
        return self.linked.transform

    def visible_panes(self) -> dict[str, Pane]:
        """Panes in view by key (in a wipe the one pane stands under the right key)."""
        return {pane.key: pane for pane in self._panes if pane.isVisibleTo(self) and pane.key}

    def picture_rects(self) -> dict[str, QRect]:
        """Where each visible picture lies, in logical pixels of this widget, cut to its pane."""
        return {key: self._picture_rect(pane) for key, pane in self.visible_panes().items()}

    def _picture_rect(self, pane: Pane) -> QRect:
        canvas = pane.canvas
        left, top = self.view.origin(canvas.device_size())
        width, height = self.view.drawn_size()
        ratio = canvas.ratio
        drawn = QRect(round(left / ratio), round(top / ratio), round(width / ratio), round(height / ratio))
        return drawn.intersected(canvas.rect()).translated(canvas.mapTo(self, canvas.rect().topLeft()))

    @property
    def busy(self) -> bool:
        """Whether something that was asked for is still being made ready."""
        return self._worker.busy or self._refiner.pending

    # looks

    def set_theme(self, theme: Theme) -> None:
        """The looks of everything in here; it follows `gui.style.apply` by itself."""
        for pane in self._panes:
            pane.set_theme(theme)
        for part in (self._add, self._empty, self._bar, self._square, self._hint):
            part.set_theme(theme)

    def set_drop_hint(self, on: bool, text: str = "Drop to compare") -> None:
        """Highlight the area while something that can be dropped is over the window."""
        self._hint.show_hint(text if on else "")

    def close_work(self) -> None:
        """End the threads; to be called when the window closes."""
        self._blink.stop()
        self._worker.close()

    # inside

    def _new_rendition(self, key: str, model: PaneModel) -> Rendition:
        rendition = Rendition(key, self._refiner, model, self)
        rendition.pixels_changed.connect(lambda: self._pixels_changed(rendition))
        rendition.problem.connect(lambda text: self.problem.emit(key, text))
        rendition.set_tone(self._tone)
        return rendition

    def _pixels_changed(self, rendition: Rendition) -> None:
        if rendition.picture is not None and rendition.key == self.original:
            known = self.linked.transform.image
            self.linked.set_image(rendition.picture.size)
            if known != rendition.picture.size:
                self._arrange()

    def _seen(self) -> tuple[str, ...]:
        keys = self.keys
        if self._layout is Layout.WIPE and self._wipe and set(self._wipe) <= set(keys):
            return self._wipe
        if self._layout is Layout.BLINK:
            turns = self._turns()
            return (turns[self._blink_step % len(turns)],) if turns else ()
        return visible_keys(self._layout, keys, self._active, self._codec)

    def _turns(self) -> tuple[str, ...]:
        chosen = tuple(key for key in self._blink_keys if key in self._renditions)
        return chosen or tuple(key for key in (self.original, self._codec) if key)

    def _arrange(self) -> None:
        """Bring the panes in line with keys, layout and choice."""
        seen = [self._renditions[key] for key in self._seen()]
        blinking = self._layout is Layout.BLINK and len(self._turns()) > 1
        self._blink.start() if blinking else self._blink.stop()
        wipes = self._layout is Layout.WIPE and len(seen) == 2
        groups = [seen] if wipes else [[rendition] for rendition in seen]
        original = self._renditions.get(self.original)
        for pane, group in zip(self._panes, groups, strict=False):
            pane.show_renditions(*group)
        for pane in self._panes[len(groups) :]:
            pane.show_renditions(None)
        for pane in self._panes:
            pane.set_active(len(groups) > 1 and pane.key == self._active)
            pane.set_override(original if self._flipped else None)
            pane.canvas.set_reference(original)
        self._place_panes(len(groups))
        self._empty.setVisible(not groups)
        self._place_overlays()

    def _place_panes(self, count: int) -> None:
        rows, columns = self._rows_columns(count)
        free = self._layout is Layout.GRID and count == 3 and rows == 2
        shape = (rows, columns, count, free)
        if shape == self._shape:
            return
        self._shape = shape
        for widget in (*self._panes, self._add):
            self._grid.removeWidget(widget)
        for place, widget in enumerate((*self._panes[:count], self._add)[: count + free]):
            self._grid.addWidget(widget, place // columns, place % columns)
        for line in range(GRID_MOST):
            self._grid.setRowStretch(line, int(line < rows))
            self._grid.setColumnStretch(line, int(line < columns))
        for place, pane in enumerate(self._panes):
            pane.setVisible(place < count)
        self._add.setVisible(free)

    def _rows_columns(self, count: int) -> tuple[int, int]:
        if self._layout is Layout.SIDE:
            return 1, max(1, count)
        area = (max(1, self.width()), max(1, self.height()))
        return arrangement(count, area, self.linked.transform.image)

    def _place_overlays(self) -> None:
        self._empty.setGeometry(self.rect())
        self._hint.setGeometry(self.rect())
        corner = self.rect().bottomRight()
        for legend in (self._bar, self._square):
            legend.setVisible(legend is self._legend and not self._flipped and bool(self._renditions))
            legend.move(corner.x() - legend.width() - LEGEND_EDGE, corner.y() - legend.height() - LEGEND_EDGE)
            legend.raise_()
        self._hint.raise_()

    def _choose(self, key: str) -> None:
        if self._layout is not Layout.BLINK:
            self.set_active(key)

    def _blink_on(self) -> None:
        self._blink_step += 1
        turns = self._turns()
        if turns:
            self._panes[0].show_renditions(self._renditions[turns[self._blink_step % len(turns)]])

    def _maybe_idle(self) -> None:
        if not self.busy:
            self.idle.emit()

    # keyboard and window

    def keyPressEvent(self, event: QKeyEvent) -> None:
        place = event.key() - Qt.Key.Key_1.value
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.set_flipped(True)
        elif 0 <= place < 9 and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            if place < len(self._renditions):
                self.set_active(self.keys[place])
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.set_flipped(False)
        else:
            super().keyReleaseEvent(event)

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        """A key that is released elsewhere is not seen here: end the flip when the focus leaves."""
        if self._flipped and (new is None or not self.isAncestorOf(new)):
            self.set_flipped(False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.set_flipped(False)
        if event.type() == QEvent.Type.StyleChange:
            self.set_theme(current())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_panes(sum(bool(pane.key) for pane in self._panes))
        self._place_overlays()
