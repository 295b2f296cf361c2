"""Codecs that hang, workers that die and limits that are reached: the pane says why, and the window goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image as Pillow
from pytestqt.qtbot import QtBot

from engine.store import open_store
from gui.app import Workbench
from gui.state import Outcome, Phase
from tests.pictures import photo_like

Settle = Callable[[Workbench], None]
PROGRAM = """
import pathlib, shutil, sys, time
here, source, target = pathlib.Path(sys.argv[1]), *sys.argv[2:]
(here / "started").touch()
while not (here / "go").exists():
    time.sleep(0.01)
shutil.copy(source, target)
"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Pillow.fromarray(photo_like(120, 184)).save(path)
    return path


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command codec `waiting` that hangs, for two seconds at most, unless there is a file `go` beside it."""
    folder = tmp_path / "codecs"
    folder.mkdir()
    (folder / "wait.py").write_text(PROGRAM)
    line = json.dumps(f"'{sys.executable}' '{{dir}}/wait.py' '{{dir}}' {{in}} {{out}}")
    (folder / "waiting.toml").write_text(f'id = "waiting"\nencode = {line}\ndecode = {line}\ntimeout_s = 2\n')
    monkeypatch.setenv("RATESCOPE_CODECS", str(folder))
    return folder


def is_dead(process: psutil.Process) -> bool:
    """Gone, or a zombie that its parent has not collected yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def outcome_of(bench: Workbench, codec_id: str) -> Outcome:
    return bench.state.outcome(next(lane.id for lane in bench.state.lanes if lane.codec == codec_id))


def test_a_codec_that_hangs_fails_alone_with_the_reason(
    waiting: Path, bench: Workbench, photo: Path, settle: Settle
) -> None:
    bench.open([photo], ["waiting", "jpeg"], 8.0)
    settle(bench)
    hung = outcome_of(bench, "waiting")
    assert hung.phase is Phase.FAILED and "took longer than 2 s" in hung.error
    assert outcome_of(bench, "jpeg").phase is Phase.DONE


def test_a_lane_whose_worker_died_says_so_and_can_be_tried_again(
    waiting: Path, bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    bench.open([photo], ["waiting"], 20.0)
    qtbot.waitUntil((waiting / "started").exists, timeout=30_000)
    workers = psutil.Process().children()
    for worker in workers:
        worker.kill()
    qtbot.waitUntil(lambda: all(map(is_dead, workers)), timeout=10_000)
    qtbot.waitUntil(lambda: outcome_of(bench, "waiting").phase is Phase.FAILED, timeout=30_000)
    assert "was killed" in outcome_of(bench, "waiting").error
    (waiting / "go").touch()
    bench.window.compare.retry_requested.emit(str(bench.state.lanes[0].id))
    settle(bench)
    assert outcome_of(bench, "waiting").phase is Phase.DONE


def test_a_codec_beyond_the_memory_limit_is_refused_with_both_figures(
    bench: Workbench, photo: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "900k")
    bench.open([photo], ["jpeg", "wavelet"], 1.0)
    settle(bench)
    assert outcome_of(bench, "jpeg").phase is Phase.DONE
    refused = outcome_of(bench, "wavelet")
    assert refused.phase is Phase.FAILED and "MiB of memory, the limit is 900 KiB" in refused.error


def test_a_store_that_cannot_be_used_costs_one_note(
    bench: Workbench, photo: Path, settle: Settle, tmp_path: Path
) -> None:
    other = Workbench(open_store(photo / "store"), workers=1)
    try:
        other.open([photo], ["jpeg"], 1.0)
        settle(other)
        assert outcome_of(other, "jpeg").phase is Phase.DONE
        assert [toast.text for toast in other.window.toasts.shown() if "will not be kept" in toast.text]
    finally:
        other.close()
