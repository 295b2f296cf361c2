"""A person's session with the real window: drop, wait, drag the rate, wipe, flip, look at errors, save, go on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from engine import registry
from engine.codec import Ctx
from engine.io import read
from engine.metrics import scores
from engine.trial import Target, TargetKind
from gui.app import Workbench, describe
from gui.curve_picker import CurvePicker
from gui.state import ORIGINAL, Phase, View
from gui.views.header import PaneHeader
from gui.views.layouts import Layout
from tests.pictures import photo_like

CODECS = ("jpeg", "dct", "wavelet", "webp")
Settle = Callable[[Workbench], None]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "pictures" / "photo.png"
    path.parent.mkdir()
    Pillow.fromarray(photo_like(120, 184)).save(path)
    return path


def drop(window: QWidget, *paths: Path) -> bool:
    """What the window system does when files are dropped on the middle of the window; was it accepted?"""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place, action, button = window.rect().center(), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(place, action, data, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(place), action, data, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, event)
    return enter.isAccepted() and event.isAccepted()


def grab(widget: QWidget) -> np.ndarray:
    """A widget's pixels as H×W×3 u8."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def compared(bench: Workbench, photo: Path, settle: Settle) -> None:
    for codec_id in CODECS:
        bench.controller.add_codec(codec_id)
    assert drop(bench.window, photo)
    settle(bench)


def lane_of(bench: Workbench, codec_id: str) -> int:
    return next(lane.id for lane in bench.state.lanes if lane.codec == codec_id)


def answer_dialog(monkeypatch: pytest.MonkeyPatch, path: Path, chosen: str = "") -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(path), chosen))


def test_a_dropped_picture_is_compared_by_four_codecs_at_one_rate(
    bench: Workbench, photo: Path, settle: Settle
) -> None:
    compared(bench, photo, settle)
    state = bench.state
    source = state.current
    assert source is not None and source.size == (184, 120)
    original = read(photo).image
    for lane in state.lanes:
        outcome = state.outcome(lane.id)
        assert outcome.phase is Phase.DONE and outcome.solved is not None, outcome.error
        assert outcome.solved.result.reached and outcome.trial is not None
        assert 0.75 * state.target.value < outcome.trial.bpp <= state.target.value
        decoded = registry.codec(lane.codec).decode(outcome.solved.data, Ctx())
        assert np.array_equal(decoded.pixels, outcome.solved.decoded.pixels)
        assert outcome.trial.scores["psnr"] == pytest.approx(scores(original, decoded, ["psnr"])["psnr"])
        assert len(state.curve(lane.id)) >= 5
    panes = describe(bench)["panes"]
    assert isinstance(panes, list)
    assert [pane["codec"] for pane in panes] == ["original", "jpeg", "dct", "wavelet"]
    assert bench.window.verdict.model.rowCount() == 4
    assert bench.window.toasts.shown() == []


def test_the_window_starts_with_the_focus_on_the_pictures(bench: Workbench) -> None:
    assert bench.window.focusWidget() is bench.window.compare


def test_moving_the_rate_moves_panes_and_plot(bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot) -> None:
    compared(bench, photo, settle)
    before = {lane.id: bench.state.outcome(lane.id).trial for lane in bench.state.lanes}
    slider = bench.window.rate_lock.slider
    slider.setFocus()
    for _ in range(3):
        qtbot.keyClick(slider, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: bench.state.target.value > 0.5, timeout=5000)
    settle(bench)
    for lane in bench.state.lanes:
        old, new = before[lane.id], bench.state.outcome(lane.id).trial
        assert old is not None and new is not None
        assert new.bpp > 1.2 * old.bpp and new.scores["psnr"] > old.scores["psnr"]
        assert new.bpp <= bench.state.target.value
        header = bench.window.compare.visible_panes().get(str(lane.id))
        if header is not None:
            assert f"{new.bpp:.3f} bpp" in header.headers[0].description()
        marked = bench.window.plot.operating_point(str(lane.id))
        assert marked is not None and marked.bpp == new.bpp


def test_a_large_picture_is_shown_and_then_scored(
    bench: Workbench, settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "large.png"
    Pillow.fromarray(photo_like(1300, 1700)).save(path, compress_level=1)
    lane = bench.controller.add_codec("jpeg")
    assert lane is not None and drop(bench.window, path)
    qtbot.waitUntil(lambda: bench.state.outcome(lane.id).early, timeout=60_000)
    outcome = bench.state.outcome(lane.id)
    assert outcome.phase is Phase.RUNNING and not outcome.stale
    assert outcome.trial is not None and set(outcome.trial.scores) == {"psnr"}
    settle(bench)
    outcome = bench.state.outcome(lane.id)
    assert outcome.phase is Phase.DONE and outcome.trial is not None and "ms_ssim" in outcome.trial.scores


def test_the_wipe_line_parts_original_and_codec(bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot) -> None:
    compared(bench, photo, settle)
    bench.state.activate(lane_of(bench, "jpeg"))
    qtbot.keyClick(bench.window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    settle(bench)
    assert bench.state.layout is Layout.WIPE
    (pane,) = bench.window.compare.visible_panes().values()
    pictures = []
    for fraction in (0.0, 0.5, 1.0):
        bench.window.compare.set_split(fraction)
        settle(bench)
        pictures.append(grab(pane.canvas))
    codec, parted, original = (picture.astype(int) for picture in pictures)
    half = parted.shape[1] // 2
    margin = 24  # the line and its handle
    assert np.abs(codec - original).mean() > 0.5
    assert np.abs(parted[40:, : half - margin] - original[40:, : half - margin]).max() == 0
    assert np.abs(parted[40:, half + margin :] - codec[40:, half + margin :]).max() == 0


def test_holding_space_shows_the_original_in_every_pane(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, photo, settle)
    area = bench.window.compare
    pane = area.visible_panes()[str(lane_of(bench, "jpeg"))]
    first = grab(area.visible_panes()[str(ORIGINAL)].canvas).astype(int)
    before = grab(pane.canvas)
    pane.canvas.setFocus()
    qtbot.keyPress(pane.canvas, Qt.Key.Key_Space)
    held = grab(pane.canvas)
    qtbot.keyRelease(pane.canvas, Qt.Key.Key_Space)
    after = grab(pane.canvas)
    middle = (slice(40, -40), slice(40, -40))
    assert np.abs(held.astype(int) - first)[middle].mean() < 1.0
    assert np.abs(held.astype(int) - before)[middle].mean() > 0.5
    assert np.array_equal(before, after)


def test_the_error_view_shows_heat_maps_on_one_scale(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, photo, settle)
    before = {key: grab(pane.canvas) for key, pane in bench.window.compare.visible_panes().items()}
    qtbot.keyClick(bench.window, Qt.Key.Key_E)
    settle(bench)
    assert bench.state.view is View.ERROR
    for key, pane in bench.window.compare.visible_panes().items():
        changed = np.abs(grab(pane.canvas).astype(int) - before[key]).mean()
        if int(key) == ORIGINAL:
            assert changed < 2  # the colour bar may lie over it
        else:
            values = bench.state.outcome(int(key)).maps[bench.state.map_metric]
            assert values.shape == (120, 184) and values.max() > 0
            assert changed > 5
    qtbot.keyClick(bench.window, Qt.Key.Key_E)
    settle(bench)
    key = str(lane_of(bench, "jpeg"))
    assert np.array_equal(grab(bench.window.compare.visible_panes()[key].canvas), before[key])


def test_the_views_of_bits_show_where_they_went(bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot) -> None:
    compared(bench, photo, settle)
    bench.state.set_lane_visible(lane_of(bench, "wavelet"), False)
    settle(bench)
    panes = bench.window.compare.visible_panes()
    before = {key: grab(pane.canvas) for key, pane in panes.items()}
    seen = {}
    for key in (Qt.Key.Key_B, Qt.Key.Key_X):
        qtbot.keyClick(bench.window, key)
        settle(bench)
        seen[bench.state.view] = {key: grab(pane.canvas) for key, pane in panes.items()}
    assert list(seen) == [View.BITS, View.BITS_ERROR]
    for codec_id in ("jpeg", "dct"):
        outcome, key = bench.state.outcome(lane_of(bench, codec_id)), str(lane_of(bench, codec_id))
        assert outcome.bits is not None and outcome.solved is not None
        file = len(outcome.solved.data)
        assert outcome.bits.bits.sum() / 8 + outcome.bits.apart_bytes == pytest.approx(file, rel=0.02)
        shots = [before[key], *(each[key] for each in seen.values())]
        assert all(np.abs(a.astype(int) - b).mean() > 5 for a, b in itertools.combinations(shots, 2))
        assert "Not on the map" in panes[key].findChildren(PaneHeader)[0].description()
    header = panes[str(lane_of(bench, "webp"))].findChildren(PaneHeader)[0]
    assert "WebP does not tell where its bits went" in header.description()
    bench.controller.set_target(Target(TargetKind.BPP, 2 * bench.state.target.value))
    settle(bench)
    outcome = bench.state.outcome(lane_of(bench, "dct"))
    assert outcome.bits is not None and outcome.solved is not None and len(outcome.solved.data) != file
    assert outcome.bits.bits.sum() / 8 + outcome.bits.apart_bytes == pytest.approx(len(outcome.solved.data), rel=0.02)


def test_bits_cannot_be_seen_where_no_codec_tells_of_them(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    bench.controller.add_codec("webp")
    assert drop(bench.window, photo)
    settle(bench)
    assert not bench.window.top_bar.views.button("bits").isEnabled()
    qtbot.keyClick(bench.window, Qt.Key.Key_B)
    assert bench.state.view is View.PICTURE
    assert any("tells where its bits went" in toast.text for toast in bench.window.toasts.shown())


def test_the_winning_file_picture_chart_and_numbers_are_saved(
    bench: Workbench, photo: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    tmp_path = photo.parent.parent
    compared(bench, photo, settle)
    winner = max(bench.state.lanes, key=lambda lane: bench.state.outcome(lane.id).trial.scores["psnr"])  # type: ignore[union-attr]
    bench.state.activate(winner.id)
    solved = bench.state.outcome(winner.id).solved
    assert solved is not None
    suffix = registry.codec(winner.codec).info.extension
    saves = {
        "save_file": (tmp_path / "best", suffix, ""),
        "save_decoded": (tmp_path / "best", ".png", ""),
        "export_chart": (tmp_path / "chart", ".pdf", "PDF (*.pdf)"),
        "export_numbers": (tmp_path / "numbers", ".json", "JSON (*.json)"),
    }
    written = {}
    for action, (path, ending, chosen) in saves.items():
        answer_dialog(monkeypatch, path, chosen)
        bench.window.actions_by_id[action].trigger()
        written[action] = path.with_name(path.name + ending)
        qtbot.waitUntil(written[action].exists, timeout=60_000)
    settle(bench)
    assert written["save_file"].read_bytes() == solved.data
    assert np.array_equal(read(written["save_decoded"]).image.pixels, solved.decoded.pixels)
    assert written["export_chart"].read_bytes().startswith(b"%PDF")
    rows = json.loads(written["export_numbers"].read_text())["trials"]
    assert {row["codec"] for row in rows} == set(CODECS)


def test_the_original_is_never_overwritten(
    bench: Workbench, photo: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    before = photo.read_bytes()
    compared(bench, photo, settle)
    answer_dialog(monkeypatch, photo)
    bench.window.actions_by_id["save_decoded"].trigger()
    qtbot.waitUntil(lambda: bool(bench.window.toasts.shown()), timeout=10_000)
    assert "never overwritten" in bench.window.toasts.shown()[0].text
    assert photo.read_bytes() == before


def test_a_broken_file_is_said_and_the_window_goes_on(
    bench: Workbench, photo: Path, settle: Settle, tmp_path: Path
) -> None:
    compared(bench, photo, settle)
    broken = tmp_path / "broken.png"
    broken.write_bytes(photo.read_bytes()[:700])
    assert drop(bench.window, broken)
    settle(bench)
    failed = bench.state.sources[-1]
    assert bench.state.current is not None and bench.state.current.path == photo, "the comparison stays"
    assert all(bench.state.outcome(lane.id).phase is Phase.DONE for lane in bench.state.lanes)
    assert failed.phase is Phase.FAILED and "broken.png" in failed.error
    assert any("broken.png" in toast.text for toast in bench.window.toasts.shown())
    other = tmp_path / "other.png"
    Pillow.fromarray(photo_like(96, 160, seed=3)).save(other)
    assert drop(bench.window, other)
    settle(bench)
    assert bench.state.current.path == other
    assert all(bench.state.outcome(lane.id).phase is Phase.DONE for lane in bench.state.lanes)


def test_removing_the_current_picture_goes_on_with_its_neighbour(
    bench: Workbench, photo: Path, settle: Settle, tmp_path: Path
) -> None:
    bench.controller.add_codec("jpeg")
    other = tmp_path / "other.png"
    Pillow.fromarray(photo_like(96, 160, seed=3)).save(other)
    assert drop(bench.window, photo, other)
    settle(bench)
    bench.window.actions_by_id["remove_source"].trigger()
    settle(bench)
    assert bench.state.current is not None and bench.state.current.path == other


def test_a_file_that_changed_on_disk_is_compared_anew(
    bench: Workbench, photo: Path, settle: Settle, tmp_path: Path
) -> None:
    compared(bench, photo, settle)
    lane = bench.state.lanes[0]
    before = bench.state.outcome(lane.id).trial
    Pillow.fromarray(photo_like(120, 184, seed=9)).save(photo)
    bench.window.actions_by_id["reload"].trigger()
    settle(bench)
    after = bench.state.outcome(lane.id).trial
    assert before is not None and after is not None and before.key.image != after.key.image
    assert {trial.key.image for trial in bench.state.curve(lane.id)} == {after.key.image}


def test_a_second_target_costs_few_encodes_and_the_store_remembers(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, photo, settle)
    wavelet = lane_of(bench, "wavelet")
    before = len(bench.state.curve(wavelet))
    target = bench.state.target
    bench.window.rate_lock.step(4, coarse=True)
    qtbot.waitUntil(lambda: bench.state.target != target, timeout=5000)
    settle(bench)
    assert len(bench.state.curve(wavelet)) - before <= 2
    solved = bench.state.outcome(wavelet).solved
    assert solved is not None and solved.result.encodes <= 2
    source = bench.state.current
    assert source is not None and source.image is not None
    version = registry.codec("wavelet").version()
    stored = bench.store.trials(source.image.digest, "wavelet", version)
    assert {trial.key.settings for trial in stored} == {t.key.settings for t in bench.state.curve(wavelet)}


def test_number_keys_and_tab_walk_through_the_renditions(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, photo, settle)
    qtbot.keyClick(bench.window, Qt.Key.Key_5)
    settle(bench)
    webp = lane_of(bench, "webp")
    assert bench.state.active == webp
    assert str(webp) in bench.window.compare.visible_panes()
    qtbot.keyClick(bench.window, Qt.Key.Key_1)
    assert bench.state.active == ORIGINAL
    bench.window.actions_by_id["next_rendition"].trigger()
    assert bench.state.active == lane_of(bench, "jpeg")


def test_the_pointer_reads_original_decoded_and_difference(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, photo, settle)
    jpeg = lane_of(bench, "jpeg")
    bench.state.activate(jpeg)
    settle(bench)
    area = bench.window.compare
    canvas = area.visible_panes()[str(jpeg)].canvas
    seen: list[tuple[int, int]] = []
    area.hovered.connect(lambda x, y: seen.append((x, y)))
    qtbot.mouseMove(canvas, canvas.rect().center() + QPoint(9, 5))
    qtbot.waitUntil(lambda: bool(seen), timeout=5000)
    x, y = seen[-1]
    original = read(photo).image.pixels[y, x]
    text = bench.window.status.text()
    assert " ".join(str(value) for value in original) in text
    solved = bench.state.outcome(jpeg).solved
    assert solved is not None
    assert " ".join(str(value) for value in solved.decoded.pixels[y, x]) in text


def test_curves_from_elsewhere_lie_under_the_plot(
    bench: Workbench, photo: Path, settle: Settle, tmp_path: Path
) -> None:
    compared(bench, photo, settle)
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"name": "other", "results": {"bpp": [0.2, 0.4], "psnr-rgb": [29.0, 32.0]}}))
    assert drop(bench.window, path)
    settle(bench)
    assert [curve.name for curve in bench.window.references] == ["other"]
    bench.window.actions_by_id["published_curves"].trigger()
    (picker,) = bench.window.findChildren(CurvePicker)
    landmarks = [curve.name for curve in picker.chosen()]
    picker.list.item(0).setCheckState(Qt.CheckState.Checked)
    picker.accept()
    names = [curve.name for curve in bench.window.references]
    assert len(landmarks) == 4 and len(names) == 6 and names[0] == "other" and set(landmarks) < set(names)
    bench.window.actions_by_id["clear_curves"].trigger()
    assert bench.window.references == []


def test_a_lane_can_be_stopped_and_started_again(bench: Workbench, photo: Path, settle: Settle) -> None:
    lane = bench.controller.add_codec("wavelet")
    assert lane is not None and drop(bench.window, photo)
    settle(bench)
    first = bench.state.outcome(lane.id).solved
    bench.controller.set_target(Target(TargetKind.BPP, 1.7))
    bench.window.draw()
    bench.window.codecs.card(str(lane.id)).halt.click()
    settle(bench)
    outcome = bench.state.outcome(lane.id)
    assert outcome.solved is first and outcome.phase is Phase.DONE
    bench.controller.retry(lane.id)
    settle(bench)
    trial = bench.state.outcome(lane.id).trial
    assert trial is not None and 1.5 < trial.bpp <= 1.7


def test_space_shows_the_original_wherever_the_focus_is(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, photo, settle)
    bench.window.sources.setFocus()
    qtbot.keyPress(bench.window, Qt.Key.Key_Space)
    assert bench.window.compare.flipped
    qtbot.keyRelease(bench.window.compare, Qt.Key.Key_Space)
    assert not bench.window.compare.flipped


def test_removing_everything_leaves_a_window_that_invites(bench: Workbench, photo: Path, settle: Settle) -> None:
    compared(bench, photo, settle)
    for lane in list(bench.state.lanes):
        bench.controller.remove_lane(lane.id)
    settle(bench)
    assert list(bench.window.compare.visible_panes()) == [str(ORIGINAL)]
    bench.window.actions_by_id["remove_source"].trigger()
    settle(bench)
    assert bench.state.current is None and bench.window.compare.visible_panes() == {}
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
