"""The window: puts the parts in their places and wires them to state and controller. It computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from engine.curves import Curve
from engine.metrics import metric, metric_ids
from engine.trial import Target, TargetKind
from gui import actions, style
from gui.commands import Commands
from gui.controller import Controller
from gui.panels.codecs import CodecChoice, CodecsPanel
from gui.panels.rate_lock import RateLock
from gui.panels.rd_plot import RdPlot
from gui.panels.sources import SourcesPanel
from gui.panels.status import StatusBar
from gui.panels.top_bar import TopBar
from gui.panels.verdict import VerdictPanel
from gui.refresh import Refresher
from gui.state import State, Topic, View
from gui.theme import GRID
from gui.views.compare import CompareArea
from gui.views.layouts import Layout
from gui.widgets.fold import FoldingSide
from gui.widgets.loupe import Loupe
from gui.widgets.palette import CommandPalette
from gui.widgets.themed import Panel
from gui.widgets.toast import Level, Toasts

LEFT_WIDTH, RIGHT_WIDTH = 212, 264
LOWER_SHARE, LOWER_MOST = 0.27, 280  # of the window's height, at most so many pixels, for plot and table
REFRESH_MS = 30  # changes of state that come closer together are drawn once


class MainWindow(QMainWindow):
    """Sources left, pictures and rate lock and plots in the middle, codecs right, status below."""

    def __init__(self, state: State, controller: Controller) -> None:
        super().__init__()
        self.state, self.controller = state, controller
        self.setWindowTitle("Ratescope")
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 640)
        self.references: list[Curve] = []
        self.toasts = Toasts(self)
        self._make_parts()
        self._place_parts()
        self.refresher = Refresher(self)
        self.commands = Commands(self)
        self.actions_by_id = actions.build(self, self.commands.serve)
        self.palette_list = CommandPalette(self)
        self._listen()
        self._watch_state()

    def _make_parts(self) -> None:
        self.top_bar = TopBar()
        self.sources = SourcesPanel()
        self.compare = CompareArea()
        self.rate_lock = RateLock()
        self.plot = RdPlot()
        self.verdict = VerdictPanel()
        self.codecs = CodecsPanel()
        self.loupe = Loupe()
        self.status = StatusBar()
        self.top_bar.set_map_metrics([(m, f"{metric(m).info.label} map") for m in _maps()], self.state.map_metric)
        self.top_bar.set_layout(self.state.layout)
        self.top_bar.set_view(self.state.view)
        self.plot.set_metrics([metric(m).info for m in metric_ids()], self.state.score_metric)
        self.rate_lock.set_target(self.state.target.kind, self.state.target.value)

    def _place_parts(self) -> None:
        self.left = FoldingSide(Qt.Edge.LeftEdge, "Sources", LEFT_WIDTH)
        self.left.add("picture", "Sources", self.sources, 1)
        under = Panel("Under the cursor")
        under.body.addWidget(self.loupe)
        self.right = FoldingSide(Qt.Edge.RightEdge, "Codecs", RIGHT_WIDTH)
        self.right.add("codecs", "Codecs", self.codecs, 1)
        self.right.add("search", "Under the cursor", under)
        self.bottom = QSplitter(Qt.Orientation.Horizontal)
        self.bottom.addWidget(self.plot)
        self.bottom.addWidget(self.verdict)
        self.bottom.setSizes([520, 480])
        self.bottom.setStretchFactor(0, 1)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID + 2)
        column.addWidget(self.compare, 1)
        column.addWidget(self.rate_lock)
        self.middle = QSplitter(Qt.Orientation.Vertical)
        self.middle.addWidget(upper)
        self.middle.addWidget(self.bottom)
        self.middle.setStretchFactor(0, 1)
        self.middle.setStretchFactor(1, 0)
        self._sized_by_hand = False
        self.middle.splitterMoved.connect(self._note_hand)
        for splitter in (self.bottom, self.middle):
            splitter.setHandleWidth(GRID + 2)
            splitter.setChildrenCollapsible(False)
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.top_bar)
        inset = QWidget()
        columns = QHBoxLayout(inset)
        columns.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        columns.setSpacing(GRID + 2)
        columns.addWidget(self.left)
        columns.addWidget(self.middle, 1)
        columns.addWidget(self.right)
        rows.addWidget(inset, 1)
        rows.addWidget(self.status)
        self.setCentralWidget(whole)

    def _note_hand(self) -> None:
        self._sized_by_hand = True

    # -- gestures

    def _listen(self) -> None:
        state, controller = self.state, self.controller
        self.sources.chosen.connect(lambda key: controller.choose_source(int(key)))
        self.sources.remove.connect(lambda key: controller.remove_source(int(key)))
        self.sources.reveal.connect(lambda key: self.commands.reveal(int(key)))
        self.sources.open_requested.connect(lambda: self.commands.serve("open"))
        self.sources.dropped.connect(lambda paths: self.commands.take([Path(p) for p in paths]))
        self.codecs.add.connect(controller.add_codec)
        self.codecs.duplicate.connect(lambda key: controller.duplicate_lane(int(key)))
        self.codecs.remove.connect(lambda key: controller.remove_lane(int(key)))
        self.codecs.reorder.connect(lambda keys: state.reorder_lanes([int(key) for key in keys]))
        self.codecs.settings_changed.connect(lambda key, new: controller.set_lane_settings(int(key), new))
        self.codecs.visibility_changed.connect(lambda key, on: state.set_lane_visible(int(key), on))
        self.codecs.stop.connect(lambda key: controller.stop_lane(int(key)))
        self.codecs.chosen.connect(lambda key: state.activate(int(key)))
        self.rate_lock.target_changed.connect(lambda kind, x: controller.set_target(Target(TargetKind(kind), x)))
        self.plot.point_clicked.connect(lambda _key, bpp: controller.set_target(Target(TargetKind.BPP, bpp)))
        self.plot.metric_changed.connect(controller.set_score_metric)
        self.plot.export_requested.connect(lambda: self.commands.serve("export_chart"))
        self.verdict.anchor_changed.connect(lambda key: state.set_view(anchor=int(key)))
        self.verdict.chosen.connect(lambda key: state.activate(int(key)))
        self.verdict.disagreement_chosen.connect(self.commands.show_disagreement)
        self.top_bar.layout_changed.connect(lambda key: state.set_view(layout=Layout(key)))
        self.top_bar.view_changed.connect(lambda key: state.set_view(view=View(key)))
        self.top_bar.map_metric_changed.connect(lambda key: state.set_view(map_metric=key))
        self.top_bar.zoom_chosen.connect(self.commands.zoom_to)
        self.top_bar.search_requested.connect(lambda: self.commands.serve("palette"))
        self.status.cancel_requested.connect(controller.cancel_all)
        self._listen_to_pictures()

    def _listen_to_pictures(self) -> None:
        area = self.compare
        area.active_changed.connect(lambda key: self.state.activate(int(key)))
        area.retry_requested.connect(lambda key: self.commands.retry(int(key)))
        area.open_requested.connect(lambda: self.commands.serve("open"))
        area.add_requested.connect(lambda: self.commands.serve("add_codec"))
        area.hovered.connect(self.refresher.hovered)
        area.unhovered.connect(self.refresher.unhovered)
        area.scale_changed.connect(lambda _scale: self.refresher.zoom())
        area.problem.connect(lambda _key, text: self.complain(text))

    def complain(self, text: str) -> None:
        """Say in a corner what went wrong; the window goes on."""
        self.toasts.show(text, Level.ERROR)

    def tell(self, text: str, action: tuple[str, Callable[[], object]] | None = None) -> None:
        self.toasts.show(text, Level.INFO, action=action)

    # -- state, drawn at most every REFRESH_MS

    def _watch_state(self) -> None:
        self._dirty: set[Topic] = set(Topic)
        self._timer = QTimer(self, interval=REFRESH_MS, singleShot=True)
        self._timer.timeout.connect(self.draw)
        for topic in Topic:
            self.state.subscribe(topic, partial(self._mark, topic))
        self._timer.start()

    def _mark(self, topic: Topic) -> None:
        self._dirty.add(topic)
        if not self._timer.isActive():
            self._timer.start()

    def draw(self) -> None:
        """Bring every part in line with what changed since the last time."""
        dirty, self._dirty = self._dirty, set()
        self.refresher.refresh(dirty)

    @property
    def settled(self) -> bool:
        """Nothing runs, nothing waits to be drawn."""
        return self.controller.desk.idle and not self._timer.isActive() and not self._dirty and not self.compare.busy

    def offer_codecs(self, choices: list[CodecChoice]) -> None:
        self.codecs.set_codecs(choices)

    def set_theme(self, name: str) -> None:
        self.commands.set_theme(name)
        self.compare.set_theme(style.current())

    # -- Space, wherever the focus is, if nothing there wants it

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.compare.setFocus()
            self.compare.set_flipped(True)
        else:
            super().keyPressEvent(event)

    # -- drag and drop, anywhere

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _paths(event.mimeData()):
            event.acceptProposedAction()
            self._hint_drop(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._hint_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hint_drop(False)
        paths = _paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.commands.take(paths)

    def _hint_drop(self, on: bool) -> None:
        self.compare.set_drop_hint(on)
        self.sources.set_drag_active(on)

    # -- window

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._sized_by_hand:
            lower = min(LOWER_MOST, round(LOWER_SHARE * self.height()))
            self.middle.setSizes([self.middle.height() - lower, lower])
        for side in (self.left, self.right):
            side.fold_for(self.width())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self.compare.close_work()
        super().closeEvent(event)


def _maps() -> list[str]:
    """The metrics that have a map, in the order in which they are offered."""
    return [metric_id for metric_id in metric_ids() if metric(metric_id).info.has_map]


def _paths(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []
