"""The observable state, without a window."""

from __future__ import annotations

from pathlib import Path

from engine.tone import Tone
from engine.trial import EncodeKey, Target, TargetKind, Trial
from gui.state import KEPT_OUTCOMES, ORIGINAL, Phase, State, Topic, View, tells_bits
from gui.views.layouts import Layout


def trial(settings: str, bpp: float, **scores: float) -> Trial:
    return Trial(EncodeKey("image", "jpeg", "1", settings), round(bpp * 1000), bpp, scores=scores)


def with_lanes(count: int) -> State:
    state = State()
    for number in range(count):
        state.add_lane("jpeg", f"JPEG {number}", {})
    return state


def test_a_file_that_is_open_is_not_listed_twice() -> None:
    state = State()
    assert state.add_source(Path("/a.png")) is state.add_source(Path("/a.png"))
    assert len(state.sources) == 1


def test_removing_the_current_picture_leaves_none_current() -> None:
    state = State()
    a, b = (state.add_source(Path(f"/{name}.png")) for name in "ab")
    state.choose_source(b.id)
    state.remove_source(a.id)
    assert state.current is b
    state.remove_source(b.id)
    assert state.current is None and state.sources == []


def test_results_of_other_pixels_are_forgotten() -> None:
    state = with_lanes(1)
    source = state.add_source(Path("/a.png"))
    state.choose_source(source.id)
    state.outcome(state.lanes[0].id).phase = Phase.DONE
    state.add_trials(source.id, state.lanes[0].id, (trial("a", 0.5),))
    state.forget_results(source.id)
    assert state.outcome(state.lanes[0].id).phase is Phase.IDLE
    assert state.curve(state.lanes[0].id) == []


def test_a_removed_lane_gives_its_colour_to_the_next_one() -> None:
    state = with_lanes(3)
    state.remove_lane(state.lanes[1].id)
    assert state.add_lane("webp", "WebP", {}).place == 1
    assert [lane.place for lane in state.lanes] == [0, 2, 1]


def test_the_first_lane_is_the_anchor_and_passes_it_on() -> None:
    state = with_lanes(2)
    first, second = state.lanes
    assert state.anchor == first.id
    state.remove_lane(first.id)
    assert state.anchor == second.id
    state.remove_lane(second.id)
    assert state.anchor is None


def test_an_anchor_that_carries_no_light_is_stood_in_for_on_light_only() -> None:
    state = State()
    jpeg, wavelet = state.add_lane("jpeg", "JPEG", {}), state.add_lane("wavelet", "Wavelet", {})
    photo, light = state.add_source(Path("/a.png")), state.add_source(Path("/a.exr"))
    light.bits = 32
    state.choose_source(light.id)
    assert (state.anchor, state.anchor_here) == (jpeg.id, wavelet.id)
    avif, jpeg2000 = state.add_lane("avif", "AVIF", {}), state.add_lane("jpeg2000", "JPEG 2000", {})
    assert state.anchor_here == jpeg2000.id
    state.choose_source(photo.id)
    assert state.anchor_here == jpeg.id
    state.set_view(anchor=avif.id)
    state.choose_source(light.id)
    assert state.anchor_here == avif.id


def test_other_settings_leave_the_old_curve_behind() -> None:
    state = with_lanes(1)
    lane = state.lanes[0]
    source = state.add_source(Path("/a.png"))
    state.choose_source(source.id)
    state.add_trials(source.id, lane.id, (trial("a", 0.5),))
    assert not state.set_lane_settings(lane.id, {})
    assert len(state.curve(lane.id)) == 1
    assert state.set_lane_settings(lane.id, {"chroma": "4:4:4"})
    assert state.curve(lane.id) == []


def test_a_trial_with_more_scores_replaces_its_former_self() -> None:
    state = with_lanes(1)
    lane = state.lanes[0]
    source = state.add_source(Path("/a.png"))
    state.choose_source(source.id)
    state.add_trials(source.id, lane.id, (trial("b", 1.0), trial("a", 0.5)))
    state.add_trials(source.id, lane.id, (trial("a", 0.5, psnr=30.0),))
    state.add_trials(source.id, lane.id, (trial("a", 0.5),))
    assert [(t.bpp, dict(t.scores)) for t in state.curve(lane.id)] == [(0.5, {"psnr": 30.0}), (1.0, {})]


def test_only_the_latest_pictures_keep_their_outcomes() -> None:
    state = with_lanes(1)
    sources = [state.add_source(Path(f"/{number}.png")) for number in range(KEPT_OUTCOMES + 2)]
    for source in sources:
        state.choose_source(source.id)
        state.outcome(state.lanes[0].id).phase = Phase.DONE
    assert set(state.outcomes) == {source.id for source in sources[2:]}


def test_the_grid_shows_the_original_three_codecs_and_always_the_active_one() -> None:
    state = with_lanes(5)
    ids = [lane.id for lane in state.lanes]
    assert state.shown() == [ORIGINAL, *ids[:3]]
    state.activate(ids[4])
    assert ids[4] in state.shown() and len(state.shown()) == 4
    state.set_view(layout=Layout.WIPE)
    assert state.shown() == [ORIGINAL, ids[4]]


def test_a_hidden_lane_is_no_rendition_and_cannot_be_activated() -> None:
    state = with_lanes(2)
    first, second = (lane.id for lane in state.lanes)
    state.set_lane_visible(first, False)
    assert state.renditions() == [ORIGINAL, second]
    state.activate(first)
    assert state.active == ORIGINAL
    assert state.active_lane is not None and state.active_lane.id == second


def test_listeners_hear_the_topics_that_change() -> None:
    state = with_lanes(1)
    heard: list[Topic] = []
    for topic in Topic:
        state.subscribe(topic, lambda topic=topic: heard.append(topic))
    assert state.set_target(Target(TargetKind.BPP, 1.0))
    assert heard == [Topic.TARGET]
    assert not state.set_target(Target(TargetKind.BPP, 1.0))
    state.set_view(score_metric="ssim")
    assert heard == [Topic.TARGET, Topic.VIEW, Topic.CURVES]


def float_and_code_sources() -> tuple[State, list[int]]:
    state = State()
    sources = [state.add_source(Path(f"/{name}")) for name in ("a.png", "b.exr", "c.exr")]
    for source in sources[1:]:
        source.bits = 32
    return state, [source.id for source in sources]


def test_pictures_of_light_and_of_code_values_have_metrics_of_their_own() -> None:
    state, (codes, light, _) = float_and_code_sources()
    state.choose_source(codes)
    assert (state.score_metric, state.map_metric) == ("psnr", "flip")
    state.choose_source(light)
    assert (state.score_metric, state.map_metric) == ("log2_psnr", "log2_psnr")
    state.set_view(map_metric="hdr_flip")
    state.choose_source(codes)
    state.set_view(score_metric="ssim")
    assert (state.score_metric, state.map_metric) == ("ssim", "flip")
    state.choose_source(light)
    assert (state.score_metric, state.map_metric) == ("log2_psnr", "hdr_flip")


def test_a_metric_of_the_other_kind_is_kept_for_pictures_of_that_kind() -> None:
    state, (codes, light, _) = float_and_code_sources()
    state.choose_source(codes)
    state.set_view(score_metric="hdr_flip")
    assert state.score_metric == "psnr"
    state.choose_source(light)
    assert state.score_metric == "hdr_flip"


def test_every_picture_of_light_keeps_its_tone() -> None:
    state, (_, first, second) = float_and_code_sources()
    heard: list[bool] = []
    state.subscribe(Topic.TONE, lambda: heard.append(state.tone_moves))
    state.choose_source(first)
    state.set_tone(Tone(exposure=2.0), moving=True)
    state.choose_source(second)
    assert state.tone == Tone()
    state.choose_source(first)
    assert (state.tone, heard) == (Tone(exposure=2.0), [True])


def test_codecs_of_8_bits_have_no_pane_beside_a_picture_of_light() -> None:
    state = State()
    photo, room = state.add_source(Path("a.png")), state.add_source(Path("b.exr"))
    room.bits = 32
    jpeg, wavelet = state.add_lane("jpeg", "JPEG", {}), state.add_lane("wavelet", "Wavelet", {})
    state.choose_source(room.id)
    assert state.renditions() == [ORIGINAL, wavelet.id]
    assert state.active_lane is wavelet
    state.choose_source(photo.id)
    assert state.renditions() == [ORIGINAL, jpeg.id, wavelet.id]


def test_views_say_which_maps_they_need() -> None:
    state = State()
    needs = {}
    for view in View:
        state.set_view(view=view)
        needs[view] = (state.shows_errors, state.shows_bits)
    maps = [(False, False), (True, False), (False, True), (True, True)]
    assert list(needs.values()) == [*maps, (False, False), (False, False)]  # the lit views have errors of their own
    state.set_view(view=View.PICTURE, overlay=True)
    assert state.shows_errors
    state.set_view(view=View.BITS)
    assert not state.shows_errors, "the overlay is one over the picture"


def test_some_codecs_tell_where_their_bits_went() -> None:
    state = State()
    told = {name: tells_bits(state.add_lane(name, name, {})) for name in ("dct", "dct-rans", "jpeg", "webp", "avif")}
    assert told == {"dct": True, "dct-rans": True, "jpeg": True, "webp": False, "avif": False}
