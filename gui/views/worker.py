"""`PictureWorker`: makes pictures ready for display on threads, and hands them over on the GUI thread.

Pyramids and blends of big pictures take longer than a frame; numpy gives up the GIL for most of it. This is display
only: encodes, decodes and metrics run in processes, through the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.errors import LimitExceeded

THREADS = 2


class PictureWorker(QObject):
    """A few threads whose results come back as one queued signal, newest request per owner only.

    A request replaces the owner's earlier one of the same kind: a result that is no longer wanted is dropped.
    """

    idle = Signal()
    _finished = Signal(object, object, object)  # key, future, done

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="picture")
        self._current: dict[object, Future[Any]] = {}
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return bool(self._current)

    def submit(
        self, key: object, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[str], None]
    ) -> None:
        """Run `work()` on a thread, then on the GUI thread `done(result)`, or `failed(reason)` for want of memory.

        Any other exception of `work` is raised on the GUI thread: it is a fault of the program.
        """
        self.cancel(key)
        future = self._pool.submit(work)
        self._current[key] = future
        future.add_done_callback(lambda finished: self._announce(key, finished, (done, failed)))

    def cancel(self, key: object) -> None:
        """Forget the request; its result, if it comes, is dropped."""
        stale = self._current.pop(key, None)
        if stale is not None:
            stale.cancel()

    def close(self) -> None:
        """Drop everything and end the threads once their present work is done."""
        self._current.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _announce(self, key: object, future: Future[Any], callbacks: tuple[Callable[..., None], ...]) -> None:
        if not future.cancelled():
            self._finished.emit(key, future, callbacks)

    @Slot(object, object, object)
    def _deliver(self, key: object, future: Future[Any], callbacks: tuple[Callable[..., None], ...]) -> None:
        if self._current.get(key) is not future:
            return
        del self._current[key]
        done, failed = callbacks
        try:
            result = future.result()
        except MemoryError:
            failed("There is not enough memory to show this picture.")
        except LimitExceeded as error:
            failed(str(error))
        else:
            done(result)
        if not self._current:
            self.idle.emit()
