"""The rate–distortion plot that grows while one works."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.metric import MetricInfo
from engine.trial import DB_METRICS, TargetKind
from gui import style
from gui.models.curves import RdPoint, Reference, drawable, frontier
from gui.models.lane import LaneTag
from gui.models.units import rate_text, score_text, size_text
from gui.theme import Theme, mix
from gui.widgets.combo import Combo
from gui.widgets.keys import keep_keys
from gui.widgets.lane_items import LaneItems
from gui.widgets.plot_items import CurveEnd, Overlay, ReadOut, Ring, TickAxis
from gui.widgets.themed import IconButton, Panel, label

__all__ = ["RdPlot", "RdPoint", "Reference"]

_USEFUL = (0.06, 3.0)  # bpp: where lossy codecs are compared; probes go far beyond and would flatten the plot
_BATCH_MS = 30  # redraws per burst of results: once
_BELOW, _ABOVE = 12, 24  # px kept free under and over the curves: names may stand there
_REACH = 24  # px from the pointer within which a point is meant
_EMPTY = "Every encode draws a point here.\nDrop a picture, add codecs, and move the rate lock."


class _Fit(enum.Enum):
    """What the axes follow."""

    USEFUL = enum.auto()
    ALL = enum.auto()
    HAND = enum.auto()


class RdPlot(Panel):
    """RD curves of all lanes.

    Points are given with all their scores; the plot draws the chosen metric. The line runs straight through
    the points that no other one beats, the rest stay visible, faintly. Setters may be called at any rate:
    changed curves are redrawn together, once every 30 ms. With the keyboard, left and right walk along a curve,
    up and down go to another, Enter takes the point.

    Signals, from the user only: point_clicked(lane_id, bpp), metric_changed(metric_id),
    log_changed(rate axis is logarithmic), export_requested().
    """

    point_clicked = Signal(str, float)
    metric_changed = Signal(str)
    log_changed = Signal(bool)
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Rate – distortion", parent)
        self._lanes: dict[str, LaneItems] = {}
        self._metrics: dict[str, MetricInfo] = {}
        self._references: list[tuple[Reference, pg.PlotCurveItem]] = []
        self._dirty: set[str] = set()
        self._fit_to = _Fit.USEFUL
        self._marked: tuple[str, RdPoint] | None = None
        self._target: tuple[TargetKind, float] | None = None
        self._pixels: int | None = None
        self.metric_combo = Combo("Metric on the vertical axis", quiet=True)
        self.metric_combo.currentIndexChanged.connect(self._metric_chosen)
        self.axis_combo = Combo("Rate axis", quiet=True)
        self.axis_combo.set_choices([("log", "bpp, log"), ("linear", "bpp, linear"), ("vram", "VRAM bpp, log")])
        self.axis_combo.currentIndexChanged.connect(self._axis_chosen)
        self.reset = IconButton("fit", "Show all points")
        self.reset.clicked.connect(self.show_all)
        self.export = QPushButton("Export…")
        self.export.setProperty("kind", "quiet")
        self.export.clicked.connect(self.export_requested)
        for widget in (self.metric_combo, self.axis_combo, self.reset, self.export):
            self.head.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_BATCH_MS)
        self._timer.timeout.connect(self._redraw)
        self._make_plot()
        self.retheme(style.current())

    def _make_plot(self) -> None:
        self._x_axis, self._y_axis = TickAxis("bottom"), TickAxis("left")
        self._x_axis.log = True
        self.view = pg.PlotWidget(axisItems={"bottom": self._x_axis, "left": self._y_axis}, background=None)
        self.view.setFrameShape(self.view.Shape.NoFrame)
        self.view.setAccessibleName("Rate–distortion plot")
        self.view.setMinimumHeight(120)
        self._item = self.view.getPlotItem()
        for axis in (self._x_axis, self._y_axis):
            axis.setZValue(-1)  # their grid lines belong under the curves
        self._item.hideButtons()
        self._item.setMenuEnabled(False)
        self._box = self._item.getViewBox()
        self._box.setDefaultPadding(0)
        self._box.disableAutoRange()
        self._item.showGrid(x=True, y=True, alpha=1.0)
        self._target_line = pg.InfiniteLine(angle=90, movable=False)
        self._target_line.setZValue(5)
        self._target_line.hide()
        self._item.addItem(self._target_line, ignoreBounds=True)
        self._overlay = Overlay(self._box)
        self._overlay.setParentItem(self._box)
        self._box.sigRangeChangedManually.connect(self._zoomed)
        self._box.sigRangeChanged.connect(lambda *_: self._overlay.update())
        self._box.sigResized.connect(lambda *_: self._timer.start())
        self.view.scene().sigMouseMoved.connect(self._hovered)
        self.view.scene().sigMouseClicked.connect(self._clicked)
        self.view.viewport().installEventFilter(self)
        self.view.installEventFilter(self)
        self.view.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        keep_keys(self.view, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
        self._empty = label(_EMPTY, "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        over = QVBoxLayout(self.view)
        over.addWidget(self._empty)
        self.body.addWidget(self.view, 1)

    # ------------------------------------------------------------ data

    def set_metrics(self, metrics: Sequence[MetricInfo], chosen: str = "") -> None:
        """The metrics to choose from; `chosen` (or the one chosen before, or the first) is drawn."""
        self._metrics = {metric.id: metric for metric in metrics}
        self.metric_combo.set_choices([(metric.id, metric.label) for metric in metrics])
        if chosen:
            self.metric_combo.set_key(chosen)
        self._all_dirty()

    def set_metric(self, metric_id: str) -> None:
        """Draw this metric, without a signal."""
        self.metric_combo.set_key(metric_id)
        self._all_dirty()

    @property
    def in_memory(self) -> bool:
        """Whether the rate axis counts video memory: targets and curves from elsewhere have no place there."""
        return self.axis_combo.key() == "vram"

    @property
    def log(self) -> bool:
        """Whether the rate axis is logarithmic."""
        return self._x_axis.log

    def set_log(self, log: bool) -> None:
        """Logarithmic or linear rate axis, without a signal."""
        self.axis_combo.set_key("log" if log else "linear")
        self._set_scale(log)

    def _set_scale(self, log: bool) -> None:
        self._x_axis.log = log
        self._fit_to = _Fit.USEFUL
        self._all_dirty()

    def set_lanes(self, lanes: Sequence[LaneTag]) -> None:
        """The lanes with their names and looks; curves of lanes that are gone are removed."""
        for lane_id in [lane_id for lane_id in self._lanes if lane_id not in {lane.id for lane in lanes}]:
            gone = self._lanes.pop(lane_id)
            if self._marked is not None and self._marked[0] == lane_id:
                self._mark(None)
            for item in gone.items:
                self._item.removeItem(item)
        for tag in lanes:
            if tag.id not in self._lanes:
                self._lanes[tag.id] = fresh = LaneItems(tag)
                for item in fresh.items:
                    self._item.addItem(item, ignoreBounds=True)
            lane = self._lanes[tag.id]
            lane.tag = tag
            lane.dress(style.current())
            self._dirty.add(tag.id)
        self._timer.start()

    def set_curve(self, lane_id: str, points: Sequence[RdPoint]) -> None:
        """All trials of a lane so far, in any order; an unknown lane is ignored."""
        lane = self._lanes.get(lane_id)
        if lane is not None and lane.points != tuple(points):
            lane.points = tuple(points)
            self._dirty.add(lane_id)
            self._timer.start()

    def set_operating_point(self, lane_id: str, point: RdPoint | None) -> None:
        """The trial that the lane's pane shows: ringed."""
        if lane_id in self._lanes:
            self._lanes[lane_id].operating = point
            self._timer.start()

    def operating_point(self, lane_id: str) -> RdPoint | None:
        """The trial that is ringed for a lane, or None."""
        return self._lanes[lane_id].operating

    def set_target(self, kind: TargetKind | str, value: float, pixels: int | None = None) -> None:
        """The rate lock's target as a dashed line; `pixels` of the picture turn bytes into bpp.

        A PSNR target is drawn while PSNR is the metric.
        """
        self._target, self._pixels = (TargetKind(kind), value), pixels
        self._timer.start()

    def set_references(self, references: Sequence[Reference]) -> None:
        """Curves from elsewhere, laid under ours in dashed grey with their names."""
        for _, item in self._references:
            self._item.removeItem(item)
        self._references = []
        for reference in references:
            item = pg.PlotCurveItem(antialias=True)
            item.setZValue(1)
            self._item.addItem(item, ignoreBounds=True)
            self._references.append((reference, item))
        self.retheme(style.current())
        self._timer.start()

    def show_all(self) -> None:
        """Fit the axes to every point there is; once they are, to the rates at which people compare again.

        They stay fitted while curves grow, until the user zooms or pans.
        """
        self._fit_to = _Fit.USEFUL if self._fit_to is _Fit.ALL else _Fit.ALL
        self.reset.set_name("Show useful rates" if self._fit_to is _Fit.ALL else "Show all points")
        self._timer.start()

    def flush(self) -> None:
        """Draw everything that is pending now (for screenshots)."""
        self._redraw()

    # ------------------------------------------------------------ drawing

    def retheme(self, theme: Theme) -> None:
        if not hasattr(self, "_overlay"):
            return
        self.view.setBackground(theme.panel)
        for axis in (self._x_axis, self._y_axis):
            axis.setPen(pg.mkPen(theme.grid_line))
            axis.setTextPen(pg.mkPen(theme.dim))
            axis.setTickPen(pg.mkPen(mix(theme.panel, theme.grid_line, 0.75)))
        dash = pg.mkPen(theme.dim, width=1)
        dash.setDashPattern([4, 4])
        self._target_line.setPen(dash)
        grey = pg.mkPen(mix(theme.panel, theme.dim, 0.75), width=1.2)
        grey.setDashPattern([5, 4])
        for _, item in self._references:
            item.setPen(grey)
        for lane in self._lanes.values():
            lane.dress(theme)
        self._label_axes()
        self._overlay.update()

    def _label_axes(self) -> None:
        metric = self._chosen()
        css = {"color": style.current().dim, "font-size": f"{style.SMALL_PX}px"}
        self._x_axis.setLabel("rate in video memory (bpp)" if self.in_memory else "rate on disk (bpp)", **css)
        if metric is not None:
            unit = f" ({metric.unit})" if metric.unit else ""
            better = "" if metric.higher_is_better else ", lower is better"
            self._y_axis.setLabel(f"{metric.label}{unit}{better}", **css)

    def _chosen(self) -> MetricInfo | None:
        return self._metrics.get(self.metric_combo.key())

    def _x(self, bpp: float) -> float:
        return math.log10(bpp) if self._x_axis.log else bpp

    def _all_dirty(self) -> None:
        self._dirty.update(self._lanes)
        self._label_axes()
        self._timer.start()

    def _redraw(self) -> None:
        self._timer.stop()
        metric = self._chosen()
        if metric is None:
            return
        for lane_id in self._dirty & set(self._lanes):
            self._draw_lane(self._lanes[lane_id], metric)
        self._dirty.clear()
        for reference, item in self._references:
            points = drawable(self._placed(reference.points), metric)
            item.setData([self._x(p.bpp) for p in points], [p.scores[metric.id] for p in points])
        empty = not any(lane.shown for lane in self._lanes.values()) and not self._references
        self._empty.setVisible(empty)
        self._item.setVisible(not empty)
        self._overlay.rings = [
            Ring(lane.tag.look, self._x(point.bpp), point.scores[metric.id])
            for lane in self._lanes.values()
            for point in self._operating(lane, metric)
        ]
        self._place_target(metric)
        self._place_ends(metric)
        if self._fit_to is not _Fit.HAND:
            self._fit(metric)
        self._overlay.update()

    def _draw_lane(self, lane: LaneItems, metric: MetricInfo) -> None:
        lane.shown = drawable(self._placed(lane.points), metric)
        lane.best = frontier(lane.shown, metric)
        kept = {id(point) for point in lane.best}
        xs, ys = [self._x(p.bpp) for p in lane.best], [p.scores[metric.id] for p in lane.best]
        lane.line.setData(xs, ys)
        lane.dots.setData(xs, ys)
        rest = [p for p in lane.shown if id(p) not in kept]
        lane.faint.setData([self._x(p.bpp) for p in rest], [p.scores[metric.id] for p in rest])

    def _placed(self, points: Sequence[RdPoint]) -> Sequence[RdPoint]:
        """Points as the rate axis has them; those without a place on it are left out."""
        if not self.in_memory:
            return points
        return [placed for placed in (point.in_memory() for point in points) if placed is not None]

    def _operating(self, lane: LaneItems, metric: MetricInfo) -> list[RdPoint]:
        """What the lane's pane shows, as a list of one; none where it cannot be drawn."""
        return drawable(self._placed([lane.operating] if lane.operating else []), metric)

    def _target_rate(self) -> float | None:
        """The target in bpp, if it is one of rate and the axis is."""
        kind, value = (None, 0.0) if self._target is None or self.in_memory else self._target
        if kind is TargetKind.BYTES:
            return 8 * value / self._pixels if self._pixels else None
        return value if kind is TargetKind.BPP else None

    def _place_target(self, metric: MetricInfo) -> None:
        at: tuple[float, float] | None = None  # angle, position
        rate = self._target_rate()
        if rate is not None:
            at = (90, self._x(rate))
        elif self._target is not None and self._target[0] is TargetKind.PSNR and metric.id in DB_METRICS.values():
            at = (0, self._target[1])
        self._target_line.setVisible(at is not None)
        if at is not None:
            self._target_line.setAngle(at[0])
            self._target_line.setPos(at[1])

    def _place_ends(self, metric: MetricInfo) -> None:
        ends = [
            CurveEnd(lane.tag.id, lane.tag.label, lane.tag.look, self._line(lane.best, metric))
            for lane in self._lanes.values()
            if lane.best
        ]
        for reference, _ in self._references:
            points = drawable(self._placed(reference.points), metric)
            if points:
                ends.append(CurveEnd(f"reference:{reference.name}", reference.name, None, self._line(points, metric)))
        self._overlay.ends = ends

    def _line(self, points: Sequence[RdPoint], metric: MetricInfo) -> tuple[tuple[float, float], ...]:
        return tuple((self._x(point.bpp), point.scores[metric.id]) for point in points)

    def _fit(self, metric: MetricInfo) -> None:
        """Fit the view to the curves, with room for the names at their right; references count only without any."""
        points = [p for lane in self._lanes.values() for p in lane.shown or ()]
        if not points:
            points = [p for reference, _ in self._references for p in drawable(self._placed(reference.points), metric)]
        target = self._target_rate()
        if self._fit_to is _Fit.USEFUL and not self.in_memory:
            lo, hi = _USEFUL if target is None else (min(_USEFUL[0], target / 2), max(_USEFUL[1], target * 2))
            useful = [p for p in points if lo <= p.bpp <= hi]
            points = useful + [p for lane in self._lanes.values() for p in self._operating(lane, metric)] or points
        if not points:
            return
        xs, ys = [self._x(p.bpp) for p in points], [p.scores[metric.id] for p in points]
        if target is not None:
            xs.append(self._x(target))
        least_x, least_y = (0.3 if self._x_axis.log else 0.2), 10.0**-metric.digits * 20
        x0, x1 = _widened(min(xs), max(xs), least_x)
        y0, y1 = _widened(min(ys), max(ys), least_y)
        rect = self._box.rect()
        x0 -= (x1 - x0) * 0.04
        if not self._x_axis.log:
            x0 = max(0.0, x0)
        x1 = self._overlay.right_for_names(x0, x1 + (x1 - x0) * 0.04)
        pixel = (y1 - y0) / max(60.0, rect.height() - _BELOW - _ABOVE)
        self._box.setRange(xRange=(x0, x1), yRange=(y0 - _BELOW * pixel, y1 + _ABOVE * pixel), padding=0)

    # ------------------------------------------------------------ the user

    def _metric_chosen(self) -> None:
        self._fit_to = _Fit.USEFUL
        self._all_dirty()
        self.metric_changed.emit(self.metric_combo.key())

    def _axis_chosen(self) -> None:
        self._set_scale(self.axis_combo.key() != "linear")
        self.log_changed.emit(self._x_axis.log)

    def _zoomed(self, *_: object) -> None:
        self._fit_to = _Fit.HAND
        self.reset.set_name("Show all points")
        self._overlay.update()

    def nearest(self, at: QPointF) -> tuple[str, RdPoint] | None:
        """The drawn point nearest to `at` (pixels of the plot area), within reach of a pointer."""
        metric = self._chosen()
        found: tuple[str, RdPoint] | None = None
        least = float(_REACH)
        if metric is None:
            return None
        for lane in self._lanes.values():
            for point in lane.shown or ():
                pixel = self._overlay.to_pixels(self._x(point.bpp), point.scores[metric.id])
                distance = math.hypot(pixel.x() - at.x(), pixel.y() - at.y())
                if distance < least:
                    least, found = distance, (lane.tag.id, point)
        return found

    def _hovered(self, scene_pos: QPointF) -> None:
        inside = self._box.sceneBoundingRect().contains(scene_pos)
        self._mark(self.nearest(self._box.mapFromScene(scene_pos)) if inside else None)

    def _mark(self, found: tuple[str, RdPoint] | None) -> None:
        """Read a point out, or none."""
        metric, before = self._chosen(), self._overlay.read_out
        self._marked = found if metric is not None else None
        if found is None or metric is None:
            self._overlay.read_out = None
        else:
            lane, point = self._lanes[found[0]], found[1]
            size = f" · {size_text(point.size)}" if point.size is not None else ""
            memory = f" · VRAM {rate_text(point.vram)} bpp" if point.vram is not None and self.in_memory else ""
            figures = f"{rate_text(point.on_disk)} bpp{size}{memory} · {score_text(point.scores[metric.id], metric)}"
            lines = tuple(line for line in (lane.tag.label, figures, point.note) if line)
            self._overlay.read_out = ReadOut(lane.tag.look, self._x(point.bpp), point.scores[metric.id], lines)
            self.view.setAccessibleDescription(", ".join(lines))
        if self._overlay.read_out != before:
            shape = Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.ArrowCursor
            self.view.viewport().setCursor(shape)
            self._overlay.update()

    def _walk(self, along: int, across: int) -> None:
        """Move the read-out by keys: along a curve by rate, or across to another lane at the nearest rate."""
        lanes = [lane_id for lane_id, lane in self._lanes.items() if lane.shown]
        if not lanes:
            return
        lane_id, point = self._marked or (lanes[0], None)
        if point is None or lane_id not in lanes:
            lane = self._lanes[lanes[0]]
            metric = self._chosen()
            begin = [*(self._operating(lane, metric) if metric else ()), *(lane.shown or ())]
            rate, lane_id = begin[0].bpp, lanes[0]
        else:
            rate = point.bpp
            lane_id = lanes[(lanes.index(lane_id) + across) % len(lanes)]
        shown = self._lanes[lane_id].shown or []
        place = min(range(len(shown)), key=lambda k: abs(shown[k].bpp - rate))
        self._mark((lane_id, shown[min(len(shown) - 1, max(0, place + (along if point else 0)))]))

    def _clicked(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.show_all()
        elif event.button() == Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            found = self.nearest(self._box.mapFromScene(event.scenePos()))  # type: ignore[attr-defined]
            if found is not None:
                self.point_clicked.emit(found[0], found[1].on_disk)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Leave, QEvent.Type.FocusOut):
            self._mark(None)
        if watched is self.view and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._overlay.focused = event.type() == QEvent.Type.FocusIn
            self._overlay.update()
        elif watched is self.view and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        return False

    def _key(self, event: QKeyEvent) -> bool:
        ways: dict[int, tuple[int, int]] = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if event.key() in ways:
            self._walk(*ways[event.key()])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._marked is not None:
            self.point_clicked.emit(self._marked[0], self._marked[1].on_disk)
        else:
            return False
        return True


def _widened(lo: float, hi: float, least: float) -> tuple[float, float]:
    """The span from lo to hi, at least `least` wide around its middle."""
    missing = max(0.0, least - (hi - lo)) / 2
    return lo - missing, hi + missing
