"""`Refiner`: exact minification for the view at rest.

While one zooms, a canvas draws from the nearest pyramid level, bilinearly: quick, a little soft or rough. Once the
threads have it, the same view averaged exactly takes its place; panning then only moves it. The pictures of all
panes, and the one a flip will show, are refined alike, so that a flip compares pictures and never filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from gui.views.picture import Picture, resampled
from gui.views.transform import Size
from gui.views.worker import PictureWorker

MARGIN = 192  # device px refined around the seen part, for panning
SETTLE_MS = 60  # a zoom in progress is waited for

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Refined:
    """A part `box` (left, top, right, bottom in device px) of a picture drawn `drawn` large."""

    drawn: Size
    box: Box
    image: QImage
    pixels: np.ndarray  # owns the memory of `image`

    def covers(self, drawn: Size, box: Box) -> bool:
        mine = self.box
        return self.drawn == drawn and (
            mine[0] <= box[0] and mine[1] <= box[1] and mine[2] >= box[2] and mine[3] >= box[3]
        )


def refine(picture: Picture, drawn: Size, box: Box) -> Refined:
    """`box` with a margin, averaged exactly. Safe on any thread."""
    wide = (
        max(0, box[0] - MARGIN),
        max(0, box[1] - MARGIN),
        min(drawn[0], box[2] + MARGIN),
        min(drawn[1], box[3] + MARGIN),
    )
    pixels, image = resampled(picture, drawn, wide)
    return Refined(drawn, wide, image, pixels)


class Refiner(QObject):
    """The refined part of each picture, one a picture, made on demand. Signal `refined`: redraw."""

    refined = Signal()

    def __init__(self, worker: PictureWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.worker = worker
        self._done: WeakKeyDictionary[Picture, Refined] = WeakKeyDictionary()
        self._waiting: WeakKeyDictionary[Picture, tuple[Size, Box]] = WeakKeyDictionary()
        self._sent: WeakKeyDictionary[Picture, tuple[Size, Box]] = WeakKeyDictionary()
        self._settle = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self._submit)
        self._geometry: tuple[Size, Size, Box] | None = None  # picture size, drawn, box of the last request

    @property
    def pending(self) -> bool:
        return self._settle.isActive()

    def get(self, picture: Picture, drawn: Size, box: Box) -> Refined | None:
        """The refined part that covers `box`, or None, and then `refined` is emitted once it is there."""
        done = self._done.get(picture)
        moved = self._geometry is not None and self._geometry[:2] != (picture.size, drawn)
        self._geometry = (picture.size, drawn, box)
        if picture.is_draft:
            return None
        if done is not None and done.covers(drawn, box):
            return done
        if (drawn, box) not in (self._waiting.get(picture), self._sent.get(picture)):
            self._waiting[picture] = (drawn, box)
            self._settle.start(SETTLE_MS if moved or self._settle.isActive() else 0)
        return None

    def want(self, picture: Picture) -> None:
        """Refine `picture` for the view that was last drawn, before it is asked for."""
        if self._geometry is not None and self._geometry[0] == picture.size:
            self.get(picture, *self._geometry[1:])

    def not_needed(self) -> None:
        """The view shows texels as they are."""
        self._geometry = None

    def for_present_view(self, picture: Picture) -> Refined | None:
        """`picture` refined for the view that was last drawn, None where there is none of its size. On any thread."""
        geometry = self._geometry
        return refine(picture, *geometry[1:]) if geometry is not None and geometry[0] == picture.size else None

    def keep(self, picture: Picture, refined: Refined | None) -> None:
        """Take what `for_present_view` made."""
        if refined is not None:
            self._done[picture] = refined

    def _submit(self) -> None:
        waiting, self._waiting = dict(self._waiting), WeakKeyDictionary()
        for picture, geometry in waiting.items():
            self._sent[picture] = geometry
            self.worker.submit(
                (self, picture), partial(refine, picture, *geometry), partial(self._have, picture), self._fail
            )

    def _have(self, picture: Picture, refined: Refined) -> None:
        self._sent.pop(picture, None)
        self._done[picture] = refined
        self.refined.emit()

    def _fail(self, _reason: str) -> None:
        """Without memory for it the bilinear view stays; it is asked for again when the view changes."""
