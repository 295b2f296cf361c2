"""The one way from other threads into the GUI thread: a queued signal that carries a call."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Bridge(QObject):
    """`post(call)` may be used from any thread; the call then runs on the thread that owns the bridge."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        if self._open:
            self._posted.emit(call)

    def close(self) -> None:
        """Drop everything that has not run yet and whatever comes later."""
        self._open = False

    @Slot(object)
    def _run(self, call: Callable[[], None]) -> None:
        if self._open:
            call()
