"""The rate search: never on the wrong side, as close as the knob allows, few encodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator
from synthetic_codec import QUALITY, STEP, SyntheticCodec, exponential, inverse

from engine import io, registry
from engine.codec import Ctx, Kind, Param, Role
from engine.errors import Cancelled, CodecUnavailable, UsageError
from engine.image import Image
from engine.knob import Knob
from engine.rate import solve, solve_rate
from engine.rate.interpolate import interpolate
from engine.rate.search import search
from engine.samples import samples
from engine.trial import EncodeKey, RateResult, Run, Runner, Target, TargetKind, Trial, blob_hash, canonical

PIXELS = 100_000


def bpp(value: float) -> Target:
    return Target(TargetKind.BPP, value)


def curve(param: Param, rate: Callable[[float], float], quality: Callable[[float], float] | None = None) -> Callable:
    """An `evaluate` whose rate (and quality) is a function of the knob."""

    def evaluate(value: float) -> Trial:
        size = max(1, round(rate(value) * PIXELS / 8))
        scores = {"psnr": quality(value)} if quality else {}
        key = EncodeKey("picture", "codec", "1", canonical({param.name: value}))
        return Trial(key, size, 8 * size / PIXELS, scores=scores)

    return evaluate


def solve_curve(
    param: Param, rate: Callable[[float], float], target: Target, known: tuple[Trial, ...] = ()
) -> RateResult:
    return search(param, param.default, target, curve(param, rate), known=known)


@given(st.floats(0.06, 12.0))
def test_a_continuous_knob_comes_within_half_a_percent(target: float) -> None:
    result = solve_curve(STEP, inverse, bpp(target))
    if inverse(128) < target < inverse(0.5):
        assert target * 0.995 - 8 / PIXELS <= result.best.bpp <= target
        assert result.encodes <= 7
        assert result.message == ""


@given(st.floats(0.01, 9.0))
def test_a_whole_number_knob_finds_the_best_value(target: float) -> None:
    evaluate = curve(QUALITY, exponential)
    result = solve_curve(QUALITY, exponential, bpp(target))
    every = [evaluate(quality) for quality in range(1, 101)]
    fit = [trial.size for trial in every if trial.bpp <= target]
    assert result.reached == bool(fit)
    assert result.best.size == (max(fit) if fit else every[0].size)
    assert result.encodes <= 9


@given(st.lists(st.floats(-0.5, 1.5), min_size=100, max_size=100), st.floats(0.05, 50.0))
def test_any_curve_ends_on_the_right_side_with_the_best_of_its_probes(steps: list[float], target: float) -> None:
    heights = np.exp(np.cumsum(np.array(steps) * 0.1) - 2)
    result = solve_curve(QUALITY, lambda value: float(heights[int(value) - 1]), bpp(target))
    fit = [trial.size for trial in result.probes if trial.bpp <= target]
    assert result.reached == bool(fit)
    assert result.best.size == (max(fit) if fit else result.best.size)
    assert result.encodes <= 18
    assert len({trial.key.settings for trial in result.probes}) == result.encodes, "no setting is tried twice"


@given(st.lists(st.integers(0, 3), min_size=100, max_size=100), st.floats(0.1, 3.0))
def test_plateaus_and_steps_do_not_hide_the_best_value(steps: list[int], target: float) -> None:
    sizes = np.cumsum([0.05, *steps[1:]]) * 0.02 + 0.01
    result = solve_curve(QUALITY, lambda value: float(sizes[int(value) - 1]), bpp(target))
    evaluate = curve(QUALITY, lambda value: float(sizes[int(value) - 1]))
    fit = [trial.size for trial in map(evaluate, range(1, 101)) if trial.bpp <= target]
    if fit:
        assert result.best.size == max(fit)


def test_a_step_in_a_continuous_curve_is_approached_and_said() -> None:
    result = solve_curve(STEP, lambda step: 0.2 if step > 10 else 1.0, bpp(0.5))
    assert result.reached
    assert result.best.bpp == pytest.approx(0.2)
    assert "60.0 % below the target" in result.message


def test_a_curve_that_comes_back_is_looked_at_on_both_sides() -> None:
    def bumpy(quality: float) -> float:
        return 1.5 if quality == 61 else exponential(quality)

    target = exponential(63) * 1.001
    result = solve_curve(QUALITY, bumpy, bpp(target))
    assert result.best.settings == {"quality": 63}


def test_a_rate_that_is_too_low_names_the_nearest_point() -> None:
    evaluate = curve(QUALITY, exponential)
    result = search(QUALITY, 50, bpp(0.01), evaluate, label="JPEG")
    assert not result.reached
    assert result.best.settings == {"quality": 1}
    assert result.message == "JPEG cannot go below 0.05 bpp on this picture"


def test_a_rate_that_is_too_high_is_met_with_all_there_is() -> None:
    result = search(QUALITY, 50, bpp(20), curve(QUALITY, exponential), label="JPEG")
    assert result.reached
    assert result.best.settings == {"quality": 100}
    assert result.message == "JPEG spends at most 8 bpp on this picture"


@given(st.integers(1, 200_000))
def test_a_size_in_bytes_is_never_exceeded(limit: int) -> None:
    result = search(STEP, 8.0, Target(TargetKind.BYTES, limit), curve(STEP, inverse))
    assert result.reached == (result.best.size <= limit)
    assert not result.reached or limit > inverse(0.5) * PIXELS / 8 or result.best.size >= limit * 0.995 - 1


@given(st.floats(25.0, 50.0))
def test_a_quality_is_reached_from_above(target: float) -> None:
    quality = lambda step: 55 - 10 * math.log10(step)  # noqa: E731
    result = search(STEP, 8.0, Target(TargetKind.PSNR, target), curve(STEP, inverse, quality))
    if quality(128) < target < quality(0.5):
        assert target <= result.best.scores["psnr"] <= target + 0.03
        assert result.encodes <= 7


def test_a_quality_out_of_reach_is_said() -> None:
    evaluate = curve(QUALITY, exponential, lambda value: 20 + value / 5)
    result = search(QUALITY, 50, Target(TargetKind.PSNR, 60), evaluate, label="JPEG")
    assert (result.reached, result.message) == (False, "JPEG cannot go above 40.00 dB on this picture")


def test_lossless_at_the_end_of_the_knob_counts_as_any_quality() -> None:
    evaluate = curve(QUALITY, exponential, lambda value: math.inf if value == 100 else 20 + value / 5)
    result = search(QUALITY, 50, Target(TargetKind.PSNR, 60), evaluate)
    assert result.best.settings == {"quality": 100}


@pytest.mark.parametrize("first", [0.4, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("factor", [0.5, 0.8, 1.1, 1.9])
@pytest.mark.parametrize(("param", "rate"), [(QUALITY, exponential), (STEP, inverse)])
def test_a_second_target_costs_at_most_two_encodes(param: Param, rate: Callable, first: float, factor: float) -> None:
    probes = solve_curve(param, rate, bpp(first)).probes
    result = solve_curve(param, rate, bpp(first * factor), known=probes)
    assert result.encodes <= 2
    assert first * factor * (0.98 if param is STEP else 0.95) <= result.best.bpp <= first * factor


SHAPES = {
    "smooth": lambda x: 0.05 * 160**x,
    "bent": lambda x: 0.05 + 8 * x**3,
    "steps": lambda x: 0.05 * 160 ** (math.floor(7 * x) / 7),
    "plateau": lambda x: 0.05 * 160 ** (x if x < 0.3 else max(0.3, 1.6 * x - 0.6)),
    "cliff": lambda x: 0.1 + 0.2 * x + 6 * (x > 0.62),
    "wavy": lambda x: 0.05 * 160**x * (1 + 0.2 * math.sin(60 * x)),
}
SMOOTH_KNOB = Param("quality", Kind.FLOAT, 50.0, 0.0, 100.0, role=Role.RATE, better=+1)
WHOLE_KNOB = Param("quality", Kind.INT, 50, 0, 100, role=Role.RATE, better=+1)


@given(
    st.sampled_from([SMOOTH_KNOB, WHOLE_KNOB]),
    st.sampled_from(sorted(SHAPES)),
    st.lists(st.floats(0.04, 9.0), min_size=2, max_size=5),
)
def test_no_curve_takes_more_than_two_encodes_for_a_target_between_known_points(
    param: Param, shape: str, targets: list[float]
) -> None:
    known: tuple[Trial, ...] = ()
    for target in targets:
        below = [trial.bpp <= target for trial in known]
        result = solve_curve(param, lambda value: SHAPES[shape](value / 100), bpp(target), known)
        if any(below):  # of no consequence here: whether a point above the target is known too
            assert result.encodes <= 2
            assert result.reached
        if result.reached:
            assert result.best.bpp <= target
            assert result.best.bpp == max(trial.bpp for trial in result.probes if trial.bpp <= target)
        known = tuple({trial.key.settings: trial for trial in (*known, *result.probes)}.values())


@given(st.floats(22, 38), st.floats(22, 38))
def test_a_second_quality_takes_at_most_two_encodes_too(first: float, second: float) -> None:
    evaluate = curve(STEP, inverse, lambda value: 40 - 6 * math.log2(value) + 0.2 * math.sin(9 * value))
    probes = search(STEP, 8.0, Target(TargetKind.PSNR, first), evaluate).probes
    result = search(STEP, 8.0, Target(TargetKind.PSNR, second), evaluate, known=probes)
    if any(trial.scores["psnr"] >= second for trial in probes):
        assert result.encodes <= 2
    assert result.best.scores["psnr"] >= second


def test_what_two_encodes_leave_is_said_and_mended_by_asking_again() -> None:
    evaluate = curve(WHOLE_KNOB, lambda value: SHAPES["bent"](value / 100))
    known = search(WHOLE_KNOB, 50, bpp(0.06), evaluate).probes
    results = []
    for _ in range(4):
        results.append(search(WHOLE_KNOB, 50, bpp(6.0), evaluate, known=known, label="JPEG"))
        known = results[-1].probes
    assert "% below the target after 2 more encodes; ask again to come closer" in results[0].message
    assert results[-1].best.bpp > results[0].best.bpp
    assert "ask again" not in results[-1].message


def test_where_figures_want_it_closeness_goes_before_the_number_of_encodes() -> None:
    evaluate = curve(SMOOTH_KNOB, lambda value: SHAPES["bent"](value / 100))
    known = search(SMOOTH_KNOB, 50, bpp(0.06), evaluate).probes
    result = search(SMOOTH_KNOB, 50, bpp(6.0), evaluate, known=known, thorough=True)
    assert 6.0 * 0.995 <= result.best.bpp <= 6.0


def test_a_choice_can_be_the_rate() -> None:
    blocks = Param("block", Kind.CHOICE, "6x6", choices=("4x4", "6x6", "8x8", "12x12"), role=Role.RATE, better=-1)
    rates = {"4x4": 8.0, "6x6": 3.56, "8x8": 2.0, "12x12": 0.89}
    result = search(blocks, "6x6", bpp(2.5), curve(blocks, lambda block: rates[str(block)]))
    assert result.best.settings == {"block": "8x8"}


def test_a_knob_without_a_range_is_refused() -> None:
    with pytest.raises(UsageError, match="range"):
        Knob(Param("q", Kind.FLOAT, 1.0, role=Role.RATE, better=1))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_senseless_target_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="no target"):
        solve_curve(QUALITY, exponential, bpp(value))


@given(st.sampled_from([QUALITY, STEP]), st.floats(0, 1))
def test_positions_and_values_agree(param: Param, position: float) -> None:
    knob = Knob(param)
    value = knob.value(position)
    assert param.coerce(value) == value
    assert knob.value(knob.position(value)) == value
    assert abs(knob.position(value) - position) <= (0.5 / 99 + 1e-9 if param is QUALITY else 1e-4)


@given(st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.01, 5)), min_size=2, max_size=4), st.floats(0, 1))
def test_interpolation_is_monotone_and_stays_between_its_points(gaps: list[tuple[float, float]], at: float) -> None:
    xs, ys = (list(np.cumsum(column)) for column in zip(*gaps, strict=True))
    i = (len(xs) - 1) // 2
    x = xs[i] + at * (xs[i + 1] - xs[i])
    y = interpolate(xs, ys, x)
    assert ys[i] - 1e-9 <= y <= ys[i + 1] + 1e-9
    assert interpolate(xs, ys, xs[i]) == pytest.approx(ys[i])


# --- with a codec


@pytest.fixture
def image() -> Image:
    rng = np.random.default_rng(5)
    ramp = np.add.outer(np.arange(120), np.arange(160))[:, :, None] + np.array([0, 20, 40])
    return Image((ramp * 0.7 + rng.normal(0, 5, (120, 160, 3))).clip(0, 255).astype(np.uint8))


def test_the_result_carries_the_file_that_was_measured(image: Image) -> None:
    result = solve_rate(SyntheticCodec(), image, bpp(1.0), Ctx())
    assert len(result.data) == result.best.size
    assert blob_hash(result.data) == result.best.blob
    assert result.best.bpp == pytest.approx(8 * len(result.data) / (120 * 160))


def test_a_target_met_before_costs_nothing_while_its_file_is_kept(image: Image) -> None:
    codec = SyntheticCodec()
    first = solve_rate(codec, image, bpp(1.0), Ctx())
    files = {first.best.blob: first.data}
    codec.encodes.clear()
    again = solve_rate(codec, image, bpp(1.0), Ctx(), known=first.probes, blob=files.get)
    assert (again.encodes, codec.encodes, again.data) == (0, [], first.data)
    lost = solve_rate(codec, image, bpp(1.0), Ctx(), known=first.probes)
    assert (lost.encodes, len(codec.encodes), lost.data) == (1, 1, first.data)


def test_only_trials_of_the_same_picture_and_settings_are_used(image: Image) -> None:
    codec = SyntheticCodec()
    known = solve_rate(codec, image, bpp(1.0), Ctx(), settings={"tool": True}).probes
    other = solve_rate(codec, image, bpp(1.0), Ctx(), known=known)
    assert other.encodes > 2
    assert not {trial.key.settings for trial in other.probes} & {trial.key.settings for trial in known}


def test_a_psnr_target_is_measured_on_the_decoded_file(image: Image) -> None:
    result = solve_rate(SyntheticCodec(), image, Target(TargetKind.PSNR, 33.0), Ctx())
    assert result.reached
    assert 33.0 <= result.best.scores["psnr"] < 35
    assert all("psnr" in trial.scores for trial in result.probes)


def test_a_codec_without_a_knob_gives_its_one_point(image: Image) -> None:
    codec = SyntheticCodec(param=None, bpp=lambda _value: 2.0)
    met = solve_rate(codec, image, bpp(3.0), Ctx())
    missed = solve_rate(codec, image, bpp(1.0), Ctx())
    assert (met.reached, missed.reached, missed.encodes) == (True, False, 1)
    assert "single rate: 2 bpp" in missed.message


def test_the_search_can_be_cancelled_between_encodes(image: Image) -> None:
    codec = SyntheticCodec()
    with pytest.raises(Cancelled):
        solve_rate(codec, image, bpp(1.0), Ctx(cancel=lambda: len(codec.encodes) >= 2))
    assert len(codec.encodes) == 2


def test_a_codec_that_cannot_run_is_refused_with_its_reason(image: Image) -> None:
    with pytest.raises(CodecUnavailable, match="Synthetic cannot be used: no library"):
        solve_rate(SyntheticCodec(reason="no library"), image, bpp(1.0), Ctx())


# --- with what is known of a codec's typical curve


@given(
    st.sampled_from([each for each in registry.codec_ids() if registry.codec(each).info.rate_param]), st.floats(0, 1)
)
def test_straightened_positions_keep_order_and_ends(codec_id: str, fraction: float) -> None:
    param = registry.codec(codec_id).info.rate_param
    assert param is not None
    knob = Knob(param)
    positions = [knob.position(knob.even(each)) for each in (0, fraction / 2, fraction, 1)]
    assert positions == sorted(positions)
    assert (positions[0], positions[-1]) == (0.0, 1.0)
    value = knob.value(fraction)
    assert knob.value(knob.position(value)) == value


def test_a_typical_curve_saves_encodes_and_changes_no_answer() -> None:
    rates = tuple(exponential(1 + 99 * i / 8) ** 1.2 * 0.5 for i in range(9))
    hinted = replace(QUALITY, typical_bpp=rates)
    evaluate = curve(QUALITY, exponential)
    for target in (0.2, 0.7, 3.0):
        plain = search(QUALITY, 50, bpp(target), evaluate)
        guess = Knob(hinted).first_guess(target)
        known = search(hinted, guess, bpp(target), evaluate)
        assert known.best == plain.best
        assert known.encodes <= plain.encodes


def test_a_size_in_bytes_begins_where_its_rate_would(image: Image) -> None:
    codec = SyntheticCodec(replace(QUALITY, typical_bpp=tuple(exponential(1 + 99 * i / 8) for i in range(9))))
    size = int(exponential(70) * image.width * image.height / 8)
    solve_rate(codec, image, Target(TargetKind.BYTES, size), Ctx())
    assert abs(int(str(codec.encodes[0])) - 70) <= 1


@pytest.mark.parametrize("codec_id", ["dct", "jpeg", "wavelet", "webp"])
def test_after_a_first_search_later_targets_cost_two_encodes(codec_id: str) -> None:
    codec = registry.codec(codec_id)
    pixels = io.read(samples()[0].path).image.pixels[::2, ::2]
    image = Image(np.ascontiguousarray(pixels[:192, :256]))
    files: dict[str, bytes] = {}
    known: list[Trial] = []

    def keep(run: Run) -> None:
        files[blob_hash(run.data)] = run.data
        known.append(run.trial)

    for target in (1.0, 0.6, 0.8, 1.3, 1.8, 0.7):
        warm = bool(known)
        result = solve_rate(codec, image, bpp(target), Ctx(), known=tuple(known), blob=files.get, on_trial=keep)
        assert result.encodes <= (2 if warm else 10)
        assert 0.7 * target <= result.best.bpp <= target
        assert len(result.data) == result.best.size


def test_a_file_of_just_the_size_asked_for_is_admitted() -> None:
    size = curve(QUALITY, exponential)(63).size
    result = solve_curve(QUALITY, exponential, Target(TargetKind.BYTES, size))
    assert (result.best.size, result.message) == (size, "")


def test_interpolation_is_fritsch_and_butlands() -> None:
    def cubic(*points: tuple[float, float]) -> float:
        xs, ys = (list(column) for column in zip(*points, strict=True))
        i = (len(xs) - 1) // 2
        return interpolate(xs, ys, (xs[i] + xs[i + 1]) / 2)

    assert cubic((0, 0), (2, 6)) == 3.0
    for points in (
        [(0, 0), (1, 1), (3, 9), (4, 16)],
        [(0, 0), (3, 1), (3.5, 1.25), (5, 9)],
        [(-2, 0), (1, 0.5), (2, 4), (7, 4.5)],
    ):
        expected = PchipInterpolator(*zip(*points, strict=True))((points[1][0] + points[2][0]) / 2)
        assert cubic(*points) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("middle", [(1.0, 0.1), (1.0, 5.9), (0.2, 3.0), (1.8, 3.0), (1.0, 3.0)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_interpolation_at_an_end_stays_within_three_times_the_secant(middle: tuple[float, float], side: str) -> None:
    xs, ys = [0.0, middle[0], 2.0], [0.0, middle[1], 6.0]
    x = middle[0] / 2 if side == "left" else (middle[0] + 2) / 2
    assert interpolate(xs, ys, x) == pytest.approx(float(PchipInterpolator(xs, ys)(x)), rel=1e-12)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target(TargetKind.BYTES, 100), "X cannot go below 625 bytes on this picture"),
        (Target(TargetKind.BYTES, 10**7), "X spends at most 100000 bytes on this picture"),
        (Target(TargetKind.BPP, 0.01), "X cannot go below 0.05 bpp on this picture"),
        (Target(TargetKind.PSNR, 15.0), "X stays at or above 20.20 dB on this picture"),
    ],
)
def test_the_end_of_a_knob_is_said_in_the_unit_of_the_target(target: Target, message: str) -> None:
    result = search(QUALITY, 50, target, curve(QUALITY, exponential, lambda value: 20 + value / 5), label="X")
    assert result.message == message


@pytest.mark.parametrize(("short", "said"), [(0.015, False), (0.025, True)])
def test_a_shortfall_is_said_from_two_percent_on(short: float, said: bool) -> None:
    steps = Param("q", Kind.INT, 1, 0, 2, role=Role.RATE, better=1)
    result = search(steps, 1, bpp(1.0), curve(steps, lambda value: (0.1, 1.0 - short, 3.0)[int(value)]), label="X")
    assert bool(result.message) == said
    assert not said or result.message == "the steps of X leave it 2.5 % below the target"


@pytest.mark.parametrize(("above", "said"), [(0.09, False), (0.11, True)])
def test_a_quality_above_its_target_is_said_from_a_tenth_of_a_db_on(above: float, said: bool) -> None:
    steps = Param("q", Kind.INT, 1, 0, 2, role=Role.RATE, better=1)
    evaluate = curve(steps, lambda value: 1.0 + value, lambda value: (20.0, 30.0 + above, 50.0)[int(value)])
    result = search(steps, 1, Target(TargetKind.PSNR, 30.0), evaluate, label="X")
    assert result.message == ("the steps of X leave it 0.11 dB above the target" if said else "")


def test_a_lossless_file_counts_as_120_db_on_the_way() -> None:
    evaluate = curve(QUALITY, exponential, lambda value: math.inf)
    result = search(QUALITY, 50, Target(TargetKind.PSNR, 40.0), evaluate, label="X")
    assert result.best.settings == {"quality": 1}


def test_a_known_trial_without_the_score_that_is_asked_for_is_no_help() -> None:
    blind = [curve(QUALITY, exponential)(quality) for quality in (40, 60)]
    evaluate = curve(QUALITY, exponential, lambda value: 20 + value / 5)
    result = search(QUALITY, 50, Target(TargetKind.PSNR, 30.0), evaluate, known=blind)
    assert result.best.settings == {"quality": 50}


def test_of_two_trials_of_one_setting_that_with_more_scores_is_used(image: Image) -> None:
    codec = SyntheticCodec()
    probes = solve_rate(codec, image, bpp(1.0), Ctx()).probes
    scored = [replace(trial, scores={"psnr": 30.0}) for trial in probes]
    for known in ([*probes, *scored], [*scored, *probes]):
        result = solve_rate(codec, image, bpp(1.0), Ctx(), known=known)
        assert all(trial.scores for trial in result.probes)


def test_progress_rises_with_every_encode_and_ends_below_one(image: Image) -> None:
    seen: list[float] = []
    solve_rate(SyntheticCodec(), image, bpp(1.0), Ctx(progress=seen.append))
    assert seen[:2] == [pytest.approx(0.3), pytest.approx(0.51)]
    assert seen == sorted(seen) and seen[-1] < 1


def test_where_no_typical_curve_is_known_the_search_begins_at_the_setting(image: Image) -> None:
    codec = SyntheticCodec()
    solve_rate(codec, image, bpp(1.0), Ctx(), settings={"quality": 33})
    assert codec.encodes[0] == 33


def test_an_answer_from_before_may_come_without_its_file(image: Image) -> None:
    codec = SyntheticCodec()
    runner = Runner(codec, image)
    known = solve(runner, bpp(1.0), Ctx()).probes
    codec.encodes.clear()
    again = solve(runner, bpp(1.0), Ctx(), known=known, want_file=False)
    assert (again.data, codec.encodes, again.target) == (b"", [], bpp(1.0))
