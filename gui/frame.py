"""The window's frame: every part in its place. It holds the parts; others wire them and fill them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QDesktopServices, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from engine.curves import Curve
from gui import presenters, style
from gui.batch.window import BatchWindow
from gui.between.window import BetweenWindow
from gui.budget.window import BudgetWindow
from gui.controller import Controller
from gui.light_set.panel import SetPanel
from gui.panels.channel_strip import ChannelStrip
from gui.panels.codecs import CodecsPanel
from gui.panels.doctor_bar import DoctorBar
from gui.panels.histogram import HistogramPanel
from gui.panels.lit_strip import LitStrip
from gui.panels.rate_lock import RateLock
from gui.panels.rd_plot import RdPlot
from gui.panels.region_strip import RegionStrip
from gui.panels.sources import SourcesPanel
from gui.panels.status import StatusBar
from gui.panels.tone_strip import ToneStrip
from gui.panels.top_bar import TopBar
from gui.panels.verdict import VerdictPanel
from gui.passports import Passports
from gui.preferences import save_theme
from gui.state import State, Topic
from gui.theme import GRID, THEMES
from gui.training.window import TrainingWindow
from gui.views.compare import CompareArea
from gui.views.scene import SceneView
from gui.views.scene_pane import ScenePane
from gui.widgets.fold import FoldingSide
from gui.widgets.loupe import Loupe
from gui.widgets.palette import CommandPalette
from gui.widgets.themed import Panel
from gui.widgets.toast import Level, Toasts

LEFT_WIDTH, RIGHT_WIDTH = 212, 264
_WHOLE = 10_000  # what splitters are told to share out: they scale it to their size
LOWER_SHARE, LOWER_MOST = 0.27, 280  # of the window's height, at most so many pixels, for plot and table


class Frame(QMainWindow):
    """Sources left, pictures and rate lock and plots in the middle, codecs right, status below.

    references: the curves from elsewhere that lie under the plot. actions_by_id: every action, once they are made.
    """

    def __init__(self, state: State, controller: Controller) -> None:
        super().__init__()
        self.state, self.controller = state, controller
        self.references: list[Curve] = []
        self.actions_by_id: dict[str, QAction] = {}
        self.setWindowTitle("Ratescope")
        self.setMinimumSize(960, 640)
        self.toasts = Toasts(self)
        self._make_parts()
        self._place_parts()
        self.palette_list = CommandPalette(self)
        self.passports = Passports(state, controller.desk, controller.store, self.tell)
        self.batch = BatchWindow(controller.desk, self)
        self.batch.ended.connect(lambda text: self.tell(text, ("Show", self.batch.show)))
        self.training = TrainingWindow(controller.desk, self)
        self.training.ended.connect(lambda text: self.tell(text, ("Show", self.training.open)))
        self.between = BetweenWindow(state, controller.desk, self)
        self.budget = BudgetWindow(state, controller.desk, controller.store, self)
        self.budget.ended.connect(lambda text, url: self.tell(text, ("Show", lambda: QDesktopServices.openUrl(url))))

    def _make_parts(self) -> None:
        self.top_bar = TopBar()
        self.sources = SourcesPanel()
        self.tone_strip = ToneStrip()
        self.tone_strip.hide()
        self.lit_strip = LitStrip()
        self.lit_strip.hide()
        self.channel_strip = ChannelStrip()
        self.channel_strip.hide()
        self.region_strip = RegionStrip()
        self.region_strip.hide()
        self.doctor_bar = DoctorBar()
        self.doctor_bar.hide()
        self.compare = CompareArea()
        self.scene_pane = ScenePane()
        self.scene_pane.hide()
        self.rate_lock = RateLock()
        self.plot = RdPlot()
        self.verdict = VerdictPanel()
        self.light_set = SetPanel()
        self.light_set.hide()
        self.codecs = CodecsPanel()
        self.histogram = HistogramPanel()
        self.loupe = Loupe()
        self.status = StatusBar()
        self.top_bar.set_layout(self.state.layout)
        self.top_bar.set_view(self.state.view)
        self.rate_lock.set_target(self.state.target.kind, self.state.target.value)

    def _place_parts(self) -> None:
        self.left = FoldingSide(Qt.Edge.LeftEdge, "Sources", LEFT_WIDTH)
        self.left.add("picture", "Sources", self.sources, 1)
        under = Panel("Under the cursor")
        under.body.addWidget(self.loupe)
        self.right = FoldingSide(Qt.Edge.RightEdge, "Codecs", RIGHT_WIDTH)
        self.right.add("codecs", "Codecs", self.codecs, 1)
        self.right.add("histogram", "Histogram", self.histogram)
        self.right.add("search", "Under the cursor", under)
        self.bottom = QSplitter(Qt.Orientation.Horizontal)
        self.bottom.addWidget(self.plot)
        self.bottom.addWidget(self.verdict)
        self.bottom.addWidget(self.light_set)
        self.bottom.setSizes([520, 480])
        self.bottom.setStretchFactor(0, 1)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID + 2)
        column.addWidget(self.doctor_bar)
        column.addWidget(self.tone_strip)
        column.addWidget(self.lit_strip)
        column.addWidget(self.channel_strip)
        column.addWidget(self.region_strip)
        column.addWidget(self.compare, 1)
        column.addWidget(self.scene_pane, 1)
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

    @property
    def scene(self) -> SceneView:
        """The mesh that the lightmap is shown on."""
        return self.scene_pane.view

    def _note_hand(self) -> None:
        self._sized_by_hand = True

    def lower_share(self) -> float | None:
        """Of the height between bar and status, the share of plot and table; None while it follows the window."""
        upper, lower = self.middle.sizes()
        return round(lower / (upper + lower), 3) if self._sized_by_hand and lower else None

    def set_lower_share(self, share: float) -> None:
        self._sized_by_hand = True
        self.middle.setSizes([round(_WHOLE * (1 - share)), round(_WHOLE * share)])

    def plot_share(self) -> float | None:
        """Of the width below the pictures, the share of the plot; None while neither has any."""
        plot, table = self.bottom.sizes()[:2]
        return round(plot / (plot + table), 3) if plot and table else None

    def set_plot_share(self, share: float) -> None:
        self.bottom.setSizes([round(_WHOLE * share), round(_WHOLE * (1 - share))])

    def set_references(self, curves: Sequence[Curve]) -> None:
        """Lay these curves from elsewhere under the plot."""
        self.references = list(curves)
        self.plot.set_references([presenters.reference(curve) for curve in curves])
        self.state.announce(Topic.CURVES)

    def complain(self, text: str) -> None:
        """Say in a corner what went wrong; the window goes on."""
        self.toasts.show(text, Level.ERROR)

    def tell(self, text: str, action: tuple[str, Callable[[], object]] | None = None) -> None:
        """Say something in a corner for a while."""
        self.toasts.show(text, Level.INFO, action=action)

    def set_theme(self, name: str) -> None:
        """Light or dark, now and from now on."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            style.apply(app, THEMES[name])
        save_theme(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._sized_by_hand:
            lower = min(LOWER_MOST, round(LOWER_SHARE * self.height()))
            self.middle.setSizes([self.middle.height() - lower, lower])
        for side in (self.left, self.right):
            side.fold_for(self.width())
