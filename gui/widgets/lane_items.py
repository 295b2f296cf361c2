"""A lane on the rate–distortion plot: its points, and what draws them."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor

from gui.models.curves import RdPoint
from gui.models.lane import LaneTag
from gui.theme import Theme, lane_colour
from gui.widgets.marks import marker_path


class LaneItems:
    """line, dots: of the points that no other one beats. faint: the rest. operating: the point that is shown."""

    def __init__(self, tag: LaneTag) -> None:
        self.tag = tag
        self.line = pg.PlotCurveItem(antialias=True)
        self.dots = pg.ScatterPlotItem(pxMode=True, antialias=True)
        self.faint = pg.ScatterPlotItem(pxMode=True, antialias=True)
        for height, item in ((10, self.line), (9, self.faint), (11, self.dots)):
            item.setZValue(height)
        self.points: tuple[RdPoint, ...] = ()
        self.shown: list[RdPoint] | None = None
        self.best: list[RdPoint] | None = None
        self.operating: RdPoint | None = None

    @property
    def items(self) -> tuple[pg.GraphicsObject, ...]:
        """For the plot to hold."""
        return self.line, self.faint, self.dots

    def dress(self, theme: Theme) -> None:
        colour = QColor(lane_colour(self.tag.look.colour, theme))
        weak = QColor(colour)
        weak.setAlphaF(0.35)
        self.line.setPen(pg.mkPen(colour, width=1.8))
        for item, ink in ((self.dots, colour), (self.faint, weak)):
            item.setSymbol(marker_path(self.tag.look.marker))
            item.setSize(8)
            item.setPen(pg.mkPen(None))
            item.setBrush(pg.mkBrush(ink))
