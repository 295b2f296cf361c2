"""The bar at the top: how panes are laid out, what they show, how large, and the way to every action."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from gui import style
from gui.theme import GRID, Theme
from gui.widgets.combo import Combo
from gui.widgets.elided import ElidedLabel
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import IconButton, Themed, label

LAYOUTS = (
    Segment("single", "Single", "single", "One pane"),
    Segment("wipe", "Wipe", "wipe", "Two pictures in one pane, divided by a line to drag"),
    Segment("side", "Side by side", "side", "Two panes"),
    Segment("grid", "Grid", "grid", "Up to four panes"),
    Segment("blink", "Blink", "blink", "Pictures in turn in one pane"),
)
VIEWS = (
    Segment("picture", "Picture", "picture", "What do I see?"),
    Segment("error", "Error", "error", "Where is it wrong? (E)"),
    Segment("bits", "Bits", "bits", "Where did the bits go? (B)"),
    Segment("bits_error", "Bits × error", "", "Were the bits well spent? (X)"),
    Segment("lit", "Lit", "lit", "How will the game show it? (L)"),
    Segment("scene", "3-D", "scene", "How does it look on a mesh? (D)"),
)
ZOOMS = (("Fit", 0.0), ("50 %", 0.5), ("100 %", 1.0), ("200 %", 2.0), ("400 %", 4.0), ("800 %", 8.0))
_COMPACT_BELOW = 1400
_NARROW_BELOW = 1120
_LEAST = 860
_NO_BITS = "No codec of this comparison tells where its bits went"
NO_LIGHT = "Lit and 3-D show lightmaps: pictures of floating-point light (EXR, Radiance, KTX2)"


class TopBar(Themed):
    """Signals, from the user only: layout_changed(single | wipe | side | grid | blink),
    view_changed(picture | error | bits | bits_error | lit | scene), map_metric_changed(metric_id),
    zoom_chosen(factor; 0 is fit), search_requested(), paint_toggled(bool).
    """

    layout_changed = Signal(str)
    view_changed = Signal(str)
    map_metric_changed = Signal(str)
    zoom_chosen = Signal(float)
    search_requested = Signal()
    paint_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("bar", parent)
        self.setAccessibleName("Top bar")
        self._name = label("Ratescope")
        self._name.setFont(style.text_font(15, bold=True))
        self.file = QPushButton("File")
        self.file.setProperty("kind", "quiet")
        self.file.setShortcut(QKeySequence("Alt+F"))
        self._session = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self._session.setProperty("tone", "small")
        self._session.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._session.setMaximumWidth(180)
        self.layouts = Segmented("Layout of the panes", LAYOUTS)
        self.layouts.chosen.connect(self.layout_changed)
        self.views = Segmented("What the panes show", VIEWS)
        self.views.chosen.connect(self._view_chosen)
        self.map_metric = Combo("Metric of the error map")
        self.map_metric.currentIndexChanged.connect(lambda: self.map_metric_changed.emit(self.map_metric.key()))
        self.paint = IconButton("paint", "Paint where the bits matter (I)", checkable=True)
        self.paint.setFixedSize(32, 28)
        self.paint.setProperty("kind", "tool")
        self.paint.clicked.connect(self.paint_toggled)
        self.zoom = QPushButton("Fit")
        self.zoom.setProperty("kind", "quiet")
        self.zoom.setAccessibleName("Zoom")
        self.zoom.setToolTip("Zoom: F fits, Z is 1 : 1")
        self.zoom.setMenu(self._zoom_menu())
        self.search = QPushButton("Search actions    Ctrl+K")
        self.search.setProperty("kind", "field")
        self.search.setAccessibleName("Search actions")
        self.search.setFixedWidth(216)
        self.search.clicked.connect(self.search_requested)
        self._build()
        self.set_bits_available(False, _NO_BITS)
        self.set_lit_available(False)
        self.retheme(style.current())

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.setSpacing(2 * GRID)
        row.addWidget(self._name)
        row.addWidget(self.file)
        row.addWidget(self._session)
        row.addSpacing(4 * GRID)
        row.addWidget(self.layouts)
        row.addSpacing(4 * GRID)
        row.addWidget(self.views)
        row.addWidget(self.map_metric)
        row.addWidget(self.paint)
        row.addStretch(1)
        row.addWidget(self.zoom)
        row.addWidget(self.search)
        self.setFixedHeight(40)

    def _zoom_menu(self) -> QMenu:
        menu = QMenu(self)
        for text, factor in ZOOMS:
            action = QAction(text, menu)
            action.triggered.connect(lambda _on=False, factor=factor: self.zoom_chosen.emit(factor))
            menu.addAction(action)
        return menu

    # ------------------------------------------------------------ data

    def set_file_menu(self, menu: QMenu) -> None:
        """What *File* opens."""
        self.file.setMenu(menu)

    def set_session(self, name: str) -> None:
        """The session's file name, "" when it has none yet."""
        self._session.setText(name)

    def set_layout(self, key: str) -> None:
        """One of single, wipe, side, grid, blink; without a signal."""
        self.layouts.set_key(key)

    def set_view(self, key: str) -> None:
        """One of picture, error, bits, bits_error, lit, scene; without a signal."""
        self.views.set_key(key)
        self.map_metric.setVisible(key in ("error", "bits_error"))

    def set_map_metrics(self, choices: Sequence[tuple[str, str]], chosen: str = "") -> None:
        """The metrics that have a map, as (id, text such as "FLIP map"), and the chosen one."""
        self.map_metric.set_choices(choices)
        self.map_metric.set_key(chosen)

    def set_bits_available(self, available: bool, reason: str = _NO_BITS) -> None:
        """Whether any codec gives a map of its bits; else the two views are disabled and `reason` is their tooltip."""
        for key in ("bits", "bits_error"):
            self.views.set_enabled(key, available, reason)

    def set_lit_available(self, available: bool) -> None:
        """Whether the picture is light; else the two views that show it lit are disabled."""
        for key in ("lit", "scene"):
            self.views.set_enabled(key, available, NO_LIGHT)

    def set_zoom(self, factor: float | None) -> None:
        """Screen pixels per picture pixel; None for fit."""
        self.zoom.setText("Fit" if factor is None else f"{factor:.0%}".replace("%", " %"))

    # ------------------------------------------------------------ looks

    def _view_chosen(self, key: str) -> None:
        self.set_view(key)
        self.view_changed.emit(key)

    def minimumSizeHint(self) -> QSize:
        return QSize(_LEAST, 40)  # what the icons need; the words give way in `resizeEvent`

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layouts.set_compact(self.width() < _COMPACT_BELOW)
        narrow = self.width() < _NARROW_BELOW
        self.views.set_compact(narrow)
        self.search.setText("Ctrl+K" if narrow else "Search actions    Ctrl+K")
        self.search.setFixedWidth(96 if narrow else 216)

    def retheme(self, theme: Theme) -> None:
        self.search.setIcon(style.icon("search", theme))
