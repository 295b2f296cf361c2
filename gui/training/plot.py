"""The plot of a run over time or steps: validations or running means, decays as branches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import style
from gui.theme import Theme, lane_colour, mix
from gui.training.branches import HOURS_FROM, MEASURES, Branch, Measure
from gui.widgets.combo import Combo
from gui.widgets.marks import marker_path
from gui.widgets.plot_items import CurveEnd, Overlay, ReadOut, TickAxis
from gui.widgets.themed import IconButton, Panel, label

_REACH = 24  # px from the pointer within which a point is meant
_STEEPNESS = 4.0  # times the height of the newer half: what fell from higher up leaves the plot at the top
_DOTS_UP_TO = 200  # points of a line: beyond, they are a line alone
_EMPTY = "The first validation draws a point here."


class ProgressPlot(Panel):
    """Signal asked(): another measure or axis is wanted. The axes follow the lines until the user zooms or pans."""

    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Progress", parent)
        self._branches: list[Branch] = []
        self._items: list[tuple[Branch, pg.PlotCurveItem, pg.ScatterPlotItem]] = []
        self._by_hand = False
        self.measure_combo = Combo("What is drawn", quiet=True)
        self.measure_combo.set_choices([(each.field, each.label) for each in MEASURES])
        self.axis_combo = Combo("Horizontal axis", quiet=True)
        self.axis_combo.set_choices([("time", "over time"), ("steps", "over steps")])
        for combo in (self.measure_combo, self.axis_combo):
            combo.currentIndexChanged.connect(self._on_asked)
            self.head.addWidget(combo)
        self.reset = IconButton("fit", "Show all of it")
        self.reset.clicked.connect(self.show_all)
        self.head.addWidget(self.reset)
        self._x_axis, self._y_axis = TickAxis("bottom"), TickAxis("left")
        self.view = pg.PlotWidget(axisItems={"bottom": self._x_axis, "left": self._y_axis}, background=None)
        self.view.setFrameShape(self.view.Shape.NoFrame)
        self.view.setAccessibleName("Plot of the training's progress")
        self.view.setMinimumHeight(120)
        item = self.view.getPlotItem()
        for axis in (self._x_axis, self._y_axis):
            axis.setZValue(-1)  # their grid lines belong under the curves
        item.hideButtons()
        item.setMenuEnabled(False)
        item.showGrid(x=True, y=True, alpha=1.0)
        self._item, self._box = item, item.getViewBox()
        self._box.setDefaultPadding(0)
        self._box.disableAutoRange()
        self._overlay = Overlay(self._box)
        self._overlay.setParentItem(self._box)
        self._box.sigRangeChangedManually.connect(self._on_hand)
        self._box.sigRangeChanged.connect(lambda *_: self._overlay.update())
        self._box.sigResized.connect(lambda *_: self._fit())
        self.view.scene().sigMouseMoved.connect(self._on_hover)
        self._empty = label(_EMPTY, "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        QVBoxLayout(self.view).addWidget(self._empty)
        self.body.addWidget(self.view, 1)
        self.retheme(style.current())

    @property
    def measure(self) -> Measure:
        return next(each for each in MEASURES if each.field == self.measure_combo.key())

    @property
    def over_steps(self) -> bool:
        return self.axis_combo.key() == "steps"

    def set_branches(self, branches: Sequence[Branch]) -> None:
        """Draw these lines, whose points are in seconds or steps as `over_steps` says."""
        new = [branch for branch in branches if branch.points]
        if new == self._branches:
            return
        self._branches = new
        self._overlay.read_out = None
        for _, line, dots in self._items:
            self._item.removeItem(line)
            self._item.removeItem(dots)
        self._items = []
        for branch in new:
            line = pg.PlotCurveItem(antialias=True)
            dots = pg.ScatterPlotItem(pxMode=True, antialias=True)
            line.setZValue(10)
            dots.setZValue(11)
            for item in (line, dots):
                self._item.addItem(item, ignoreBounds=True)
            self._items.append((branch, line, dots))
        self._empty.setVisible(not new)
        self._item.setVisible(bool(new))
        self.retheme(style.current())
        self._draw()

    def show_all(self) -> None:
        """Fit the axes to the lines, and keep them fitted while these grow."""
        self._by_hand = False
        self._fit()

    # ------------------------------------------------------------ drawing

    def retheme(self, theme: Theme) -> None:
        if not hasattr(self, "_overlay"):
            return
        self.view.setBackground(theme.panel)
        for axis in (self._x_axis, self._y_axis):
            axis.setPen(pg.mkPen(theme.grid_line))
            axis.setTextPen(pg.mkPen(theme.dim))
            axis.setTickPen(pg.mkPen(mix(theme.panel, theme.grid_line, 0.75)))
        for branch, line, dots in self._items:
            colour = QColor(lane_colour(branch.look.colour, theme))
            line.setPen(pg.mkPen(colour, width=1.8))
            dots.setSymbol(marker_path(branch.look.marker))
            dots.setSize(7)
            dots.setPen(pg.mkPen(None))
            dots.setBrush(pg.mkBrush(colour))
        self._label_axes()
        self._overlay.update()

    def _label_axes(self) -> None:
        css = {"color": style.current().dim, "font-size": f"{style.SMALL_PX}px"}
        self._x_axis.setLabel("steps" if self.over_steps else self._unit[1], **css)
        self._y_axis.setLabel(self.measure.label, **css)
        self.measure_combo.setToolTip(f"{self.measure.label}: {self.measure.about}")

    @property
    def _unit(self) -> tuple[float, str]:
        """Seconds of the axis's unit, and its name."""
        longest = max((branch.points[-1][0] for branch in self._branches), default=0.0)
        return (3600.0, "hours of training") if longest >= HOURS_FROM else (60.0, "minutes of training")

    def _placed(self, branch: Branch) -> list[tuple[float, float]]:
        """Its points in view coordinates."""
        scale = 1.0 if self.over_steps else self._unit[0]
        return [(x / scale, y) for x, y in branch.points]

    def _draw(self) -> None:
        ends = []
        for branch, line, dots in self._items:
            points = self._placed(branch)
            xs, ys = [x for x, _ in points], [y for _, y in points]
            line.setData(xs, ys)
            dots.setData(xs if len(xs) <= _DOTS_UP_TO else [], ys if len(ys) <= _DOTS_UP_TO else [])
            ends.append(CurveEnd(branch.key, branch.name, branch.look, tuple(points)))
        self._overlay.ends = ends
        self._label_axes()
        self._fit()
        self._overlay.update()

    def _fit(self) -> None:
        if self._by_hand or not self._items:
            return
        points = [point for branch, _, _ in self._items for point in self._placed(branch)]
        right = max(x for x, _ in points) or 1.0
        lo, hi = min(y for _, y in points), max(y for _, y in points)
        newer = max((y for x, y in points if x >= right / 2), default=hi)
        if newer > lo:
            hi = min(hi, lo + _STEEPNESS * (newer - lo))
        room = max(0.08 * (hi - lo), 1e-3 * max(abs(hi), abs(lo)), 1e-9)
        x1 = self._overlay.right_for_names(-0.02 * right, 1.02 * right)
        self._box.setRange(xRange=(-0.02 * right, x1), yRange=(lo - room, hi + room), padding=0)

    # ------------------------------------------------------------ the user

    def _on_asked(self) -> None:
        self._by_hand = False
        self.asked.emit()

    def _on_hand(self, *_: object) -> None:
        self._by_hand = True
        self._overlay.update()

    def _on_hover(self, scene_pos: QPointF) -> None:
        at = self._box.mapFromScene(scene_pos)
        found: ReadOut | None = None
        least = float(_REACH)
        inside = self._box.sceneBoundingRect().contains(scene_pos)
        for branch, _, _ in self._items if inside else ():
            for (x, y), (raw, _) in zip(self._placed(branch), branch.points, strict=True):
                pixel = self._overlay.to_pixels(x, y)
                distance = math.hypot(pixel.x() - at.x(), pixel.y() - at.y())
                if distance < least:
                    least = distance
                    place = f"{raw:,.0f} steps" if self.over_steps else f"{x:.2f} {self._unit[1]}"
                    found = ReadOut(branch.look, x, y, (branch.name, f"{self.measure.label} {y:.4g}", place))
        if found != self._overlay.read_out:
            self._overlay.read_out = found
            self._overlay.update()
