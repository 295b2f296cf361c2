"""One start of a window, run as a program by `gui.bench`: `python -m gui.bench_start ours|peer FOLDER`.

Says "painted" when the window has been painted for the first time, and ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget


class _Painted(QObject):
    """Whether a widget was painted."""

    seen = False

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.seen = self.seen or event.type() == QEvent.Type.Paint
        return False


def _say_when_painted(app: QApplication, window: QWidget, canvas: QWidget) -> None:
    """canvas: the part of the window that tells."""
    painted = _Painted()
    canvas.installEventFilter(painted)
    window.show()
    while not painted.seen:
        app.processEvents()
    print("painted", flush=True)


def _ours(folder: Path) -> None:
    from engine.store import RunStore
    from gui.app import SCREENSHOT_SIZE, Workbench, dress

    app = QApplication([])
    dress(app)
    bench = Workbench(RunStore(folder))
    bench.window.resize(*SCREENSHOT_SIZE)
    _say_when_painted(app, bench.window, bench.window)
    bench.close()


def _peer() -> None:
    import pyqtgraph as pg

    app = QApplication([])
    widget = pg.GraphicsLayoutWidget(size=(1600, 1000))
    widget.addViewBox()
    _say_when_painted(app, widget, widget.viewport())


if __name__ == "__main__":
    _ours(Path(sys.argv[2])) if sys.argv[1] == "ours" else _peer()
