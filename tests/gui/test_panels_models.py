"""What the panels compute before they paint: figures, ticks, curves, names, verdicts."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import registry
from engine.codec import CodecInfo, Kind, Param, Role
from engine.metric import Domain, MetricInfo
from engine.palette import look
from engine.trial import TargetKind
from gui.models import curves, ticks, units
from gui.models.curves import EndLabel, RdPoint
from gui.models.lane import LaneTag, distinct_labels, summary
from gui.models.verdict_model import Order, VerdictModel, VerdictRow, as_markdown, as_tsv, disagreements, ordered

PSNR = MetricInfo("psnr", "PSNR", "dB", True, Domain.CODE_VALUES, "1", "", digits=2)
FLIP = MetricInfo("flip", "FLIP", "", False, Domain.PERCEPTUAL, "1", "", digits=4)
AVIF = CodecInfo(
    "avif",
    "AVIF",
    "predictive",
    ".avif",
    (
        Param("quality", Kind.INT, 60, 0, 100, role=Role.RATE),
        Param("speed", Kind.INT, 8, 0, 10, role=Role.EFFORT),
        Param("chroma", Kind.CHOICE, "4:2:0", choices=("4:2:0", "4:4:4")),
        Param("grain", Kind.BOOL, False),
    ),
)
A, B, C = (LaneTag(name, name.upper(), look(place)) for place, name in enumerate("abc"))


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("size", "text"),
    [(847, "847 B"), (1024, "1.00 KB"), (11_650, "11.4 KB"), (500_000, "488 KB"), (1_185_000, "1.13 MB")],
)
def test_sizes_have_three_figures_and_a_unit(size: int, text: str) -> None:
    assert units.size_text(size).replace(units.NBSP, " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "—"), (0.0004, "0.4 ms"), (0.006, "6 ms"), (0.2404, "240 ms"), (1.84, "1.8 s"), (125.2, "2 min 5 s")],
)
def test_times_have_no_more_digits_than_are_true(seconds: float | None, text: str) -> None:
    assert units.time_text(seconds).replace(units.NBSP, " ") == text


def test_a_time_measured_beside_other_work_is_marked() -> None:
    assert units.time_text(0.071, busy=True).startswith("~")


def test_negative_percentages_carry_a_true_minus() -> None:
    assert units.percent_text(-28.34) == f"{units.MINUS}28.3{units.NBSP}%"
    assert units.percent_text(3.0).startswith("+")


def test_scores_show_their_metric_s_digits() -> None:
    assert units.score_text(28.3649, PSNR) == f"28.36{units.NBSP}dB"
    assert units.score_text(0.09321, FLIP) == "0.0932"
    assert units.score_text(math.inf, PSNR) == "∞"
    assert units.score_text(None, PSNR) == units.NONE


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TargetKind.BPP, "0.25", 0.25),
        (TargetKind.BPP, " 0,25 bpp", 0.25),
        (TargetKind.BYTES, "24", 24 * 1024),
        (TargetKind.BYTES, "24 KB", 24 * 1024),
        (TargetKind.BYTES, "900 B", 900),
        (TargetKind.BYTES, "1.5mb", 1.5 * 1024**2),
        (TargetKind.PSNR, "35 dB", 35),
        (TargetKind.PSNR, "35 KB", None),
        (TargetKind.BPP, "-1", None),
        (TargetKind.BPP, "inf", None),
        (TargetKind.BPP, "much", None),
        (TargetKind.BPP, "", None),
    ],
)
def test_typed_targets_are_understood_or_refused(kind: TargetKind, text: str, value: float | None) -> None:
    assert units.parse_target(kind, text) == value


@given(st.floats(0.02, 8))
def test_a_shown_rate_reads_back_to_the_digits_shown(value: float) -> None:
    again = units.parse_target(TargetKind.BPP, units.target_text(TargetKind.BPP, value))
    assert again == pytest.approx(value, abs=0.0051)


# ---------------------------------------------------------------- ticks


def test_a_logarithmic_axis_is_marked_in_one_two_five_steps() -> None:
    major, minor = ticks.log_ticks(0.09, 2.2, 500, 40)
    assert [text for _, text in major] == ["0.1", "0.2", "0.5", "1", "2"]
    assert 0.09 in minor and 0.9 in minor


def test_a_narrow_view_of_a_logarithmic_axis_still_has_marks() -> None:
    major, _ = ticks.log_ticks(0.241, 0.267, 400, 40)
    assert len(major) >= 3


@given(st.floats(1e-4, 1e4), st.floats(1.001, 1e6), st.floats(60, 2000))
def test_labels_of_a_logarithmic_axis_never_touch(lo: float, ratio: float, length: float) -> None:
    hi = lo * ratio
    room = 40.0
    major, minor = ticks.log_ticks(lo, hi, length, room)
    xs = [math.log(v / lo) / math.log(hi / lo) * length for v, _ in major]
    assert all(b - a >= room * 0.999 for a, b in itertools.pairwise(xs))
    assert all(lo * (1 - 1e-9) <= v <= hi * (1 + 1e-9) for v in [*minor, *(v for v, _ in major)])


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e4), st.floats(60, 2000))
def test_labels_of_a_linear_axis_never_touch_and_say_their_value(lo: float, span: float, length: float) -> None:
    major, _ = ticks.linear_ticks(lo, lo + span, length, 40.0)
    xs = [(v - lo) / span * length for v, _ in major]
    assert all(b - a >= 40 * 0.99 for a, b in itertools.pairwise(xs))
    assert all(float(text) == pytest.approx(v, rel=1e-6, abs=1e-9) for v, text in major)


@pytest.mark.parametrize("range_", [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, math.inf)])
def test_an_impossible_logarithmic_range_has_no_marks(range_: tuple[float, float]) -> None:
    assert ticks.log_ticks(*range_, 100, 20) == ([], [])


# ---------------------------------------------------------------- curves


def _points(*pairs: tuple[float, float], metric: str = "psnr") -> list[RdPoint]:
    return [RdPoint(bpp, {metric: score}) for bpp, score in pairs]


def test_points_without_the_metric_or_with_an_infinite_score_are_not_drawn() -> None:
    points = [*_points((0.5, 30), (0.1, 25), (2, math.inf)), RdPoint(1.0, {"flip": 0.1})]
    assert [p.bpp for p in curves.drawable(points, PSNR)] == [0.1, 0.5]


def test_the_line_skips_points_that_another_one_beats() -> None:
    points = _points((0.1, 25), (0.2, 24), (0.3, 28), (0.3, 29), (0.4, 29))
    assert [(p.bpp, p.scores["psnr"]) for p in curves.frontier(points, PSNR)] == [(0.1, 25), (0.3, 29)]


def test_the_line_follows_metrics_where_less_is_better() -> None:
    points = _points((0.1, 0.2), (0.2, 0.25), (0.3, 0.1), metric="flip")
    assert [p.bpp for p in curves.frontier(points, FLIP)] == [0.1, 0.3]


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(-20, 300), st.floats(10, 150)), max_size=9))
def test_names_never_overlap_nor_leave_the_plot(wanted: list[tuple[float, float, float]]) -> None:
    labels = [EndLabel(str(k), *spot) for k, spot in enumerate(wanted)]
    height, bounds = 16.0, (0.0, 2.0, 600.0, 198.0)
    spots = curves.place_labels(labels, height, bounds)
    assert set(spots) == {label.key for label in labels}
    rects = [(*spots[label.key], label.width) for label in labels]
    for x, y, width in rects:
        assert x >= 0 and x + width <= 600 + 1e-6 and 2 + 8 - 1e-6 <= y <= 198 - 8 + 1e-6
    for k, (x, y, width) in enumerate(rects):
        for ox, oy, other in rects[k + 1 :]:
            assert abs(y - oy) >= height - 1e-6 or x + width <= ox or ox + other <= x


def test_a_name_with_room_stays_where_it_wants_to_be() -> None:
    spots = curves.place_labels([EndLabel("a", 100, 50, 40), EndLabel("b", 120, 90, 40)], 16, (0, 0, 600, 200))
    assert spots == {"a": (100, 50), "b": (120, 90)}


def test_a_name_in_the_way_of_a_curve_moves_above_its_own() -> None:
    free = curves.freest((100, 100), 80, 16, np.empty((0, 2)), (0, 0, 600, 200))
    in_the_way = curves.trace([(100, 102), (300, 98)])
    moved = curves.freest((100, 100), 80, 16, in_the_way, (0, 0, 600, 200))
    assert (free.x, free.y) == (110, 100)
    assert moved.y < 90


def test_a_trace_is_dense_and_ends_where_the_line_ends() -> None:
    samples = curves.trace([(0, 0), (30, 40), (30, 41)])
    assert np.allclose(samples[0], (0, 0)) and np.allclose(samples[-1], (30, 41))
    assert np.hypot(*np.diff(samples, axis=0).T).max() <= 4 + 1e-9


# ---------------------------------------------------------------- lanes


def test_lanes_of_one_codec_are_told_apart_by_what_differs() -> None:
    lanes = [("1", AVIF, {"speed": 6}), ("2", AVIF, {"chroma": "4:4:4", "speed": 6})]
    assert distinct_labels(lanes) == {"1": "AVIF 4:2:0", "2": "AVIF 4:4:4"}


def test_a_lone_lane_has_the_codec_s_name() -> None:
    assert distinct_labels([("1", AVIF, {"speed": 2, "grain": True})]) == {"1": "AVIF"}


def test_equal_twins_are_numbered() -> None:
    assert list(distinct_labels([("1", AVIF, {}), ("2", AVIF, {})]).values()) == ["AVIF", "AVIF (2)"]


def test_the_rate_knob_never_tells_lanes_apart() -> None:
    labels = distinct_labels([("1", AVIF, {"quality": 10}), ("2", AVIF, {"quality": 90, "grain": True})])
    assert labels == {"1": "AVIF no grain", "2": "AVIF grain"}


def test_a_summary_names_effort_and_choices_and_what_was_changed() -> None:
    assert summary(AVIF, {}) == "speed 8 · 4:2:0"
    assert summary(AVIF, {"grain": True, "quality": 3}) == "speed 8 · 4:2:0 · grain"


def test_a_summary_says_what_light_is_coded_with_and_which_model() -> None:
    avif = registry.codec("avif").info
    assert summary(avif, {"tune": "psnr"}) == "4:2:0 · psnr · speed 8"
    assert summary(avif, {"tune": "psnr"}, light=True) == "4:4:4 · speed 8"
    assert summary(registry.codec("hyperprior").info, {}, model="CPU · model 1a2b3c4d") == "CPU · model 1a2b3c4d"


# ---------------------------------------------------------------- verdict


def test_metrics_that_rank_two_lanes_in_opposite_order_disagree() -> None:
    rows = [VerdictRow(A, scores={"psnr": 28.4, "flip": 0.11}), VerdictRow(B, scores={"psnr": 27.5, "flip": 0.09})]
    found = disagreements(rows, [PSNR, FLIP])
    assert [(d.a, d.b, d.first.id, d.second.id) for d in found] == [(A, B, "psnr", "flip")]
    assert found[0].sentence() == "PSNR prefers A to B, FLIP the reverse"


def test_metrics_of_opposite_direction_that_agree_do_not_disagree() -> None:
    rows = [VerdictRow(A, scores={"psnr": 28.4, "flip": 0.09}), VerdictRow(B, scores={"psnr": 27.5, "flip": 0.11})]
    assert disagreements(rows, [PSNR, FLIP]) == []


@pytest.mark.parametrize("flip", [0.09, 0.09004, math.nan])
def test_a_tie_or_a_missing_score_is_no_disagreement(flip: float) -> None:
    rows = [VerdictRow(A, scores={"psnr": 28.4, "flip": 0.09003}), VerdictRow(B, scores={"psnr": 27, "flip": flip})]
    assert disagreements(rows, [PSNR, FLIP]) == []


def test_the_most_decided_disagreement_comes_first() -> None:
    rows = [
        VerdictRow(A, scores={"psnr": 30.0, "flip": 0.20}),
        VerdictRow(B, scores={"psnr": 29.9, "flip": 0.19}),
        VerdictRow(C, scores={"psnr": 25.0, "flip": 0.10}),
    ]
    assert {disagreements(rows, [PSNR, FLIP])[0].a, disagreements(rows, [PSNR, FLIP])[0].b} == {A, C}


ROWS = [
    VerdictRow(A, None, "", {"psnr": 26.41, "flip": 0.12}, 11650, 11650, 0.006, 0.005),
    VerdictRow(B, -41.6, "", {"psnr": 28.36, "flip": 0.10}, 12239, 6900, 0.086, 0.023, True),
    VerdictRow(C, None, "only 2 points overlap", {}, None, None),
]


def test_rows_are_ordered_by_the_metric_or_by_the_size_at_one_quality() -> None:
    assert [row.lane for row in ordered(ROWS, Order.BEST, PSNR)] == [B, A, C]
    assert [row.lane for row in ordered(ROWS[::-1], Order.BEST, FLIP)] == [B, A, C]
    assert [row.lane for row in ordered(ROWS, Order.SMALLEST, PSNR)] == [B, A, C]


def test_the_table_says_dashes_reasons_and_units() -> None:
    model = VerdictModel()
    model.set_all(ROWS, PSNR, Order.BEST, anchor="a")
    lines = model.lines()
    assert lines[0] == ["codec", "BD-rate", "PSNR, dB", "size", "encode", "decode"]
    assert lines[1] == ["B", "−41.6 %", "28.36", "12.0 KB", "~86 ms", "~23 ms"]
    assert lines[2] == ["A", "—", "26.41", "11.4 KB", "6 ms", "5 ms"]
    assert lines[3] == ["C", "n/a", "—", "—", "—", "—"]
    assert model.data(model.index(2, 1), 3) == "only 2 points overlap"  # the tooltip role


def test_the_smallest_order_shows_the_size_at_the_anchor_s_quality() -> None:
    model = VerdictModel()
    model.set_all(ROWS, PSNR, Order.SMALLEST, anchor="a")
    assert model.lines()[0][3] == "size, same quality"
    assert model.lines()[1][3] == "6.74 KB"


def test_the_table_is_copied_as_tabs_or_markdown() -> None:
    lines = [["codec", "size"], ["a|b", "1 KB"]]
    assert as_tsv(lines) == "codec\tsize\na|b\t1 KB\n"
    assert as_markdown(lines) == "| codec | size |\n| :-- | --: |\n| a\\|b | 1 KB |\n"
