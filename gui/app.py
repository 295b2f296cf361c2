"""Starts the window, or draws it offscreen for a screenshot, and ends everything cleanly."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import traceback
from pathlib import Path
from types import TracebackType

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication

from engine import registry, samples
from engine.errors import EngineError, UsageError
from engine.files import atomic_write
from engine.jobs import Scheduler
from engine.store import RunStore, open_store
from engine.trial import Target, TargetKind
from gui import preferences, style
from gui.bridge import Bridge
from gui.controller import Controller
from gui.desk import Desk
from gui.main_window import MainWindow
from gui.panels.codecs import CodecChoice
from gui.session.document import SUFFIX
from gui.session.keeper import Opened, read
from gui.state import ORIGINAL, State, Topic
from gui.theme import THEMES
from gui.watch import FileWatch

FIRST_CODECS = ("jpeg", "wavelet", "hyperprior", "avif", "dct", "webp", "jpeg2000")
FIRST_RATE = 0.3  # bpp: low enough that every codec shows its manner
SCREENSHOT_SIZE = (1600, 1000)
SCREENSHOT_LIMIT_S = 300
_GC_MS = 2000


class Workbench:
    """Everything behind one window, wired: state, scheduler, store, bridge, controller, window."""

    def __init__(self, store: RunStore | None = None, workers: int | None = None) -> None:
        self.state = State(Target(TargetKind.BPP, FIRST_RATE))
        self.bridge = Bridge()
        self.store = store or open_store()
        self.scheduler = Scheduler(workers)
        desk = Desk(self.state, self.scheduler, self.bridge.post, self._complain)
        self.controller = Controller(self.state, desk, self.store)
        self.window = MainWindow(self.state, self.controller, self._begin)
        self.window.offer_codecs([CodecChoice(codec.info, codec.available() or "") for codec in registry.codecs()])
        for note in self.store.notes:
            self.window.tell(note)
        self.watch = FileWatch(lambda path: self.bridge.post(lambda: self._written(path)))
        self.state.subscribe(Topic.SOURCES, self._follow)

    def _follow(self) -> None:
        self.watch.follow(source.path for source in self.state.sources if not source.missing)

    def _written(self, path: Path) -> None:
        if preferences.watches() and self.controller.read_anew(path):
            self.window.tell(f"{path.name} was written anew, and is read again")

    def _complain(self, text: str) -> None:
        self.window.complain(text)

    def open(self, files: list[Path], codecs: list[str] | None, bpp: float | None) -> None:
        """Begin with these pictures (by default the bundled ones), codecs and rate."""
        self._begin(codecs, bpp)
        self.controller.open_paths(files or [sample.path for sample in samples.samples()])

    def _begin(self, codecs: list[str] | None = None, bpp: float | None = None) -> None:
        """Codecs and rate, no pictures yet."""
        self.state.set_target(Target(TargetKind.BPP, bpp if bpp is not None else FIRST_RATE))
        for codec_id in codecs or [c for c in FIRST_CODECS if registry.codec(c).available() is None]:
            self.controller.add_codec(codec_id)

    def start(self, options: argparse.Namespace, session: Opened | None) -> None:
        """Open what was asked for: a session, files, or else what the last window left."""
        sessions = self.window.sessions
        asked = bool(options.files or options.codecs or options.bpp)
        if options.screenshot is not None or not sessions.hold():
            if session is not None:
                sessions.place(session)
                self._add(options)
            else:
                self.open(options.files, options.codecs, options.bpp)
        elif session is not None:
            sessions.start_instead(lambda: self._add(options), session)
        elif asked:
            sessions.start_instead(lambda: self.open(options.files, options.codecs, options.bpp))
            if options.files:
                sessions.remember_pictures(options.files)
        else:
            sessions.bring_back_running(lambda: self.open([], None, None))

    def _add(self, options: argparse.Namespace) -> None:
        """To a session that was opened: other codecs, another rate, more pictures, where they were asked for."""
        if options.codecs:
            for lane in list(self.state.lanes):
                self.controller.remove_lane(lane.id)
            for codec_id in options.codecs:
                self.controller.add_codec(codec_id)
        if options.bpp is not None:
            self.controller.set_target(Target(TargetKind.BPP, options.bpp))
        if options.files:
            self.controller.open_paths(options.files)

    def close(self) -> None:
        """End jobs, processes and threads; nothing outlives this."""
        self.watch.close()
        self.bridge.close()
        self.window.batch.end()
        self.window.close()
        self.controller.close()
        self.window.deleteLater()


def run(options: argparse.Namespace) -> int:
    """Open the workbench as `gui.launch` parsed it; returns the exit code."""
    for codec_id in options.codecs or []:
        registry.codec(codec_id)
    session = _session(options)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    dress(app)
    bench = Workbench()
    sys.excepthook = _Hook(bench)
    collector = _collect_garbage_here(app)
    try:
        bench.window.resize(*SCREENSHOT_SIZE)
        if options.screenshot is None:
            preferences.restore_geometry(bench.window)
        bench.window.show()  # before it is filled: the first layout decides what is folded, a session after that
        bench.start(options, session)
        if options.screenshot is not None:
            return _screenshot(app, bench, options.screenshot)
        code = app.exec()
        preferences.save_geometry(bench.window)
        return code
    finally:
        collector.stop()
        bench.close()
        gc.enable()


def dress(app: QApplication) -> None:
    """The program's name, theme and way of drawing, before its first window."""
    app.setApplicationName("Ratescope")
    pg.setConfigOptions(imageAxisOrder="row-major", antialias=True)
    style.apply(app, THEMES[preferences.apply()])


def _session(options: argparse.Namespace) -> Opened | None:
    """The session that was asked for by --session, or as the one file; read before there is a window to open."""
    named = [path for path in options.files if path.suffix.lower() == SUFFIX]
    path = options.session or next(iter(named), None)
    options.files = [path for path in options.files if path not in named]
    return read(path.absolute()) if path is not None else None


def _collect_garbage_here(app: QApplication) -> QTimer:
    """Cyclic garbage may hold widgets, which must die on the GUI thread: collect there, and nowhere else."""
    gc.disable()
    timer = QTimer(app, interval=_GC_MS)
    timer.timeout.connect(gc.collect)
    timer.start()
    return timer


class _Hook:
    """An error that nobody expected: say it in the window, print it, go on."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        if isinstance(error, Exception):
            text = str(error) if isinstance(error, EngineError) else f"Something went wrong inside: {error!r}"
            self._bench.window.complain(text)


def _screenshot(app: QApplication, bench: Workbench, path: Path) -> int:
    """Wait until the window has come to rest, save it as PNG and its panes' figures as JSON beside it."""
    if path.suffix.lower() != ".png":
        raise UsageError("a screenshot is a .png", path=path)
    window = bench.window
    calm = 0
    waited = QTimer(app, interval=50)
    failed: list[str] = []

    def look() -> None:
        nonlocal calm
        calm = calm + 1 if window.settled else 0
        if calm >= 3:
            app.exit(0)

    def give_up() -> None:
        failed.append(f"the window did not come to rest within {SCREENSHOT_LIMIT_S} s")
        app.exit(1)

    waited.timeout.connect(look)
    waited.start()
    QTimer.singleShot(SCREENSHOT_LIMIT_S * 1000, window, give_up)
    app.exec()
    waited.stop()
    if failed:
        raise EngineError(failed[0])
    window.plot.flush()
    picture = window.grab()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(path)):
        raise EngineError("the screenshot could not be written", path=path)
    atomic_write(path.with_suffix(".json"), json.dumps(describe(bench), indent=1).encode())
    return 0


def describe(bench: Workbench) -> dict[str, object]:
    """Source, target and, for every pane in view, what it shows, its figures and the rectangle of its picture."""
    state, window = bench.state, bench.window
    panes = []
    origin = window.compare.mapTo(window, QPoint(0, 0))
    for key, rect in window.compare.picture_rects().items():
        lane = state.lane(int(key))
        trial = state.outcome(lane.id).trial if lane else None
        passport = state.outcome(lane.id).passport if lane else None
        place = rect.translated(origin)
        panes.append(
            {
                "codec": "original" if int(key) == ORIGINAL else lane.codec if lane else "",
                "bpp": trial.bpp if trial else None,
                "bytes": trial.size if trial else None,
                "psnr": trial.scores.get("psnr") if trial else None,
                "log2_psnr": trial.scores.get("log2_psnr") if trial else None,
                "passport": passport.short if passport else None,
                "rect": [place.x(), place.y(), place.width(), place.height()],
            }
        )
    source = state.current
    return {
        "source": str(source.path) if source else None,
        "target": {"kind": str(state.target.kind), "value": state.target.value},
        "panes": panes,
    }
