"""`LinkedView`: the one view that all panes share: what part, how large, and which texel the mouse is over."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from gui.views.transform import Point, Size, ViewTransform

FIT_MARGIN = 4  # px around a fitted picture


class LinkedView(QObject):
    """Holds the `ViewTransform` of several canvases. While `fits` is true it follows their sizes.

    Signals: `changed` (redraw), `scale_changed(float)` (device pixels a texel), `hover_changed(old, new)` (texels as
    (x, y), or None).
    """

    changed = Signal()
    scale_changed = Signal(float)
    hover_changed = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.transform = ViewTransform()
        self.fits = True
        self.hover: tuple[int, int] | None = None
        self.hover_owner: object = None
        self._panes: dict[object, tuple[Size, float]] = {}

    @property
    def scale(self) -> float:
        return self.transform.scale

    def set_pane(self, owner: object, size: Size | None, ratio: float = 1.0) -> None:
        """A canvas tells its size in device pixels and its device pixel ratio; None when it is hidden."""
        if size is None:
            self._panes.pop(owner, None)
        else:
            self._panes[owner] = (size, ratio)
        if self.fits:
            self.fit()

    def set_image(self, size: Size) -> None:
        """A picture of this size is looked at from now on. The same size keeps the view as it is."""
        if size == self.transform.image:
            return
        self._become(self.transform.resized(size))
        if self.fits:
            self.fit()

    def fit(self) -> None:
        """All of the picture in every pane, also when they are resized. One scale: that of the smallest pane."""
        self.fits = True
        if self._panes:
            sizes, ratios = zip(*self._panes.values(), strict=True)
            smallest = (min(w for w, _ in sizes), min(h for _, h in sizes))
            self._become(self.transform.fitted(smallest, round(FIT_MARGIN * max(ratios))))

    def one_to_one(self, pane: Size, anchor: Point | None = None) -> None:
        """One texel to one device pixel, around `anchor` in device pixels of `pane`."""
        self.fits = False
        self._become(self.transform.at_scale(1.0, pane, anchor))

    def zoom(self, factor: float, pane: Size, anchor: Point | None = None) -> None:
        self.fits = False
        self._become(self.transform.zoomed(factor, pane, anchor))

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by device pixels."""
        self.fits = False
        self._become(self.transform.panned(dx, dy))

    def set_transform(self, transform: ViewTransform) -> None:
        """Look at exactly this (a restored session, a jump to a place)."""
        self.fits = False
        self._become(transform)

    def set_hover(self, texel: tuple[int, int] | None, owner: object) -> None:
        """The mouse is over this texel in the canvas `owner`; None: over no picture."""
        if texel == self.hover and owner is self.hover_owner:
            return
        old, self.hover, self.hover_owner = self.hover, texel, owner
        self.hover_changed.emit(old, texel)

    def _become(self, transform: ViewTransform) -> None:
        if transform == self.transform:
            return
        rescaled = transform.scale != self.transform.scale
        self.transform = transform
        self.changed.emit()
        if rescaled:
            self.scale_changed.emit(transform.scale)
