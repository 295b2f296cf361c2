"""`ViewTransform`: which part of a picture is looked at, and how large. Without Qt, shared by all linked panes.

Two coordinate systems. *Image*: texel (x, y) covers [x, x+1) × [y, y+1). *Device*: physical pixels of a pane, from
its top left. A device position is `origin + scale · image`, and the origin is a whole number of device pixels: 1:1 is
exact, panes of one size agree to the pixel, and a pan moves pixels without resampling them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MIN_SCALE = 1 / 64
MAX_SCALE = 64.0

Size = tuple[int, int]  # width, height
Point = tuple[float, float]


def clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@dataclass(frozen=True)
class ViewTransform:
    """image: width, height in texels. centre: the image position in the middle of a pane. scale: device px a texel."""

    image: Size = (1, 1)
    centre: Point = (0.5, 0.5)
    scale: float = 1.0

    @staticmethod
    def fit_scale(image: Size, pane: Size, margin: int = 0) -> float:
        """The largest scale at which all of `image` is seen in `pane` (device px) less `margin` on each side.

        Above 1 it is a whole number: texels of uneven width would look like artefacts that no codec made.
        """
        room = [max(1, side - 2 * margin) for side in pane]
        scale = min(room[0] / image[0], room[1] / image[1])
        if scale > 1:
            scale = math.floor(scale)
        return clamp(scale, MIN_SCALE, MAX_SCALE)

    def fitted(self, pane: Size, margin: int = 0) -> ViewTransform:
        """All of the picture, in the middle of the pane."""
        width, height = self.image
        return replace(self, centre=(width / 2, height / 2), scale=self.fit_scale(self.image, pane, margin))

    def at_scale(self, scale: float, pane: Size, anchor: Point | None = None) -> ViewTransform:
        """Another scale; what lies under `anchor` (device px; None: the middle of the pane) stays there."""
        scale = clamp(scale, MIN_SCALE, MAX_SCALE)
        anchor = (pane[0] / 2, pane[1] / 2) if anchor is None else anchor
        x, y = self.to_image(anchor, pane)
        centre = (x - (anchor[0] - pane[0] / 2) / scale, y - (anchor[1] - pane[1] / 2) / scale)
        return replace(self, centre=centre, scale=scale)._within()

    def zoomed(self, factor: float, pane: Size, anchor: Point | None = None) -> ViewTransform:
        """`factor` times the scale, around `anchor`. A zoom that would jump over 1:1 stops there."""
        scale = self.scale * factor
        if min(self.scale, scale) < 1 < max(self.scale, scale):
            scale = 1.0
        return self.at_scale(scale, pane, anchor)

    def panned(self, dx: float, dy: float) -> ViewTransform:
        """The picture moved by (dx, dy) device pixels; some of it always stays in the middle of the pane."""
        x, y = self.centre
        return replace(self, centre=(x - dx / self.scale, y - dy / self.scale))._within()

    def resized(self, image: Size) -> ViewTransform:
        """The same view of a picture of other size: the same relative place, at the same scale."""
        x, y = self.centre
        return replace(self, image=image, centre=(x * image[0] / self.image[0], y * image[1] / self.image[1]))

    def _within(self) -> ViewTransform:
        (width, height), (x, y) = self.image, self.centre
        return replace(self, centre=(clamp(x, 0, width), clamp(y, 0, height)))

    def origin(self, pane: Size) -> tuple[int, int]:
        """Where the picture's top left corner lies in `pane`, in whole device pixels."""
        return (
            math.floor(pane[0] / 2 - self.centre[0] * self.scale + 0.5),
            math.floor(pane[1] / 2 - self.centre[1] * self.scale + 0.5),
        )

    def drawn_size(self) -> Size:
        """Device pixels that the whole picture covers, rounded to whole ones."""
        return max(1, round(self.image[0] * self.scale)), max(1, round(self.image[1] * self.scale))

    def to_image(self, point: Point, pane: Size) -> Point:
        """The image position at a device position of `pane`; it may lie outside the picture."""
        left, top = self.origin(pane)
        return (point[0] - left) / self.scale, (point[1] - top) / self.scale

    def to_device(self, point: Point, pane: Size) -> Point:
        """The device position of an image position."""
        left, top = self.origin(pane)
        return left + point[0] * self.scale, top + point[1] * self.scale

    def texel(self, point: Point, pane: Size) -> tuple[int, int] | None:
        """The texel under a device position, or None outside the picture."""
        x, y = (math.floor(v) for v in self.to_image(point, pane))
        return (x, y) if 0 <= x < self.image[0] and 0 <= y < self.image[1] else None
