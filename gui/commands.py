"""What the actions do. Each action's id names a method here; dialogs are asked, then the work is handed on."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from engine import __version__, registry
from engine.curves import Curve, published, read_curves
from engine.errors import EngineError
from engine.formats import suffix_of
from engine.image import Meaning
from engine.lit.mesh import SUFFIXES as MESHES
from gui import clipboard, presenters, saving, style
from gui.actions import ACTIONS
from gui.bakes import next_map
from gui.budget.offer import choices, preset_choices
from gui.curve_picker import CurvePicker
from gui.frame import Frame
from gui.light_set.view import LightSet
from gui.models.verdict_model import Disagreement
from gui.panels.tone_strip import ToneStrip
from gui.panels.top_bar import NO_LIGHT
from gui.preferences import PreferencesDialog
from gui.presets import add_actions, keep
from gui.regions import Regions
from gui.session.commands import SessionCommands
from gui.session.document import SUFFIX
from gui.state import BITS_VIEWS, LIT_VIEWS, ORIGINAL, Lane, View
from gui.views.layouts import Layout

ZOOM_STEP = 2**0.5
FEW_CURVES = 6  # as many are laid under the plot unasked
LANDMARKS = ("bmshj2018-hyperprior (paper)", "mbt2018 (paper)", "elic2022 (paper)", "VTM")
PICTURE_FILTER = (
    "Pictures (*.png *.jpg *.jpeg *.webp *.avif *.jxl *.jp2 *.j2k *.tif *.tiff *.bmp *.gif *.ppm *.pgm *.exr *.hdr "
    "*.dds *.ktx2)"
)
CODE_FILTERS = ("PNG (*.png)", (".png",))
LIGHT_FILTERS = (
    "OpenEXR (*.exr);;Radiance (*.hdr);;KTX2 (*.ktx2);;PNG, clipped (*.png)",
    (".exr", ".hdr", ".ktx2", ".png"),
)
CHART_FILTERS = "SVG (*.svg);;PDF (*.pdf);;PNG (*.png)"
NUMBER_FILTERS = "CSV (*.csv);;JSON (*.json)"


class Commands:
    """Serves the actions of one window."""

    def __init__(self, window: Frame, sessions: SessionCommands) -> None:
        self._window, self._sessions = window, sessions
        self._state, self._controller = window.state, window.controller
        self._presets = QObject(window)
        self._light_set = LightSet(window)
        self._regions = Regions(window)
        self._table = self._build_table()

    def serve(self, action_id: str) -> None:
        """Do what the action with this id means; a plain failure is shown, not raised."""
        try:
            self._table[action_id]()
        except EngineError as error:
            self._window.complain(str(error))

    def _build_table(self) -> dict[str, Callable[[], object]]:
        state, area, lock = self._state, self._window.compare, self._window.rate_lock
        table: dict[str, Callable[[], object]] = {
            "rate_up": lambda: lock.step(1),
            "rate_down": lambda: lock.step(-1),
            "rate_up_much": lambda: lock.step(1, coarse=True),
            "rate_down_much": lambda: lock.step(-1, coarse=True),
            "fit": area.fit,
            "one_to_one": area.one_to_one,
            "zoom_in": lambda: area.zoom(ZOOM_STEP),
            "zoom_out": lambda: area.zoom(1 / ZOOM_STEP),
            "exposure_up": lambda: self._tone(lambda strip: strip.step(1)),
            "exposure_down": lambda: self._tone(lambda strip: strip.step(-1)),
            "exposure_up_much": lambda: self._tone(lambda strip: strip.step(1, coarse=True)),
            "exposure_down_much": lambda: self._tone(lambda strip: strip.step(-1, coarse=True)),
            "exposure_auto": lambda: self._tone(ToneStrip.choose_auto),
            "tone_reset": lambda: self._tone(ToneStrip.choose_neutral),
            "next_channel": self._next_channel,
            "next_curve": lambda: self._tone(ToneStrip.next_curve),
            "overlay": lambda: state.set_view(overlay=not state.overlay),
            "next_rendition": lambda: self._step_rendition(1),
            "previous_rendition": lambda: self._step_rendition(-1),
            "next_source": lambda: self._step_source(1),
            "previous_source": lambda: self._step_source(-1),
            "next_map": lambda: self._step_map(1),
            "previous_map": lambda: self._step_map(-1),
            "move_lane_up": lambda: self._move_lane(-1),
            "move_lane_down": lambda: self._move_lane(1),
            "measure_times": self._controller.times.measure,
            "check_decode": lambda: self._window.passports.check(state.active_lane),
            "reload": self._controller.reload_current,
            "add_codec": self._window.codecs.open_menu,
            "training": self._window.training.open,
            "between": self._window.between.open,
            "quit": self._window.close,
            "toggle_set": self._light_set.toggle,
            "write_back": self._light_set.ask_write_back,
        }
        table |= {f"layout_{each}": partial(state.set_view, layout=each) for each in Layout}
        table |= {f"view_{each}": partial(self._set_view, each) for each in View}
        table |= {f"pick_{n}": partial(self._pick, n) for n in range(1, 10)}
        table |= self._sessions.table() | self._regions.table()
        own = {spec.id: getattr(self, spec.id) for spec in ACTIONS if spec.id not in table}
        return table | own

    # -- pictures

    def take(self, paths: list[Path]) -> None:
        """What was dropped or named: sessions, pictures and folders are opened, .json files are curves for the plot,
        meshes are for the lightmap that is looked at.
        """
        session = next((path for path in paths if path.suffix.lower() == SUFFIX), None)
        if session is not None:
            self._sessions.open(session)
            return
        curves = [path for path in paths if path.suffix.lower() == ".json"]
        for path in curves:
            self.lay_under(path)
        meshes = [path for path in paths if path.suffix.lower() in MESHES]
        pictures = [path for path in paths if path not in (*curves, *meshes)]
        if pictures:
            self._controller.open_paths(pictures)
            self._sessions.remember(pictures)
        for path in meshes[:1]:
            self._take_mesh(path)

    def open(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self._window, "Open pictures", "", f"{PICTURE_FILTER};;All files (*)")
        self.take([Path(name) for name in names])

    def open_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self._window, "Open folder")
        if name:
            self.take([Path(name)])

    def locate(self, source_id: int) -> None:
        """Ask where a picture that a session did not find is now."""
        source = self._state.source(source_id)
        if source is not None:
            name, _ = QFileDialog.getOpenFileName(self._window, f"Locate {source.path.name}", "", "All files (*)")
            if name:
                self._sessions.sessions.relocate(source_id, Path(name))

    def paste(self) -> None:
        clipboard.paste(self._window, self.take)

    def copy_picture(self) -> None:
        clipboard.copy(self._window)

    def remove_source(self) -> None:
        if self._state.current_id is not None:
            self._controller.remove_source(self._state.current_id)

    def reveal(self, source_id: int) -> None:
        source = self._state.source(source_id)
        if source is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(source.path.parent)))

    def _step_source(self, step: int) -> None:
        ids = [source.id for source in self._state.sources]
        if ids:
            chosen = self._controller.chosen_id
            at = ids.index(chosen) if chosen in ids else 0
            self._controller.choose_source(ids[(at + step) % len(ids)])

    def _step_map(self, step: int) -> None:
        wanted = next_map(self._state.sources, self._controller.chosen_id, step)
        if wanted is None:
            self._window.tell("This picture is not one of the maps of a bake, by its name")
        else:
            self._controller.choose_source(wanted)

    # -- lanes

    def _step_rendition(self, step: int) -> None:
        renditions = self._state.renditions()
        at = renditions.index(self._state.active) if self._state.active in renditions else 0
        self._state.activate(renditions[(at + step) % len(renditions)])

    def _pick(self, number: int) -> None:
        renditions = self._state.renditions()
        if number <= len(renditions):
            self._state.activate(renditions[number - 1])

    def retry(self, rendition: int) -> None:
        if rendition == ORIGINAL:
            self._controller.reload_current()
        else:
            self._controller.retry(rendition)

    def remove_lane(self) -> None:
        if self._state.active != ORIGINAL:
            self._controller.remove_lane(self._state.active)

    def batch(self) -> None:
        """Open the batch window with the lanes, the folder and the score of the comparison."""
        self._window.batch.offer(presenters.batch_lanes(self._state), *self._batch_defaults())
        self._window.batch.show()
        self._window.batch.raise_()

    def budget(self) -> None:
        """Open the budget window with the codecs that there are, and the folder of the picture."""
        source, lanes = self._state.current, presenters.tags(self._state)
        looks = {lane.codec: lanes[lane.id] for lane in reversed(self._state.lanes)}
        self._window.budget.form.offer(choices(self._state), preset_choices(self._state))
        self._window.budget.offer(looks, str(source.path.parent) if source else "")
        self._window.budget.show()
        self._window.budget.raise_()

    def _batch_defaults(self) -> tuple[str, str]:
        source = self._state.current
        return str(source.path.parent) if source else "", self._state.score_metric

    def _move_lane(self, step: int) -> None:
        ids = [lane.id for lane in self._state.lanes]
        lane = self._state.active_lane
        if lane is None:
            return
        at = ids.index(lane.id)
        ids.insert(max(0, at + step), ids.pop(at))
        self._state.reorder_lanes(ids)

    def save_preset(self) -> None:
        self.keep_preset(self._state.active_lane)

    def keep_preset(self, lane: Lane | None) -> None:
        """Ask for a name and save the lane's settings under it."""
        if lane is None:
            self._window.tell("Choose a codec's pane first: its settings become the preset")
            return
        name, accepted = QInputDialog.getText(self._window, "Save as a preset", "Name", text=lane.label)
        if accepted:
            self._keep(lane, name)

    def _keep(self, lane: Lane, name: str) -> None:
        try:
            preset = keep(lane, name)
        except EngineError as error:
            self._window.complain(str(error))
        else:
            self._window.tell(f"“{preset.label}” is under Add codec now, and --codec {preset.id} names it")

    # -- view

    def _set_view(self, view: View) -> None:
        reason = presenters.no_bits(self._state) if view in BITS_VIEWS else ""
        if view in LIT_VIEWS and self._state.meaning is not Meaning.LIGHT:
            reason = NO_LIGHT
        if reason:
            self._window.tell(reason)
        else:
            self._state.set_view(view=View.PICTURE if self._state.view is view else view)

    def set_lit(self, **changes: Any) -> None:
        """Change any of `LitView`."""
        self._state.set_view(lit=replace(self._state.lit, **changes))

    def lit_errors(self) -> None:
        self.set_lit(errors=not self._state.lit.errors)

    def open_albedo(self) -> None:
        """Ask for a picture that is the albedo."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Albedo", "", f"{PICTURE_FILTER};;All files (*)")
        if name:
            self.set_lit(picture=Path(name), look=replace(self._state.lit.look, albedo="image"))
        else:
            self._state.set_view()  # the strip shows what it showed

    def open_mesh(self) -> None:
        """Ask for a mesh of the current lightmap."""
        filters = f"Meshes ({' '.join(f'*{suffix}' for suffix in MESHES)});;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self._window, "Open mesh", "", filters)
        if name:
            self._take_mesh(Path(name))

    def _take_mesh(self, path: Path) -> None:
        source = self._state.current
        if source is None or self._state.meaning is not Meaning.LIGHT:
            self._window.tell(NO_LIGHT)
            return
        lit = replace(self._state.lit, meshes=self._state.lit.with_mesh(source.id, path))
        self._state.set_view(lit=lit, view=View.SCENE)

    def _next_channel(self) -> None:
        if self._window.channel_strip.isHidden():
            self._window.tell("Channels are looked at one by one in direction maps and shadow masks")
        else:
            self._window.channel_strip.choose_next()

    def _tone(self, change: Callable[[ToneStrip], object]) -> None:
        if self._state.is_float:
            change(self._window.tone_strip)
        else:
            self._window.tell("Exposure and tone are for pictures of floating-point light (EXR, Radiance)")

    def zoom_to(self, scale: float) -> None:
        """0 fits; any other value is device pixels a texel."""
        area = self._window.compare
        if scale == 0:
            area.fit()
        else:
            area.one_to_one()
            area.zoom(scale)

    def show_disagreement(self, found: Disagreement) -> None:
        """Put the two lanes side by side under the map of the metric that can show where."""
        wanted = next((m.id for m in (found.second, found.first) if m.has_map), None)
        if wanted is not None:
            self._state.set_view(map_metric=wanted, view=View.ERROR, layout=Layout.GRID)
        self._state.activate(int(found.a.id))

    def toggle_theme(self) -> None:
        self._window.set_theme("light" if style.current().name == "dark" else "dark")

    def toggle_left(self) -> None:
        self._window.left.set_folded(not self._window.left.folded())

    def toggle_right(self) -> None:
        self._window.right.set_folded(not self._window.right.folded())

    def toggle_bottom(self) -> None:
        self._window.bottom.setVisible(not self._window.bottom.isVisible())

    def full_screen(self) -> None:
        window = self._window
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    def edit_rate(self) -> None:
        self._window.rate_lock.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._window.rate_lock.field.selectAll()

    def cancel(self) -> None:
        """Escape: put away what lies over the window first, then the brush, then stop the work."""
        for side in (self._window.left, self._window.right):
            if side.sheet_open():
                side.close_sheet()
                return
        if self._state.painting:
            self._state.set_view(painting=False)
            return
        self._controller.cancel_all()

    # -- saving

    def _lane_to_save(self) -> tuple[Lane, saving.Product] | None:
        lane, source = self._state.active_lane, self._state.current
        outcome = self._state.outcome(lane.id) if lane else None
        if lane is None or source is None or outcome is None or outcome.solved is None:
            self._window.tell("There is nothing to save yet: choose a codec's pane once it is done")
            return None
        info = registry.codec(lane.codec).info
        return lane, saving.Product(source, info, outcome.solved)

    def save_file(self) -> None:
        chosen = self._lane_to_save()
        if chosen is None:
            return
        product = chosen[1]
        suffix = suffix_of(product.solved.data, product.info)
        wish = product.file_name(suffix)
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save encoded file", str(wish), f"{product.info.label} (*{suffix})"
        )
        if name:
            path = saving.with_suffix(Path(name), suffix)
            self._write(path, lambda: saving.save_encoded(product, path))

    def save_decoded(self) -> None:
        chosen = self._lane_to_save()
        if chosen is None:
            return
        product = chosen[1]
        filters, suffixes = LIGHT_FILTERS if product.solved.decoded.is_float else CODE_FILTERS
        wish = product.file_name(suffixes[0])
        name, chosen_filter = QFileDialog.getSaveFileName(self._window, "Save decoded picture", str(wish), filters)
        if name:
            typed = Path(name).suffix.lower()
            path = saving.with_suffix(Path(name), typed if typed in suffixes else _suffix_of(chosen_filter, suffixes))
            self._write(path, lambda: saving.save_decoded(product, path))

    def copy_command(self) -> None:
        chosen = self._lane_to_save()
        if chosen is not None:
            lane, product = chosen
            words = saving.command_line(product, lane.codec, lane.settings, self._state.target)
            QGuiApplication.clipboard().setText(shlex.join(words))
            painted = " without what is painted: save that as a mask, for --roi" if self._state.has_region else ""
            self._window.tell(f"The command is on the clipboard{painted}")

    def export_chart(self) -> None:
        name, chosen = QFileDialog.getSaveFileName(self._window, "Export chart", "rd.svg", CHART_FILTERS)
        if name:
            path = saving.with_suffix(Path(name), _suffix_of(chosen, (".svg", ".pdf", ".png")), keep=True)
            task = saving.chart_task(self._state, self._window.references, path)
            self._controller.write(task, self._saved(path))

    def export_numbers(self) -> None:
        name, chosen = QFileDialog.getSaveFileName(self._window, "Export numbers", "rd.csv", NUMBER_FILTERS)
        if name:
            path = saving.with_suffix(Path(name), _suffix_of(chosen, (".csv", ".json")), keep=True)
            rows = saving.number_rows(self._state)
            self._write(path, lambda: saving.save_numbers(rows, path))

    def _write(self, path: Path, work: Callable[[], None]) -> None:
        self._controller.desk.apart(work, lambda _done: self._saved(path)())

    def _saved(self, path: Path) -> Callable[[], None]:
        folder = QUrl.fromLocalFile(str(path.parent))
        return lambda: self._window.tell(
            f"Saved {path.name}", ("Show folder", lambda: QDesktopServices.openUrl(folder))
        )

    # -- curves from elsewhere

    def open_curves(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self._window, "Curves to lay under the plot", "", "Curves (*.json)")
        for name in names:
            self.lay_under(Path(name))

    def lay_under(self, path: Path) -> None:
        """Read a file of curves and lay them under the plot."""

        def place(curves: list[Curve]) -> None:
            if len(curves) <= FEW_CURVES:
                self._lay(curves)
            else:
                self._let_pick(curves, path.name)

        self._controller.desk.apart(lambda: read_curves(path), place)

    def published_curves(self) -> None:
        """The bundled figures of papers: means over another set of pictures, for orientation only."""
        self._let_pick(published(), "Published curves, means over the Kodak pictures", LANDMARKS)

    def _let_pick(self, curves: Sequence[Curve], title: str, ticked: Sequence[str] = ()) -> None:
        picker = CurvePicker(curves, title, ticked, self._window)
        picker.picked.connect(self._lay)
        picker.open()

    def _lay(self, curves: Sequence[Curve]) -> None:
        names = {curve.name for curve in curves}
        kept = [curve for curve in self._window.references if curve.name not in names]
        self._window.set_references([*kept, *curves])

    def clear_curves(self) -> None:
        self._window.set_references([])

    # -- help

    def palette(self) -> None:
        found, state = self._window.palette_list, self._state
        self._presets.deleteLater()  # those of the last time
        self._presets = QObject(found)
        presets = add_actions(self._presets, self._controller.add_codec, is_light=state.is_float)
        found.open_with([*self._window.actions_by_id.values(), *presets])

    def preferences(self) -> None:
        dialog = PreferencesDialog(self._window)
        dialog.theme_chosen.connect(self._window.set_theme)
        dialog.open()

    def shortcuts(self) -> None:
        rows = "".join(
            f"<tr><td style='padding-right:24px'>{spec.text}</td><td><b>{' or '.join(spec.keys)}</b></td></tr>"
            for spec in ACTIONS
            if spec.keys and not spec.id.startswith("pick_")
        )
        held = "<tr><td>Choose a picture by its number</td><td><b>1 … 9</b></td></tr>"
        held += "<tr><td>Original, while held</td><td><b>Space</b></td></tr>"
        QMessageBox.information(self._window, "Keyboard shortcuts", f"<table>{held}{rows}</table>")

    def about(self) -> None:
        QMessageBox.about(
            self._window,
            "About Ratescope",
            f"<b>Ratescope {__version__}</b><br>See what image compression does.<br>Apache-2.0",
        )


def _suffix_of(chosen_filter: str, suffixes: tuple[str, ...]) -> str:
    return next((suffix for suffix in suffixes if suffix in chosen_filter), suffixes[0])
