"""What the widgets are told: pure functions of the state."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from engine.bit_map import BitMap
from engine.crossed import region_mean
from engine.image import Image
from engine.metrics import metric
from engine.tasks import Solved
from engine.trial import EncodeKey, RateResult, Target, TargetKind, Trial
from gui import presenters
from gui.heat import round_up
from gui.state import Outcome, Phase, Source, State, View
from gui.views.model import PaneState
from gui.widgets.lane_card import Phase as CardPhase

PSNR = metric("psnr").info


def solved(bpp: float = 0.25, *, reached: bool = True, message: str = "", **scores: float) -> Solved:
    trial = Trial(EncodeKey("i", "jpeg", "1", '{"quality":50}'), 2048, bpp, None, scores, 0.006, 0.0052)
    image = Image(np.zeros((2, 2, 3), np.uint8))
    return Solved(RateResult(trial, (trial,), reached, 1, message, b"x"), image, ("alpha flattened over white",))


def lane_model(outcome: Outcome) -> presenters.PaneModel:
    state = State()
    lane = state.add_lane("jpeg", "JPEG", {})
    return presenters.lane_pane(2, presenters.tags(state)[lane.id], outcome, PSNR)


def test_a_pane_says_rate_size_score_and_times() -> None:
    model = lane_model(Outcome(Phase.DONE, solved=solved(psnr=30.123)))
    assert (model.rate_text, model.size_text.replace("\xa0", " "), model.score_text.replace("\xa0", " ")) == (
        "0.250 bpp",
        "2.00 KB",
        "30.12 dB",
    )
    assert model.times_text.replace("\xa0", " ") == "enc 6 ms  dec 5 ms"
    assert model.state is PaneState.DONE
    assert [badge.tooltip for badge in model.badges] == ["alpha flattened over white"]


def test_old_figures_are_stale_while_new_ones_are_computed() -> None:
    assert lane_model(Outcome(Phase.RUNNING, solved=solved())).state is PaneState.STALE
    assert lane_model(Outcome(Phase.RUNNING)).state is PaneState.RUNNING
    assert lane_model(Outcome(Phase.FAILED, error="no")).message == "no"


def test_a_codec_of_8_bits_is_not_failed_but_refused_on_light() -> None:
    failed = Outcome(Phase.FAILED, error="JPEG carries 8-bit pictures only")
    light = Source(1, Path("/x/a.exr"), "a", bits=32)
    codes = Source(1, Path("/x/a.png"), "a")
    state = State()
    jpeg, wavelet = state.add_lane("jpeg", "JPEG", {}), state.add_lane("wavelet", "Wavelet", {})
    refused = presenters.lane_state(failed, jpeg, light)
    assert (refused.phase, refused.text) == (CardPhase.REFUSED, "8-bit pictures only")
    assert refused.whole.startswith("JPEG carries 8-bit pictures only; this one holds light")
    assert presenters.lane_state(failed, jpeg, codes).phase is CardPhase.FAILED
    assert presenters.lane_state(failed, wavelet, light).phase is CardPhase.FAILED


def test_what_cannot_be_reached_is_said_with_the_reason() -> None:
    outcome = Outcome(Phase.DONE, solved=solved(reached=False, message="JPEG cannot go below 0.31 bpp"))
    assert lane_model(outcome).badges[0].tooltip == "JPEG cannot go below 0.31 bpp"
    chip = presenters.achieved(outcome, TargetKind.BPP)
    assert chip is not None and not chip.reached and chip.value == 0.25


def test_an_identical_picture_has_no_finite_score() -> None:
    outcome = Outcome(Phase.DONE, solved=solved(psnr=math.inf))
    assert lane_model(outcome).score_text == "identical"
    assert presenters.achieved(outcome, TargetKind.PSNR) is None


def test_the_rate_at_a_quality_is_read_off_the_curve_and_never_beyond_it() -> None:
    curve = [(0.5, 30.0), (2.0, 40.0)]
    assert presenters.rate_at(curve, 35.0) == pytest.approx(1.0)
    assert presenters.rate_at(curve, 29.9) is None
    assert presenters.rate_at(curve, 40.1) is None
    assert presenters.rate_at([(0.5, 0.2), (2.0, 0.1)], 0.15, higher_is_better=False) == pytest.approx(1.0)


def test_codecs_that_carry_no_light_have_no_row_there() -> None:
    state = State()
    source = state.add_source(Path("/a.exr"))
    source.bits = 32
    state.choose_source(source.id)
    for codec in ("jpeg", "wavelet", "webp", "jpeg2000"):
        state.add_lane(codec, codec, {})
    rows, _ = presenters.verdicts(state, presenters.tags(state), metric("log2_psnr").info)
    assert [row.lane.label for row in rows] == ["Wavelet", "JPEG 2000"]


def test_verdicts_compare_every_lane_with_the_anchor() -> None:
    state = State(Target(TargetKind.BPP, 0.25))
    state.choose_source(state.add_source(Path("/a.png")).id)
    source = state.current
    assert source is not None
    source.size = (256, 256)
    better, anchor = state.add_lane("webp", "WebP", {}), state.add_lane("jpeg", "JPEG", {})
    state.set_view(anchor=anchor.id)
    for lane, factor in ((anchor, 1.0), (better, 0.5)):
        rates = [0.1 * factor * 2**k for k in range(5)]
        trials = [
            Trial(EncodeKey("i", lane.codec, "1", str(k)), round(rate * 8192), rate, None, {"psnr": 25.0 + 4 * k})
            for k, rate in enumerate(rates)
        ]
        state.add_trials(source.id, lane.id, tuple(trials))
        outcome = state.outcome(lane.id)
        outcome.phase = Phase.DONE
        outcome.solved = Solved(RateResult(trials[2], tuple(trials), True, 5), Image(np.zeros((2, 2, 3), np.uint8)))
    rows, results = presenters.verdicts(state, presenters.tags(state), PSNR)
    webp, jpeg = rows
    assert webp.bd_rate == pytest.approx(-50.0) and jpeg.bd_rate is None
    assert webp.equal_size == round(0.2 * 8192) and jpeg.equal_size == round(0.4 * 8192)
    assert (results[0].lo, results[0].hi) == (25.0, 41.0)


def test_a_source_that_failed_says_why() -> None:
    item = presenters.source_item(Source(3, Path("/x/a.png"), "a", Phase.FAILED, "a.png: damaged"))
    assert item.error == "a.png: damaged" and not item.busy and item.detail == ""


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 1.0), (0.13, 0.2), (0.2, 0.2), (0.31, 0.5), (7.0, 10.0), (math.nan, 1.0)]
)
def test_a_heat_scale_ends_at_a_round_figure(value: float, expected: float) -> None:
    assert round_up(value) == pytest.approx(expected)


def told(bits: float, **apart: int) -> BitMap:
    return BitMap(np.full((40, 40), bits, np.float32), apart)


def test_headers_are_listed_beside_a_map_of_bits_and_only_there() -> None:
    state = State()
    lane = state.add_lane("jpeg", "JPEG", {})
    tag = presenters.tags(state)[lane.id]
    outcome = Outcome(Phase.DONE, solved=solved(), bits=told(1, headers=100, tables=412))
    plain = presenters.lane_pane(2, tag, outcome, PSNR, presenters.bits_shown(state, lane))
    assert len(plain.badges) == 1
    state.set_view(view=View.BITS)
    badge = presenters.lane_pane(2, tag, outcome, PSNR, presenters.bits_shown(state, lane)).badges[-1]
    assert badge.text == "headers 512\xa0B"
    assert badge.tooltip.replace("\xa0", " ") == "Not on the map, 25 % of the file: headers 100 B, tables 412 B"


def test_a_codec_that_cannot_tell_says_so_in_its_pane() -> None:
    state = State()
    lane = state.add_lane("webp", "WebP", {})
    state.set_view(view=View.BITS_ERROR)
    shown = presenters.bits_shown(state, lane)
    badge = presenters.lane_pane(2, presenters.tags(state)[lane.id], Outcome(), PSNR, shown).badges[-1]
    assert badge.text == "bits unknown" and "WebP does not tell where its bits went" in badge.tooltip


def test_why_there_is_no_view_of_bits_names_who_has_one() -> None:
    state = State()
    state.add_lane("webp", "WebP", {})
    reason = presenters.no_bits(state)
    assert reason.startswith("No codec of this comparison") and "DCT-rANS" in reason and "WebP" not in reason
    state.add_lane("dct", "DCT", {})
    assert presenters.no_bits(state) == ""


def test_maps_are_read_out_in_their_units_as_they_are_shown() -> None:
    state = State()
    outcome = Outcome(bits=told(1.25), maps={"flip": np.arange(1600, dtype=np.float32).reshape(40, 40) / 1600})
    said = {}
    for view in View:
        state.set_view(view=view)
        said[view] = presenters.read_out_of_maps(state, outcome, 39, 39)
    assert said[View.PICTURE] == ""
    assert said[View.ERROR] == "FLIP 0.999"
    assert said[View.BITS] == "1.25 bpp"
    assert said[View.BITS_ERROR] == f"1.25 bpp · FLIP {region_mean(outcome.maps['flip'], 39, 39):.3g}"
