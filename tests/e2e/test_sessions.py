"""Work survives: a session comes back as it was, after a quit, a kill, a move, and whatever became of its files."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from engine.display import to_display
from engine.io import read
from engine.tone import Tone
from engine.trial import Target, TargetKind
from gui import preferences
from gui.app import Workbench
from gui.launch import parser
from gui.session import keeper
from gui.session.document import SUFFIX, SavedLane, SavedSource, Session, dump, parse_bytes
from gui.session.slot import TRIES
from gui.state import ORIGINAL, Phase, View
from gui.views.layouts import Layout
from tests.pictures import photo_like

Settle = Callable[[Workbench], None]
CODECS = ("jpeg", "webp")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "project" / "pictures"
    folder.mkdir(parents=True)
    paths = [folder / f"photo{seed}.png" for seed in (1, 2)]
    for seed, path in enumerate(paths):
        Pillow.fromarray(photo_like(96, 144, seed=seed)).save(path)
    return paths


def options(*words: str | Path) -> argparse.Namespace:
    return parser().parse_args([str(word) for word in words])


def arranged(bench: Workbench, photos: list[Path], settle: Settle) -> None:
    """Two pictures, two codecs, and a look at them that nobody has by default."""
    bench.controller.open_paths(photos)
    bench.controller.set_target(Target(TargetKind.BPP, 0.8))
    for codec_id in CODECS:
        bench.controller.add_codec(codec_id)
    settle(bench)
    bench.controller.set_lane_settings(bench.state.lanes[0].id, {"chroma": "4:4:4"})
    bench.controller.choose_source(bench.state.sources[1].id)
    settle(bench)
    bench.state.activate(bench.state.lanes[1].id)
    bench.state.set_view(layout=Layout.WIPE, view=View.ERROR, map_metric="ssim", score_metric="ssim")
    bench.state.set_view(anchor=bench.state.lanes[1].id)
    window = bench.window
    window.compare.set_split(0.25)
    window.compare.one_to_one()
    window.compare.zoom(3)
    window.compare.linked.pan(-20, 10)
    window.plot.set_log(False)
    window.verdict.set_order("smallest")
    window.left.set_folded(True)
    window.set_lower_share(0.4)
    window.commands.published_curves()
    dialogs = [child for child in window.children() if child.metaObject().className() == "CurvePicker"]
    dialogs[0].accept()
    settle(bench)


def looks(bench: Workbench) -> dict[str, Any]:
    """Everything that ought to come back, in words that two windows can be compared by."""
    state, window = bench.state, bench.window
    places = {lane.id: place for place, lane in enumerate(state.lanes)}
    answers = {lane.codec: outcome.solved.data for lane in state.lanes if (outcome := state.outcome(lane.id)).solved}
    return {
        "sources": [(source.path, source.size) for source in state.sources],
        "current": state.current.path if state.current else None,
        "lanes": [(lane.codec, lane.settings, lane.place, lane.visible) for lane in state.lanes],
        "target": state.target,
        "anchor": places.get(state.anchor or -1),
        "active": places.get(state.active),
        "view": (state.layout, state.view, state.map_metric, state.overlay, state.score_metric),
        "transform": window.compare.view,
        "split": window.compare.split,
        "plot": (window.plot.log, [curve.name for curve in window.references]),
        "order": window.verdict.order(),
        "folded": (window.left.folded(), window.right.folded()),
        "lower": pytest.approx(window.lower_share(), abs=0.01),
        "answers": answers,
        "curves": {lane.codec: {(t.key.settings, t.size) for t in state.curve(lane.id)} for lane in state.lanes},
    }


def test_a_session_comes_back_whole_and_without_a_single_encode(
    bench: Workbench, photos: list[Path], settle: Settle, qtbot: QtBot
) -> None:
    arranged(bench, photos, settle)
    before = looks(bench)
    assert before["view"][0] is Layout.WIPE and len(before["plot"][1]) == 4
    path = photos[0].parents[1] / "kitchen"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(path), ""))
        bench.window.actions_by_id["save_session_as"].trigger()
    qtbot.waitUntil(lambda: bench.window.sessions.file is not None, timeout=10_000)
    bench.window.actions_by_id["new_session"].trigger()
    settle(bench)
    assert bench.window.compare.keys == () and bench.window.sessions.file is None
    bench.window.commands.take([path.with_name(f"kitchen{SUFFIX}")])
    qtbot.waitUntil(lambda: len(bench.state.sources) == 2, timeout=10_000)
    settle(bench)
    after = looks(bench)
    for codec_id, points in before.pop("curves").items():
        assert points <= after["curves"][codec_id]
    view, former = after.pop("transform"), before.pop("transform")
    assert (view.image, view.scale) == (former.image, former.scale) and view.centre == pytest.approx(former.centre)
    assert {name: after[name] for name in before} == before
    for lane in bench.state.lanes:
        solved = bench.state.outcome(lane.id).solved
        assert solved is not None and solved.result.encodes == 0
    assert [toast.text for toast in bench.window.toasts.shown() if toast.level == "error"] == []


def test_the_title_names_the_session_and_marks_what_is_not_saved(
    bench: Workbench, photos: list[Path], settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    bench.controller.open_paths(photos)
    settle(bench)
    window = bench.window
    assert window.windowTitle() == "photo1 — Ratescope" and not window.isWindowModified()
    window.sessions.save(tmp_path / f"kitchen{SUFFIX}")
    qtbot.waitUntil(lambda: window.windowTitle() == "photo1 — kitchen[*] — Ratescope", timeout=10_000)
    window.compare.set_split(0.2)
    bench.state.set_view(layout=Layout.SIDE)
    window.sessions.look()
    assert not window.isWindowModified(), "looking is no change"
    bench.controller.set_target(Target(TargetKind.BPP, 1.3))
    qtbot.waitUntil(window.isWindowModified, timeout=10_000)
    assert window.top_bar._session.text() == "kitchen*"
    window.actions_by_id["save_session"].trigger()
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=10_000)
    assert parse_bytes((tmp_path / f"kitchen{SUFFIX}").read_bytes()).target.value == 1.3


def test_unsaved_changes_are_asked_about_before_another_session(bench: Workbench, tmp_path: Path, qtbot: QtBot) -> None:
    window, path = bench.window, tmp_path / f"kitchen{SUFFIX}"

    def answered(answer: QMessageBox.StandardButton) -> None:
        window.actions_by_id["new_session"].trigger()
        (box,) = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
        assert "kitchen" in box.text()
        box.button(answer).click()

    def stored() -> float:
        return parse_bytes(path.read_bytes()).target.value

    window.sessions.save(path)
    qtbot.waitUntil(lambda: window.sessions.file == path, timeout=10_000)
    bench.controller.set_target(Target(TargetKind.BPP, 1.7))
    answered(QMessageBox.StandardButton.Cancel)
    assert window.sessions.file == path and window.isWindowModified() and bench.state.target.value == 1.7
    answered(QMessageBox.StandardButton.Save)
    qtbot.waitUntil(lambda: window.sessions.file is None, timeout=10_000)
    assert stored() == 1.7
    window.sessions.open(path)
    qtbot.waitUntil(lambda: window.sessions.file == path, timeout=10_000)
    bench.controller.set_target(Target(TargetKind.BPP, 2.3))
    answered(QMessageBox.StandardButton.Discard)
    assert window.sessions.file is None and stored() == 1.7


def test_a_session_in_a_moved_folder_opens_there(
    bench: Workbench, photos: list[Path], settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    bench.controller.open_paths(photos)
    settle(bench)
    bench.window.sessions.save(photos[0].parents[1] / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.window.sessions.file is not None, timeout=10_000)
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "project", moved)
    bench.window.sessions.open(moved / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.state.sources[0].path.is_relative_to(moved), timeout=10_000)
    settle(bench)
    assert [source.phase for source in bench.state.sources] == [Phase.DONE, Phase.DONE]
    assert not any(source.changed for source in bench.state.sources)
    bench.window.sessions.look()
    assert not bench.window.isWindowModified()


def test_a_changed_picture_says_so_and_a_missing_one_can_be_located(
    bench: Workbench, photos: list[Path], settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    third = photos[0].with_name("photo3.png")
    shutil.copy(photos[0], third)
    third.write_bytes(third.read_bytes() + b"\0" * 9)
    bench.controller.open_paths([*photos, third])
    settle(bench)
    bench.window.sessions.save(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.window.sessions.file is not None, timeout=10_000)
    Pillow.fromarray(photo_like(96, 144, seed=77)).save(photos[0])
    away = tmp_path / "away"
    away.mkdir()
    for gone in (photos[1], third):
        shutil.move(gone, away / gone.name)
    bench.window.actions_by_id["new_session"].trigger()
    bench.window.sessions.open(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: len(bench.state.sources) == 3, timeout=10_000)
    settle(bench)
    first, second, last = bench.state.sources
    assert first.changed and not first.error
    badges = bench.window.sources.items()[0].badges
    assert badges[0].text == "changed since" and "photo1.png has changed" in badges[0].tip
    assert second.missing and last.missing and "not found" in second.error
    assert any("2 pictures were not found" in toast.text for toast in bench.window.toasts.shown())
    row = bench.window.sources.list.model().index(1, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(away / "photo2.png"), ""))
        bench.window.sources.list.activated.emit(row)
    qtbot.waitUntil(lambda: not last.missing, timeout=10_000)
    settle(bench)
    assert (second.path, last.path) == (away / "photo2.png", away / "photo3.png")
    assert second.phase is Phase.DONE and not second.changed and not second.error
    bench.window.actions_by_id["save_session"].trigger()
    qtbot.waitUntil(lambda: not first.changed, timeout=10_000)
    assert [source.path for source in keeper.read(tmp_path / f"s{SUFFIX}").found] == [photos[0], second.path, last.path]


def test_a_picture_of_light_comes_back_in_its_tone(
    bench: Workbench, settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "light.tif"
    tifffile.imwrite(path, 2 ** (photo_like(60, 90).astype(np.float32) / 32 - 4), photometric="rgb")
    bench.controller.open_paths([path])
    settle(bench)
    assert bench.state.is_float
    tone = Tone(1.5, 0.25, 2.0, "aces")
    bench.state.set_tone(tone)
    bench.state.set_view(score_metric="hdr_flip")
    bench.window.sessions.save(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.window.sessions.file is not None, timeout=10_000)
    bench.window.actions_by_id["new_session"].trigger()
    bench.state.set_view(score_metric="log2_psnr")
    bench.window.sessions.open(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.state.current is not None, timeout=10_000)
    settle(bench)
    assert bench.state.tone == tone and bench.state.score_metric == "hdr_flip"
    bench.window.actions_by_id["copy_picture"].trigger()
    settle(bench)
    copied = QGuiApplication.clipboard().image()
    assert (copied.width(), copied.height()) == (90, 60)
    assert copied.pixelColor(40, 30).getRgb()[:3] == tuple(to_display(read(path).image, tone=tone)[30, 40])


def test_what_is_unknown_here_is_left_out_and_said(
    bench: Workbench, photos: list[Path], settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    lanes = (SavedLane("vvc"), SavedLane("jpeg", {"chroma": "9:9:9", "progressive": False, "mood": 1}, place=3))
    tone = {"exposure": 99, "curve": "round", "gamma": 2}
    values = {"view": {"layout": "round", "wipe": 7, "zoom": [], "centre": "x", "overlay": 1, "map_metric": {}}}
    path = tmp_path / f"s{SUFFIX}"
    sources = (SavedSource(str(photos[0]), tone=tone),)
    path.write_bytes(dump(Session(sources, lanes, anchor=0, codec=1, original=False, values=values)))
    bench.window.sessions.open(path)
    qtbot.waitUntil(lambda: bench.window.sessions.file == path, timeout=10_000)
    settle(bench)
    (lane,) = bench.state.lanes
    assert (lane.codec, lane.settings["progressive"], lane.settings["chroma"], lane.place) == (
        "jpeg",
        False,
        "4:2:0",
        3,
    )
    assert bench.state.active == lane.id and bench.state.layout is Layout.GRID
    (toast,) = [toast for toast in bench.window.toasts.shown() if toast.level == "error"]
    assert "no codec 'vvc'" in toast.text and "10 more" in toast.text
    assert bench.state.sources[0].tone == Tone(gamma=2.0)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b'{"format": "ratescope-session", "version": 99}'])
def test_a_broken_session_file_is_said_and_changes_nothing(
    bench: Workbench, photos: list[Path], settle: Settle, tmp_path: Path, content: bytes
) -> None:
    bench.controller.open_paths(photos[:1])
    settle(bench)
    path = tmp_path / f"broken{SUFFIX}"
    path.write_bytes(content)
    bench.window.commands.take([path])
    settle(bench)
    assert [source.path for source in bench.state.sources] == photos[:1]
    assert any("broken.ratescope" in toast.text for toast in bench.window.toasts.shown())


def running_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions" / f"running-0{SUFFIX}"


def test_a_killed_window_s_session_is_back_at_the_next_start(
    bench: Workbench, photos: list[Path], settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    words = [sys.executable, "-m", "gui.launch", "gui", *map(str, photos), "--codecs", "webp,jpeg", "--bpp", "0.9"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "QT_QPA_PLATFORM": "offscreen"}
    process = subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)
    running = running_file(tmp_path)

    def kept() -> bool:
        assert process.poll() is None
        return running.exists() and parse_bytes(running.read_bytes()).current == 0

    try:
        qtbot.waitUntil(kept, timeout=60_000)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    bench.start(options(), None)
    qtbot.waitUntil(lambda: len(bench.state.sources) == 2, timeout=10_000)
    settle(bench)
    assert [source.path for source in bench.state.sources] == photos
    assert [lane.codec for lane in bench.state.lanes] == ["webp", "jpeg"]
    assert bench.state.target == Target(TargetKind.BPP, 0.9)
    assert all(bench.state.outcome(lane.id).phase is Phase.DONE for lane in bench.state.lanes)
    assert bench.window.toasts.shown() == []


def test_changes_are_kept_soon_and_nothing_is_written_for_nothing(
    bench: Workbench, photos: list[Path], settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    bench.start(options(*photos, "--codecs", "jpeg"), None)
    settle(bench)
    running = running_file(tmp_path)
    qtbot.waitUntil(running.exists, timeout=10_000)
    bench.window.compare.set_split(0.125)

    def kept() -> bool:
        return parse_bytes(running.read_bytes()).values["view"]["wipe"] == 0.125

    started = time.monotonic()
    qtbot.waitUntil(kept, timeout=10_000)
    assert time.monotonic() - started < 5
    bench.window.sessions.look()
    before = running.stat().st_mtime_ns
    bench.window.sessions.look()
    bench.window.sessions._writer.submit(lambda: None).result()
    assert running.stat().st_mtime_ns == before


@pytest.mark.parametrize("content", [b'{"format": "ratescope-session", "ver', b"\xff" * 50])
def test_a_broken_running_session_never_prevents_the_start(
    bench: Workbench, tmp_path: Path, settle: Settle, qtbot: QtBot, content: bytes
) -> None:
    running = running_file(tmp_path)
    running.parent.mkdir(parents=True)
    running.write_bytes(content)
    bench.start(options(), None)
    qtbot.waitUntil(lambda: bool(bench.state.sources), timeout=10_000)
    assert bench.state.lanes, "the bundled pictures and the usual codecs"
    (toast,) = bench.window.toasts.shown()
    (aside,) = running.parent.glob("set-aside-*")
    assert aside.read_bytes() == content and str(aside) in toast.text
    bench.controller.clear()


def test_a_session_that_brings_the_program_down_is_not_brought_back_for_ever(
    bench: Workbench, tmp_path: Path, qtbot: QtBot
) -> None:
    running = running_file(tmp_path)
    running.parent.mkdir(parents=True)
    running.write_bytes(dump(Session(lanes=(SavedLane("webp"),))))
    running.with_name("running-0.tries").write_bytes(b"." * TRIES)
    bench.start(options(), None)
    qtbot.waitUntil(lambda: len(bench.state.lanes) > 1, timeout=10_000)
    assert any("ended early" in toast.text for toast in bench.window.toasts.shown())
    bench.controller.clear()


def test_files_open_instead_and_the_former_session_can_be_brought_back(
    bench: Workbench, photos: list[Path], tmp_path: Path, settle: Settle, qtbot: QtBot
) -> None:
    running = running_file(tmp_path)
    running.parent.mkdir(parents=True)
    running.write_bytes(dump(Session(sources=(SavedSource(str(photos[1])),), lanes=(SavedLane("webp"),))))
    bench.start(options(photos[0], "--codecs", "jpeg"), None)
    settle(bench)
    assert [source.path for source in bench.state.sources] == [photos[0]]
    bench.window.actions_by_id["former_session"].trigger()
    qtbot.waitUntil(lambda: [source.path for source in bench.state.sources] == [photos[1]], timeout=10_000)
    settle(bench)
    assert [lane.codec for lane in bench.state.lanes] == ["webp"]
    bench.window.actions_by_id["former_session"].trigger()
    qtbot.waitUntil(lambda: [source.path for source in bench.state.sources] == [photos[0]], timeout=10_000)
    assert [lane.codec for lane in bench.state.lanes] == ["jpeg"]
    settle(bench)


def test_a_session_named_on_the_command_line_takes_codecs_rate_and_files_from_it(
    bench: Workbench, photos: list[Path], tmp_path: Path, settle: Settle
) -> None:
    path = tmp_path / f"s{SUFFIX}"
    path.write_bytes(dump(Session(sources=(SavedSource(str(photos[0])),), lanes=(SavedLane("webp"),))))
    given = options("--session", path, "--codecs", "jpeg", "--bpp", "2", photos[1])
    bench.start(given, keeper.read(given.session))
    settle(bench)
    assert [source.path for source in bench.state.sources] == photos
    assert [lane.codec for lane in bench.state.lanes] == ["jpeg"] and bench.state.target.value == 2


def test_a_screenshot_draws_a_session_and_leaves_the_running_one_alone(photos: list[Path], tmp_path: Path) -> None:
    path, shot = tmp_path / f"s{SUFFIX}", tmp_path / "shot.png"
    values = {"view": {"layout": "side"}}
    session = Session((SavedSource(str(photos[1])),), (SavedLane("jpeg"),), Target(TargetKind.BPP, 1.0), values=values)
    path.write_bytes(dump(session))
    words = [sys.executable, "-m", "gui.launch", "gui", "--session", str(path), "--screenshot", str(shot)]
    places = {"RATESCOPE_DATA": "data", "RATESCOPE_CONFIG": "config", "XDG_CACHE_HOME": "cache"}
    environment = os.environ | {name: str(tmp_path / place) for name, place in places.items()}
    run = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    about = json.loads(shot.with_suffix(".json").read_text())
    assert about["source"] == str(photos[1])
    assert [pane["codec"] for pane in about["panes"]] == ["original", "jpeg"]
    assert not (tmp_path / "data").exists()


def test_a_session_that_cannot_be_read_ends_the_command_with_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "gui.launch", "gui", "--session", str(tmp_path / "gone"), "--screenshot", "a.png"]
    run = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1 and "gone: the session cannot be read: no such file" in run.stderr


# ---------------------------------------------------------------- the File menu and the clipboard


def test_the_file_menu_offers_what_was_opened_lately(
    bench: Workbench, photos: list[Path], settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    window = bench.window
    window.commands.take([photos[0].parent])
    settle(bench)
    window.sessions.save(tmp_path / f"kitchen{SUFFIX}")
    qtbot.waitUntil(lambda: bool(window.sessions.recent.sessions), timeout=10_000)
    (tmp_path / f"kitchen{SUFFIX}").unlink()
    window.file_menu.popup(window.mapToGlobal(window.rect().center()))
    texts = [action.text() for action in window.file_menu.actions() if not action.isSeparator()]
    assert texts[:3] == ["New session", "Open session…", "Open recent\t▸"] and texts[-1] == "Quit"
    qtbot.waitUntil(lambda: bool(window.sessions.gone), timeout=10_000)
    recents = {action.text().partition("\t")[0]: action for action in window.file_menu.recent.actions()}
    assert not recents[f"kitchen{SUFFIX}"].isEnabled() and recents["pictures"].isEnabled()
    window.file_menu.close()
    window.actions_by_id["new_session"].trigger()
    recents["pictures"].trigger()
    settle(bench)
    assert [source.path for source in bench.state.sources] == photos
    recents["Clear this list"].trigger()
    assert window.sessions.recent == keeper.Recent()


def clip(picture: QImage | None = None, urls: list[Path] | None = None, text: str = "") -> None:
    data = QMimeData()
    if picture is not None:
        data.setImageData(picture)
    if urls:
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in urls])
    if text:
        data.setText(text)
    QGuiApplication.clipboard().setMimeData(data)


def test_a_pasted_picture_is_kept_by_its_content(
    bench: Workbench, settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    pixels = photo_like(40, 61)
    picture = QImage(pixels.data, 61, 40, 3 * 61, QImage.Format.Format_RGB888).copy()
    for _ in range(2):
        clip(picture)
        qtbot.keyClick(bench.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        settle(bench)
    (path,) = (tmp_path / "data" / "pasted").iterdir()
    assert np.array_equal(read(path).image.pixels, pixels)
    assert [source.path for source in bench.state.sources] == [path]
    assert bench.state.current is not None and bench.state.current.size == (61, 40)


def test_pasted_files_and_paths_are_opened(bench: Workbench, photos: list[Path], settle: Settle) -> None:
    clip(urls=photos[:1])
    bench.window.actions_by_id["paste"].trigger()
    clip(text=f"  {photos[1]}\n")
    bench.window.actions_by_id["paste"].trigger()
    settle(bench)
    assert [source.path for source in bench.state.sources] == photos


def test_other_things_on_the_clipboard_are_said_to_be_no_picture(bench: Workbench) -> None:
    for text in ("", "just words", "/no/such/file.png", "\0"):
        clip(text=text)
        bench.window.actions_by_id["paste"].trigger()
        (toast,) = bench.window.toasts.shown()
        assert "no picture on the clipboard" in toast.text
        toast.dismiss()
    assert bench.state.sources == []


def test_text_is_pasted_into_a_field_that_has_the_focus(bench: Workbench, photos: list[Path], qtbot: QtBot) -> None:
    clip(urls=photos, text="7")
    field = bench.window.findChild(QLineEdit)
    assert field is not None
    bench.window.commands.palette()
    qtbot.keyClick(bench.window.palette_list.field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert bench.window.palette_list.field.text() == "7" and bench.state.sources == []


def test_the_decoded_picture_is_copied_pixel_for_pixel(
    bench: Workbench, photos: list[Path], settle: Settle, qtbot: QtBot
) -> None:
    bench.controller.open_paths(photos[:1])
    lane = bench.controller.add_codec("jpeg")
    assert lane is not None
    settle(bench)
    table = bench.window.verdict.table
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("codec\t"), "the table keeps its own Ctrl+C"
    table.clearFocus()
    for rendition in (lane.id, ORIGINAL):
        bench.state.activate(rendition)
        qtbot.keyClick(bench.window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        settle(bench)
        copied = QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(copied.constBits(), np.uint8).reshape(copied.height(), copied.bytesPerLine())
        pixels = rows[:, : 3 * copied.width()].reshape(copied.height(), copied.width(), 3)
        solved, image = bench.state.outcome(lane.id).solved, bench.state.sources[0].image
        assert solved is not None and image is not None
        assert np.array_equal(pixels, solved.decoded.pixels if rendition == lane.id else image.pixels)


def test_a_data_folder_that_cannot_be_written_costs_one_note(
    bench: Workbench, photos: list[Path], tmp_path: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RATESCOPE_DATA", str(tmp_path / "file" / "data"))
    bench.start(options(*photos, "--codecs", "jpeg"), None)
    settle(bench)
    assert all(bench.state.outcome(lane.id).phase is Phase.DONE for lane in bench.state.lanes)
    (toast,) = bench.window.toasts.shown()
    assert "the running session is not kept" in toast.text
    assert not bench.window.sessions.has_former


def test_the_next_window_opens_where_the_last_one_was(bench: Workbench) -> None:
    bench.window.setGeometry(0, 0, 960, 700)
    preferences.save_geometry(bench.window)
    bench.window.setGeometry(0, 0, 1500, 900)
    preferences.restore_geometry(bench.window)
    assert (bench.window.width(), bench.window.height()) == (960, 700)
    preferences.save(window="not base64 \u00e4")
    preferences.restore_geometry(bench.window)
    assert bench.window.height() == 700
