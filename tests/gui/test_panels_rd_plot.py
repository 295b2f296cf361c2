"""The RD plot: what is drawn, named, ringed and read out, and how little is redrawn."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.trial import TargetKind
from gui import style
from gui.panels.rd_plot import RdPlot, RdPoint, Reference
from gui.theme import DARK, LIGHT
from tests.gui.panels_kit import FLIP, LANES, PSNR, A

CURVE = [RdPoint(b, {"psnr": 24 + 6 * math.log2(b / 0.1), "flip": 0.2 / b**0.3}) for b in (0.4, 0.1, 0.2, 0.8, 1.6)]


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


@pytest.fixture
def plot(qtbot: QtBot) -> RdPlot:
    panel = RdPlot()
    qtbot.addWidget(panel)
    panel.resize(640, 300)
    panel.set_metrics([PSNR, FLIP], "psnr")
    panel.set_lanes(LANES)
    panel.set_curve("a", CURVE)
    panel.set_curve("b", [RdPoint(p.bpp, {"psnr": p.scores["psnr"] + 0.4}) for p in CURVE])
    panel.show()
    qtbot.waitExposed(panel)
    panel.flush()
    return panel


def _pixel(plot: RdPlot, bpp: float, score: float) -> QPointF:
    return plot._overlay.to_pixels(math.log10(bpp), score)


def _on_screen(plot: RdPlot, bpp: float, score: float) -> QPoint:
    return plot.view.mapFromScene(plot._box.mapToScene(_pixel(plot, bpp, score)))


def test_points_are_drawn_by_rate_through_the_chosen_metric(plot: RdPlot) -> None:
    xs, ys = plot._lanes["a"].line.getData()
    assert list(xs) == sorted(xs)
    assert ys[0] == pytest.approx(24)
    plot.set_metric("flip")
    plot.flush()
    assert plot._lanes["a"].line.getData()[1][0] == pytest.approx(0.2 / 0.1**0.3)
    assert plot._lanes["b"].shown == []  # nothing measured with that metric yet


def test_a_beaten_point_is_drawn_faintly_and_off_the_line(plot: RdPlot) -> None:
    plot.set_curve("a", [*CURVE, RdPoint(0.9, {"psnr": 20})])
    plot.flush()
    assert len(plot._lanes["a"].line.getData()[0]) == 5
    assert len(plot._lanes["a"].faint.getData()[0]) == 1


def test_only_changed_curves_are_redrawn_and_bursts_together(plot: RdPlot, qtbot: QtBot) -> None:
    drawn: list[str] = []
    plot._lanes["a"].line.sigPlotChanged.connect(lambda *_: drawn.append("a"))
    plot._lanes["b"].line.sigPlotChanged.connect(lambda *_: drawn.append("b"))
    for count in range(1, 6):
        plot.set_curve("a", CURVE[:count])
        plot.set_curve("b", plot._lanes["b"].points)
    qtbot.waitUntil(lambda: bool(drawn))
    qtbot.wait(60)
    assert drawn == ["a"]


def test_everything_fits_into_view_and_every_name_into_the_plot(plot: RdPlot) -> None:
    area = plot._box.rect()
    for point in CURVE:
        pixel = _pixel(plot, point.bpp, point.scores["psnr"])
        assert area.contains(pixel)
    names = plot._overlay.placed()
    assert set(names) == {"a", "b"}
    assert all(area.contains(rect) for rect in names.values())
    assert not names["a"].intersects(names["b"])  # their curves end 0.4 dB apart


def test_names_of_curves_out_of_sight_are_left_out(plot: RdPlot) -> None:
    plot._box.setRange(xRange=(-1, 0), yRange=(0, 10), padding=0)
    assert plot._overlay.placed() == {}


def test_rate_ticks_are_one_two_five(plot: RdPlot) -> None:
    (lo, hi), _ = plot._box.viewRange()
    values = plot._x_axis.tickValues(lo, hi, plot._box.rect().width())[0][1]
    assert plot._x_axis.tickStrings(values, 1, 1) == ["0.1", "0.2", "0.5", "1", "2"]


def test_the_linear_axis_shows_rates_themselves(plot: RdPlot, qtbot: QtBot) -> None:
    with qtbot.waitSignal(plot.log_changed) as changed:
        plot.axis_combo.setCurrentIndex(1)
    plot.flush()
    assert changed.args == [False]
    assert plot._lanes["a"].line.getData()[0][-1] == pytest.approx(1.6)


def test_a_click_on_a_point_names_its_lane_and_rate(plot: RdPlot, qtbot: QtBot) -> None:
    with qtbot.waitSignal(plot.point_clicked) as clicked:
        qtbot.mouseClick(plot.view.viewport(), Qt.MouseButton.LeftButton, pos=_on_screen(plot, 0.4, 36) + QPoint(1, 3))
    assert clicked.args == ["a", 0.4]


def test_the_read_out_says_codec_figures_and_settings(plot: RdPlot) -> None:
    plot.set_curve("a", [RdPoint(0.4, {"psnr": 36}, 19661, "quality 40"), *CURVE[1:]])
    plot.flush()
    plot._hovered(plot._box.mapToScene(_pixel(plot, 0.4, 36)))
    read_out = plot._overlay.read_out
    assert read_out is not None
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in read_out.lines] == [
        "JPEG",
        "0.400 bpp · 19.2 KB · 36.00 dB",
        "quality 40",
    ]
    plot._hovered(plot._box.mapToScene(QPointF(5, 5)))
    assert plot._overlay.read_out is None


def test_the_operating_point_is_ringed_where_it_has_the_metric(plot: RdPlot) -> None:
    plot.set_operating_point("a", CURVE[0])
    plot.set_operating_point("b", RdPoint(0.5, {"flip": 0.1}))
    plot.flush()
    assert [(ring.look, ring.x) for ring in plot._overlay.rings] == [(A.look, math.log10(0.4))]


@pytest.mark.parametrize(
    ("kind", "value", "angle", "at"),
    [("bpp", 0.25, 90, math.log10(0.25)), ("bytes", 12_288, 90, math.log10(0.25)), ("psnr", 31.5, 0, 31.5)],
)
def test_the_target_is_a_line_across_its_axis(plot: RdPlot, kind: str, value: float, angle: int, at: float) -> None:
    plot.set_target(kind, value, pixels=768 * 512)
    plot.flush()
    assert plot._target_line.isVisible()
    assert plot._target_line.angle == angle
    assert plot._target_line.value() == pytest.approx(at)


def test_a_quality_target_is_not_drawn_across_another_metric(plot: RdPlot) -> None:
    plot.set_target("psnr", 31.5)
    plot.set_metric("flip")
    plot.flush()
    assert not plot._target_line.isVisible()


def test_references_lie_under_the_curves_with_their_names(plot: RdPlot) -> None:
    plot.set_references([Reference("VTM", tuple(CURVE))])
    plot.flush()
    assert "reference:VTM" in plot._overlay.placed()
    item = plot._references[0][1]
    assert item.zValue() < plot._lanes["a"].line.zValue()
    plot.set_references([])
    plot.flush()
    assert "reference:VTM" not in plot._overlay.placed()


def test_zooming_by_hand_holds_until_everything_is_asked_for(plot: RdPlot) -> None:
    plot._box.setRange(xRange=(-0.5, 0), yRange=(30, 34), padding=0)
    plot._box.sigRangeChangedManually.emit([True, True])
    plot.set_curve("a", CURVE[:3])
    plot.flush()
    assert plot._box.viewRange()[1] == [30, 34]
    plot.show_all()
    plot.flush()
    assert plot._box.viewRange()[1] != [30, 34]


def test_a_removed_lane_leaves_nothing_behind(plot: RdPlot) -> None:
    before = len(plot._item.items)
    plot.set_lanes([A])
    plot.set_curve("b", CURVE)  # a late result
    plot.flush()
    assert len(plot._item.items) == before - 6
    assert set(plot._overlay.placed()) == {"a"}


def test_an_empty_plot_says_what_will_be_there(plot: RdPlot) -> None:
    assert plot._empty.isHidden()
    plot.set_lanes([])
    plot.flush()
    assert plot._empty.isVisible() and not plot._item.isVisible()


def test_the_metric_choice_is_reported(plot: RdPlot, qtbot: QtBot) -> None:
    with qtbot.waitSignal(plot.metric_changed) as changed:
        plot.metric_combo.setCurrentIndex(1)
    assert changed.args == ["flip"]
    with qtbot.assertNotEmitted(plot.metric_changed):
        plot.set_metric("psnr")


def test_curves_change_their_shade_with_the_theme(plot: RdPlot, qapp: QApplication) -> None:
    dark = plot._lanes["a"].line.opts["pen"].color().name()
    style.apply(qapp, LIGHT)
    assert plot._lanes["a"].line.opts["pen"].color().name() != dark


def test_a_curve_that_leaves_the_view_is_named_where_it_leaves(plot: RdPlot) -> None:
    plot.set_curve("b", [])
    plot.set_curve("a", [*CURVE, RdPoint(30, {"psnr": 70})])
    plot.flush()
    assert plot._box.viewRange()[0][1] < math.log10(30)
    name, area = plot._overlay.placed()["a"], plot._box.rect()
    assert area.contains(name)
    assert name.center().y() < area.height() / 3  # at the top, where it goes out


def test_a_curve_that_ends_a_little_beyond_is_shown_whole(plot: RdPlot) -> None:
    plot.set_curve("a", [*CURVE, RdPoint(3.1, {"psnr": 54})])
    plot.set_curve("b", [*CURVE, RdPoint(2.9, {"psnr": 53})])
    plot.flush()
    ends = max(_pixel(plot, 3.1, 54).x(), _pixel(plot, 2.9, 53).x())
    assert all(rect.left() > ends for rect in plot._overlay.placed().values())


def test_useful_rates_are_shown_and_all_of_them_on_request(plot: RdPlot) -> None:
    plot.set_curve("a", [RdPoint(0.005, {"psnr": 15}), *CURVE, RdPoint(20, {"psnr": 70})])
    plot.flush()
    lo, hi = plot._box.viewRange()[0]
    assert lo > math.log10(0.005) and hi < math.log10(20)
    plot.reset.click()
    plot.flush()
    lo, hi = plot._box.viewRange()[0]
    assert lo < math.log10(0.005) and hi > math.log10(20)
    plot.reset.click()
    plot.flush()
    assert plot._box.viewRange()[0][1] < math.log10(20)


def test_a_target_beyond_the_useful_rates_is_in_view(plot: RdPlot) -> None:
    plot.set_curve("a", [*CURVE, RdPoint(20, {"psnr": 70})])
    plot.set_target("bpp", 12.0)
    plot.flush()
    assert plot._box.viewRange()[0][1] > math.log10(20)


def test_names_of_curves_that_end_together_stand_in_one_column(plot: RdPlot) -> None:
    names = plot._overlay.placed()
    assert names["a"].left() == names["b"].left()


def test_the_keyboard_walks_the_curves_and_takes_a_point(plot: RdPlot, qtbot: QtBot) -> None:
    plot.set_operating_point("a", CURVE[0])  # 0.4 bpp
    plot.flush()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):  # appears, moves on, changes the curve
        qtbot.keyClick(plot.view, key)
    with qtbot.waitSignal(plot.point_clicked) as taken:
        qtbot.keyClick(plot.view, Qt.Key.Key_Return)
    assert taken.args == ["b", 0.8]
    for _ in range(9):
        qtbot.keyClick(plot.view, Qt.Key.Key_Left)
    with qtbot.waitSignal(plot.point_clicked) as taken:
        qtbot.keyClick(plot.view, Qt.Key.Key_Return)
    assert taken.args == ["b", 0.1]


def test_a_removed_lane_takes_its_read_out_along(plot: RdPlot, qtbot: QtBot) -> None:
    qtbot.keyClick(plot.view, Qt.Key.Key_Right)
    assert plot._overlay.read_out is not None
    plot.set_lanes([])
    assert plot._overlay.read_out is None


def test_the_axis_of_video_memory_moves_points_and_drops_what_has_no_place_there(plot: RdPlot, qtbot: QtBot) -> None:
    def blocks(bpp: float, score: float, vram: float | None) -> RdPoint:
        return RdPoint(bpp, {"psnr": score}, round(bpp * 100), "", vram)

    plot.set_curve("a", [blocks(1.0, 30, 2.0), blocks(2.0, 34, 8.0), blocks(1.5, 33, None)])
    plot.set_operating_point("a", blocks(2.0, 34, 8.0))
    plot.set_target(TargetKind.BPP, 2.0)
    plot.set_references([Reference("paper", (RdPoint(0.5, {"psnr": 30}),))])
    plot.axis_combo.set_key("vram")
    plot._axis_chosen()
    plot.flush()
    assert list(plot._lanes["a"].line.getData()[0]) == pytest.approx([math.log10(2), math.log10(8)])
    assert [ring.x for ring in plot._overlay.rings] == pytest.approx([math.log10(8)])
    assert plot._lanes["b"].shown == [] and not plot._target_line.isVisible()
    assert "video memory" in plot._x_axis.labelText and plot.log
    found = plot.nearest(_pixel(plot, 8.0, 34))
    assert found is not None
    plot._mark(found)
    assert plot._overlay.read_out is not None
    assert "2.000 bpp" in plot._overlay.read_out.lines[1] and "VRAM 8.000 bpp" in plot._overlay.read_out.lines[1]
    with qtbot.waitSignal(plot.point_clicked) as clicked:
        qtbot.keyClick(plot.view, Qt.Key.Key_Return)
    assert clicked.args == ["a", 2.0], "what is taken is the rate on disk, which the rate lock knows"
    plot.set_log(False)
    plot.flush()
    assert not plot.in_memory and plot._target_line.isVisible()


def test_what_the_panes_show_is_never_out_of_sight(plot: RdPlot) -> None:
    """A texture of 8 bits per pixel beside a target of 1: the useful range ends far below it."""
    plot.set_target(TargetKind.BPP, 1.0)
    plot.set_curve("b", [RdPoint(8.0, {"psnr": 40})])
    plot.set_operating_point("b", RdPoint(8.0, {"psnr": 40}))
    plot.flush()
    assert plot._box.viewRange()[0][1] > math.log10(8)
