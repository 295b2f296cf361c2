"""A pane's header: what fits, and in which order things go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot
from views_kit import pixels

from gui.theme import DARK, lane_colour
from gui.views.header import HEIGHT, PaneHeader
from gui.views.header_layout import lay_out
from gui.views.model import Badge, BadgeKind, PaneModel, PaneState

WARNING = Badge("cannot reach: nearest 0.31 bpp", kind=BadgeKind.WARN)
NOTE = Badge("alpha flattened over white")
MODEL = PaneModel(
    3,
    "JPEG 2000",
    "#CC79A7",
    "^",
    rate_text="0.248 bpp",
    size_text="12.2 KB",
    score_text="33.18 dB",
    times_text="enc 74 ms  dec 7 ms",
    badges=(NOTE, WARNING),
)


def seen(model: PaneModel, room: int) -> set[str]:
    layout = lay_out(model, room)
    return {layout.label, layout.aside, *(piece.text for piece in layout.pieces)} - {""}


def test_everything_is_shown_where_there_is_room(qapp):
    assert seen(MODEL, 1200) == {"JPEG 2000", "0.248 bpp", "12.2 KB", "33.18 dB", NOTE.text, WARNING.text} | {
        "enc 74 ms  dec 7 ms"
    }


def test_label_rate_and_score_stay_longest(qapp):
    went = []
    before = seen(MODEL, 1200)
    for room in range(1199, 40, -1):
        now = seen(MODEL, room)
        gone = {text for text in before - now if "…" not in text}
        went += sorted(gone)
        before = now
    order = [NOTE.text, "enc 74 ms  dec 7 ms", "12.2 KB", WARNING.text, "JPEG 2000", "!", "i", "33.18 dB", "0.248 bpp"]
    assert [text for text in dict.fromkeys(went) if text in order] == order


@pytest.mark.parametrize("room", range(0, 900, 7))
def test_nothing_is_wider_than_its_room(qapp, room):
    layout = lay_out(MODEL, room)
    pieces = sum(piece.width + 8 for piece in layout.pieces) + (12 if layout.pieces else 0)
    assert layout.label_width + pieces <= max(0, room)


@pytest.mark.parametrize(
    ("state", "progress", "word"),
    [
        (PaneState.QUEUED, None, "queued"),
        (PaneState.RUNNING, 0.43, "running 43 %"),
        (PaneState.RUNNING, None, "running"),
        (PaneState.STALE, None, "updating"),
        (PaneState.FAILED, None, "failed"),
        (PaneState.DONE, None, "enc 74 ms  dec 7 ms"),
    ],
)
def test_each_state_is_said_in_a_word(qapp, state, progress, word):
    assert lay_out(replace(MODEL, state=state, progress=progress), 1200).aside == word


def test_progress_is_a_line_in_the_codecs_colour(qtbot: QtBot):
    header = PaneHeader()
    qtbot.addWidget(header)
    header.set_theme(DARK)
    header.resize(400, HEIGHT)
    header.show_model(replace(MODEL, state=PaneState.RUNNING, progress=0.25))
    line = pixels(header)[HEIGHT - 1]
    coloured = (line == tuple(bytes.fromhex(lane_colour(MODEL.colour, DARK)[1:]))).all(axis=1)
    assert coloured[:100].all() and not coloured[101:].any()


def test_an_unknown_share_of_work_moves_only_while_it_is_seen(qtbot: QtBot):
    header = PaneHeader()
    qtbot.addWidget(header)
    header.resize(400, HEIGHT)
    header.show_model(replace(MODEL, state=PaneState.RUNNING))
    header.show()
    first = pixels(header)[HEIGHT - 1]
    qtbot.waitUntil(lambda: bool((pixels(header)[HEIGHT - 1] != first).any()))
    header.hide()
    assert not header._pulse.isActive()


def test_the_description_has_all_of_it(qtbot: QtBot):
    header = PaneHeader()
    qtbot.addWidget(header)
    header.show_model(replace(MODEL, state=PaneState.FAILED, message="out of memory"))
    for text in ("JPEG 2000", "0.248 bpp", "33.18 dB", "failed", "out of memory", NOTE.text):
        assert text in header.description()
