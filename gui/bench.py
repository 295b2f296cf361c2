"""The window's part of `ratescope bench`: how long it takes to appear, and to move four large pictures.

Both are drawn offscreen, by the processor, so that they say nothing of a graphics card. Qt is loaded by the suite only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from engine.bench import Side, Work, offer
from engine.errors import EngineError
from gui import probe

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from gui.views.compare import CompareArea

SIDE = 8192
WINDOW = (1600, 900)
STEP = (11, 7)  # device px of one pan step
_TURN = 30  # steps of a drag: farther than what is kept ready around the part in view
_PATIENCE_S = 60
_WHO = {"ours": "ratescope", "peer": "pyqtgraph"}


def offer_suite() -> None:
    """Let `ratescope bench` know of this."""
    offer("gui", works)


def works() -> Iterator[Work]:
    """The suite; `EngineError` where Qt lacks a library."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if missing := probe.missing_for_qt("offscreen"):
        raise EngineError(probe.advice(missing))
    peer = f"pyqtgraph {version('pyqtgraph')}"
    yield Work(
        "gui-start",
        "from the start of the process to the first paint of the empty window of 1600×1000",
        "ms",
        Side("ratescope", "the workbench, offscreen", lambda: _start("ours")),
        Side(peer, "a GraphicsLayoutWidget with one empty view, offscreen", lambda: _start("peer")),
    )
    with ExitStack() as cleanup:
        pictures = [_picture(seed) for seed in range(4)]
        settings = (
            f"window {WINDOW[0]}×{WINDOW[1]}, twice the fitted size, drags of {_TURN} steps of {STEP[0]}×{STEP[1]} px"
        )
        ours, rest = _our_pan(pictures, cleanup)
        yield Work(
            "gui-pan-4x8192",
            "one step of panning four linked panes of 8192×8192 RGB pictures, painted",
            "ms",
            Side("ratescope", f"{settings}; averaged, exactly at rest", ours),
            Side(peer, f"{settings}; ImageItem, nearest neighbour", _peer_pan(pictures, cleanup, rest)),
        )


def _start(who: str) -> float:
    """Seconds until a fresh process has painted its window."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gui.bench_start", who, folder]
        begin = time.perf_counter()
        environment = {**os.environ, "RATESCOPE_DATA": folder}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            said = process.stdout.readline()
            taken = time.perf_counter() - begin
            process.stdout.read()
    if said.strip() != b"painted":
        raise EngineError(f"{_WHO[who]} painted no window")
    return taken


def _picture(seed: int) -> np.ndarray:
    """8192×8192 RGB with detail at every scale."""
    rows, columns = np.ogrid[:SIDE, :SIDE]
    texture = ((rows * (3 + seed)) ^ (columns * 5)) & 255
    return np.stack([texture, (rows + columns) // 64 & 255, texture ^ 255], axis=-1).astype(np.uint8)


def _application() -> QApplication:
    from PySide6.QtWidgets import QApplication

    from gui import app as window

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    window.dress(app)
    return app


def _drag(pan: Callable[[int, int], None], app: QApplication, rest: Callable[[], None]) -> Callable[[], float]:
    """A stopwatch around a drag: the seconds that one of its steps took, paint and all. Every other one goes back.

    rest: lets what other drags left to threads finish, outside the clock.
    """
    made = 0

    def run() -> float:
        nonlocal made
        made += 1
        sign = 1 if made % 2 else -1
        rest()
        begin = time.perf_counter()
        for _ in range(_TURN):
            pan(sign * STEP[0], sign * STEP[1])
            app.processEvents()
        return (time.perf_counter() - begin) / _TURN

    return run


def _our_pan(pictures: list[np.ndarray], cleanup: ExitStack) -> tuple[Callable[[], float], Callable[[], None]]:
    """The stopwatch, and what waits until all is drawn at its best."""
    from gui.views.compare import CompareArea
    from gui.views.model import PaneModel

    app = _application()
    view = CompareArea()
    cleanup.callback(view.close)
    view.resize(*WINDOW)
    view.show()
    view.set_renditions({str(i): PaneModel(i + 1, f"picture {i + 1}") for i in range(len(pictures))})
    for i, pixels in enumerate(pictures):
        view.set_picture(str(i), pixels)
    rest = partial(_settle, app, view)
    rest()
    view.linked.zoom(2.0, (WINDOW[0] // 2, WINDOW[1] // 2))
    rest()
    return _drag(view.linked.pan, app, rest), rest


def _peer_pan(pictures: list[np.ndarray], cleanup: ExitStack, rest: Callable[[], None]) -> Callable[[], float]:
    import pyqtgraph as pg

    app = _application()
    widget = pg.GraphicsLayoutWidget(size=WINDOW)
    cleanup.callback(widget.close)
    boxes = []
    for i, pixels in enumerate(pictures):
        box = widget.addViewBox(row=i // 2, col=i % 2, lockAspect=True, invertY=True)
        box.addItem(pg.ImageItem(pixels, autoLevels=False, levels=(0, 255)))
        boxes.append(box)
        if i:
            box.setXLink(boxes[0])
            box.setYLink(boxes[0])
    widget.show()
    app.processEvents()
    first = boxes[0]
    first.scaleBy((0.5, 0.5))
    app.processEvents()

    def pan(dx: int, dy: int) -> None:
        x, y = first.viewPixelSize()
        first.translateBy(x=-dx * x, y=-dy * y)

    return _drag(pan, app, rest)


def _settle(app: QApplication, view: CompareArea) -> None:
    """Let threads and timers finish."""
    limit = time.monotonic() + _PATIENCE_S
    app.processEvents()
    while view.busy:
        if time.monotonic() > limit:
            raise EngineError(f"the panes were not drawn within {_PATIENCE_S} s")
        app.processEvents()
        time.sleep(0.005)
