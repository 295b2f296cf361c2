"""The strip over the panes with which one says how a lightmap is lit: filter, mipmaps, density or mesh, albedo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from engine.lit.look import ALBEDOS, DENSITIES, FILTERS, MIPS, Lit
from gui import style
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.segmented import Segment, Segmented
from gui.widgets.themed import Themed, label

_FILTER_NAMES = {"bilinear": "Bilinear", "bicubic": "Bicubic"}
_DENSITY_NAMES = {0.125: "⅛", 0.25: "¼", 0.5: "½"}
_ALBEDO_NAMES = {
    "white": "White",
    "grey": "Grey 0.5",
    "checker": "Checker",
    "mesh": "Material",
    "image": "Picture…",
}
_MIPS_SHOWN = MIPS[:10]  # deeper levels are a few texels
_HELP = {
    "filter": "Bilinear: as cards do it. Bicubic: a cubic B-spline over level 0, which engines offer for lightmaps.",
    "mips": "Means of 2 × 2 texels, gutters too.\nAuto: by distance. Off: level 0. A number: that level alone.",
    "density": "How near: pixels of the screen a texel.",
    "albedo": "The share of light that is reflected.\nMaterial: the mesh's own colours, white where there is none.",
    "mesh": "A glTF or OBJ file with a place in the lightmap for every vertex.",
}
_OPEN = "open"


class LitStrip(Themed):
    """Signals, from the user only: look_changed(Lit), errors_changed(bool), picture_wanted(), mesh_wanted(): a file
    is to be asked for.
    """

    look_changed = Signal(object)
    errors_changed = Signal(bool)
    picture_wanted = Signal()
    mesh_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self.setAccessibleName("How the lightmap is lit")
        self._look = Lit()
        self._mesh = ""
        self.filter = self._combo("Filter", _HELP["filter"], [(key, _FILTER_NAMES[key]) for key in FILTERS], 92)
        self.mips = self._combo("Mipmaps", _HELP["mips"], [(key, key.capitalize()) for key in _MIPS_SHOWN], 66)
        densities = [(str(each), f"{_DENSITY_NAMES.get(each, f'{each:g}')} px") for each in DENSITIES]
        self.density = self._combo("Texel", _HELP["density"], densities, 66)
        self.albedo = self._combo("Albedo", _HELP["albedo"], [(key, _ALBEDO_NAMES[key]) for key in ALBEDOS], 112)
        self.mesh = self._combo("Mesh", _HELP["mesh"], [(_OPEN, "Open…")], 130)
        self.filter.currentIndexChanged.connect(lambda: self._set(filter=self.filter.key()))
        self.mips.currentIndexChanged.connect(lambda: self._set(mips=self.mips.key()))
        self.density.currentIndexChanged.connect(lambda: self._set(density=float(self.density.key())))
        self.albedo.activated.connect(lambda _index: self._choose_albedo())
        self.mesh.activated.connect(lambda _index: self._choose_mesh())
        self.shown = Segmented(
            "What the lit view shows",
            (Segment("picture", "Picture"), Segment("error", "Error", "", "FLIP of what is seen (Shift+E)")),
        )
        self.shown.chosen.connect(lambda key: self.errors_changed.emit(key == "error"))
        self._names: dict[Combo, QLabel] = {}
        self._build()
        self.set_scene(False)

    @staticmethod
    def _combo(name: str, help_text: str, choices: list[tuple[str, str]], width: int) -> Combo:
        made = Combo(name)
        made.set_choices(choices)
        made.setFixedWidth(width)
        made.setToolTip(help_text)
        return made

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * GRID, 0, 2 * GRID, 0)
        row.setSpacing(2 * GRID)
        for combo in (self.filter, self.mips, self.density, self.mesh, self.albedo):
            name = label(combo.accessibleName(), "dim")
            name.setToolTip(combo.toolTip())
            self._names[combo] = name
            row.addWidget(name)
            row.addWidget(combo)
            row.addSpacing(GRID)
        self._names[self.filter].setFont(style.text_font(bold=True))
        self._names[self.filter].setProperty("tone", "")
        row.addStretch(1)
        row.addWidget(self.shown)
        self.setFixedHeight(40)

    # ------------------------------------------------------------ data

    def set_look(self, look: Lit, picture: str = "") -> None:
        """Show a look, without a signal. picture: the name of the file that is the albedo."""
        self._look = look
        self.filter.set_key(look.filter)
        self.mips.set_key(look.mips)
        self.mips.setEnabled(not look.cubic)
        self.density.set_key(str(look.density))
        self.albedo.setItemText(self.albedo.findData("image"), picture or _ALBEDO_NAMES["image"])
        self.albedo.set_key(look.albedo)

    def set_errors(self, on: bool) -> None:
        """Without a signal."""
        self.shown.set_key("error" if on else "picture")

    def set_scene(self, on: bool) -> None:
        """Whether a mesh is shown, or the map flat."""
        for combo, seen in ((self.density, not on), (self.mesh, on)):
            combo.setVisible(seen)
            self._names[combo].setVisible(seen)

    def set_mesh(self, name: str) -> None:
        """The mesh that is shown, "" for none."""
        self._mesh = name
        self.mesh.set_choices([("mesh", name), (_OPEN, "Open…")] if name else [("", "None"), (_OPEN, "Open…")])
        self.mesh.set_key("mesh" if name else "")

    # ------------------------------------------------------------ the user

    def _set(self, **changes: Any) -> None:
        self._look = replace(self._look, **changes)
        self.look_changed.emit(self._look)

    def _choose_albedo(self) -> None:
        if self.albedo.key() == "image":
            self.picture_wanted.emit()
        else:
            self._set(albedo=self.albedo.key())

    def _choose_mesh(self) -> None:
        if self.mesh.key() == _OPEN:
            self.set_mesh(self._mesh)
            self.mesh_wanted.emit()
