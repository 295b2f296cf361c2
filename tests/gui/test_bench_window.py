"""The window's rows: a start that paints, and a drag of panes that paints every step."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine import bench as engine_bench
from gui import bench


def test_the_command_knows_of_the_window_s_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_bench, "_SUITES", {})
    bench.offer_suite()
    assert list(engine_bench.suites()) == ["gui"]


def test_a_start_is_over_when_the_window_has_been_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert 0.1 < bench._start("ours") < 120


def test_both_sides_of_the_drag_paint_what_they_move(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SIDE", 600)
    painted = [bench._picture(seed) for seed in range(4)]
    with ExitStack() as cleanup:
        ours, rest = bench._our_pan(painted, cleanup)
        peer = bench._peer_pan(painted, cleanup, rest)
        assert all(0 < watch() < 5 for watch in (ours, peer, ours, peer))
    assert len({picture.tobytes() for picture in painted}) == 4
    assert np.ptp(painted[0]) == 255
