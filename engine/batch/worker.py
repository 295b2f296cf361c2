"""What a worker process of ours does when it starts (Dask's "preload"): it is quiet, and deaf to Ctrl-C."""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import sys

LOG_VARIABLE = "RATESCOPE_WORKER_LOG"


def dask_setup(_worker: object) -> None:
    """Called by Dask in the worker's main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the client is asked to stop, and it ends the workers
    _redirect(os.environ.get(LOG_VARIABLE, os.devnull))
    faulthandler.enable()
    for name in ("engine.batch.work", "engine.metrics"):
        importlib.import_module(name)


def _redirect(path: str) -> None:
    """Let what libraries print go to a file: neither the terminal nor a pipe is theirs."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
