"""The window: the frame wired to state and controller. It computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QMessageBox

from engine.image import Meaning
from engine.trial import Target, TargetKind
from gui import actions, presets
from gui.commands import Commands
from gui.controller import Controller
from gui.file_menu import FileMenu
from gui.frame import Frame
from gui.panels.codecs import CodecChoice
from gui.refresh import Refresher
from gui.session.commands import SessionCommands
from gui.session.keeper import Sessions
from gui.state import State, Topic, View
from gui.views.layouts import Layout

REFRESH_MS = 30  # changes of state that come closer together are drawn once


class MainWindow(Frame):
    """The frame, wired: gestures go to the controller, changes of state to the refresher."""

    """begin: fills the window for a new session."""

    def __init__(self, state: State, controller: Controller, begin: Callable[[], None] | None = None) -> None:
        super().__init__(state, controller)
        self.setAcceptDrops(True)
        self.refresher = Refresher(self)
        self.sessions = Sessions(self, begin or (lambda: None))
        self.file_menu = FileMenu(self, self.sessions, self._take)
        self.top_bar.set_file_menu(self.file_menu)
        self.commands = Commands(self, SessionCommands(self, self.sessions, self.file_menu.open_recent))
        self.actions_by_id = actions.build(self, self.commands.serve)
        self._listen()
        self._watch_state()
        self.compare.setFocus()  # else the first button gets it, and a ring that the eye meets first

    # -- gestures

    def _listen(self) -> None:
        state, controller = self.state, self.controller
        self.sources.chosen.connect(lambda key: controller.choose_source(int(key)))
        self.sources.remove.connect(lambda key: controller.remove_source(int(key)))
        self.sources.reveal.connect(lambda key: self.commands.reveal(int(key)))
        self.sources.locate.connect(lambda key: self.commands.locate(int(key)))
        self.sources.read_as.connect(lambda key, kind: controller.read_as(int(key), Meaning(kind) if kind else None))
        self.sources.open_requested.connect(lambda: self.commands.serve("open"))
        self.sources.dropped.connect(lambda paths: self.commands.take([Path(p) for p in paths]))
        self.codecs.add.connect(controller.add_codec)
        self.codecs.duplicate.connect(lambda key: controller.duplicate_lane(int(key)))
        self.codecs.remove.connect(lambda key: controller.remove_lane(int(key)))
        self.codecs.reorder.connect(lambda keys: state.reorder_lanes([int(key) for key in keys]))
        self.codecs.settings_changed.connect(lambda key, new: controller.set_lane_settings(int(key), new))
        self.codecs.visibility_changed.connect(lambda key, on: state.set_lane_visible(int(key), on))
        self.codecs.stop.connect(lambda key: controller.stop_lane(int(key)))
        self.codecs.keep.connect(lambda key: self.commands.keep_preset(state.lane(int(key))))
        self.codecs.check.connect(lambda key: self.passports.check(state.lane(int(key))))
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
        self.tone_strip.tone_changed.connect(lambda tone, moving: state.set_tone(tone, moving=moving))
        self.histogram.exposure_moved.connect(self.tone_strip.move_to)
        self.histogram.released.connect(self.tone_strip.rest)
        self.histogram.reset.connect(self.tone_strip.choose_zero)
        self.lit_strip.look_changed.connect(lambda look: self.commands.set_lit(look=look))
        self.lit_strip.errors_changed.connect(lambda on: self.commands.set_lit(errors=on))
        self.lit_strip.picture_wanted.connect(self.commands.open_albedo)
        self.lit_strip.mesh_wanted.connect(lambda: self.commands.serve("open_mesh"))
        self.scene.problem.connect(self.complain)
        self.channel_strip.chosen.connect(lambda place: state.set_tone(replace(state.tone, channel=place)))
        self.scene.hovered.connect(self.refresher.hovered_on_mesh)
        self.scene.unhovered.connect(self.refresher.unhovered)
        self.doctor_bar.fixes_changed.connect(controller.mend)
        self.doctor_bar.dismissed.connect(state.hide_findings)
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
        drawing = self._timer.isActive() or self._dirty or self.compare.busy or self.scene.busy
        return self.controller.desk.idle and not drawing

    def offer_codecs(self, choices: list[CodecChoice]) -> None:
        self.codecs.set_codecs(choices)
        self.codecs.set_presets(lambda is_light: presets.choices(is_light=is_light))

    # -- Space, wherever the focus is, if nothing there wants it

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            if self.scene.isVisible():
                self.scene.setFocus()
                self.scene.set_first_alone(True)
            else:
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
            self._take(paths)

    def _take(self, paths: list[Path]) -> None:
        self.commands.take(paths)

    def _hint_drop(self, on: bool) -> None:
        self.compare.set_drop_hint(on)
        self.sources.set_drag_active(on)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.batch.running and not self._may_leave_batch():
            event.ignore()
            return
        self._timer.stop()
        self.sessions.close()
        self.compare.close_work()
        self.scene.close_work()
        super().closeEvent(event)

    def _may_leave_batch(self) -> bool:
        """Ask what becomes of the batch that runs; may the window close?"""
        box = QMessageBox(QMessageBox.Icon.Question, "Ratescope", "A batch is running.", parent=self)
        box.setInformativeText("It can go on without the window, or stop, and be resumed later.")
        stop = box.addButton("Stop it", QMessageBox.ButtonRole.DestructiveRole)
        go_on = box.addButton("Let it go on", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is stop:
            self.hide()  # its end takes a moment
            self.batch.end()
        elif box.clickedButton() is go_on:
            self.batch.let_go()
        return not self.batch.running


def _paths(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []
