"""From state to what the widgets show: pure functions, no widget in here."""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from engine import bd, registry
from engine.carry import refusal
from engine.codec import Mapped, Modelled
from engine.color import LINEAR_SRGB, SRGB
from engine.crossed import region_mean
from engine.curves import Curve
from engine.errors import EngineError
from engine.image import Meaning
from engine.metric import MetricInfo
from engine.metrics import metric
from engine.palette import ORIGINAL as ORIGINAL_LOOK
from engine.palette import look
from engine.passport import Verdict
from engine.trial import DB_METRICS, TargetKind, Trial
from gui.batch.plan import BatchLane
from gui.models.curves import RdPoint, Reference
from gui.models.lane import LaneTag, distinct_labels, summary
from gui.models.sources_model import Badge as SourceBadge
from gui.models.sources_model import SourceItem
from gui.models.units import NBSP, rate_text, score_text, size_text, time_text
from gui.models.verdict_model import VerdictRow
from gui.panels.rate_lock import Achieved
from gui.state import Lane, Outcome, Phase, Source, State, View, tells_bits
from gui.views.model import Badge, BadgeKind, PaneModel, PaneState
from gui.widgets.lane_card import LaneItem, LaneState
from gui.widgets.lane_card import Phase as CardPhase

_PANE_STATES = {Phase.QUEUED: PaneState.QUEUED, Phase.RUNNING: PaneState.RUNNING, Phase.FAILED: PaneState.FAILED}
_CARD_PHASES = {Phase.QUEUED: CardPhase.QUEUED, Phase.RUNNING: CardPhase.RUNNING, Phase.FAILED: CardPhase.FAILED}
MAP_NAMES = {
    Meaning.COLOUR: "Colour",
    Meaning.LIGHT: "Light",
    Meaning.DIRECTION: "Direction",
    Meaning.MASK: "Shadows",
}
_PLACES = ("inside", "outside")
_VERDICTS = {
    Verdict.EXACT: (BadgeKind.GOOD, "✓"),
    Verdict.CLOSE: (BadgeKind.NOTE, "≈"),
    Verdict.BROKEN: (BadgeKind.BAD, "✗"),
}
_LABEL_WORDS = 5  # a note of more words is a badge of its beginning


def peaks(state: State, lane: Lane | None) -> tuple[float, float] | None:
    """Of a direction map, the code values that stand for 1, in the original and in what a lane made of it."""
    image = state.current.image if state.current is not None else None
    if image is None or image.data is not Meaning.DIRECTION:
        return None
    solved = state.outcome(lane.id).solved if lane is not None else None
    return image.peak, solved.decoded.peak if solved is not None else image.peak


def tags(state: State) -> dict[int, LaneTag]:
    """Every lane's name and look, by id."""
    rows = [(str(lane.id), registry.codec(lane.codec).info, lane.settings) for lane in state.lanes]
    labels = distinct_labels(rows)
    return {lane.id: LaneTag(str(lane.id), labels[str(lane.id)], look(lane.place)) for lane in state.lanes}


def batch_lanes(state: State) -> list[tuple[LaneTag, BatchLane, str]]:
    """Every lane as a batch may take it: name and look, codec and settings, the settings in words."""
    names = tags(state)
    return [
        (
            names[lane.id],
            BatchLane(lane.codec, dict(lane.settings)),
            summary(registry.codec(lane.codec).info, lane.settings),
        )
        for lane in state.lanes
    ]


def source_item(source: Source) -> SourceItem:
    return SourceItem(
        id=str(source.id),
        name=source.name,
        detail=source_detail(source),
        path=str(source.path),
        badges=tuple(SourceBadge(text, note) for text, note in remarks(source)),
        error=source.error,
        missing=source.missing,
        busy=source.phase in (Phase.QUEUED, Phase.RUNNING),
        read_as=str(source.read_as or ""),
    )


def remarks(source: Source) -> list[tuple[str, str]]:
    """What is to be said of a source, short and at length: first whether it is what a session knows, then notes."""
    changed = [("changed since", f"{source.path.name} has changed since the session was saved")]
    return (changed if source.changed else []) + [(short(note), note) for note in source.notes]


def source_detail(source: Source) -> str:
    """ "768 × 512 · 8 bit", with the colour space where it is not sRGB."""
    if source.size is None:
        return ""
    depth = "float" if source.bits == 32 else f"{source.bits} bit"
    colour = "" if source.colour in ("", str(SRGB), str(LINEAR_SRGB)) else f" · {source.colour}"
    if source.meaning in (Meaning.DIRECTION, Meaning.MASK):
        colour = f" · {MAP_NAMES[source.meaning].lower()}"
    return f"{source.size[0]} × {source.size[1]} · {depth}{colour}"


def short(note: str) -> str:
    """The beginning of a sentence, for a badge."""
    words = note.split()
    return note if len(words) <= _LABEL_WORDS else " ".join(words[:_LABEL_WORDS]).rstrip(",;:.") + "…"


def original_pane(source: Source | None) -> PaneModel:
    if source is None:
        return PaneModel(1, "Original", ORIGINAL_LOOK.colour, ORIGINAL_LOOK.marker)
    state = _PANE_STATES.get(source.phase, PaneState.DONE)
    raw = source.image.pixels.nbytes if source.image is not None else 0
    return PaneModel(
        number=1,
        label="Original",
        colour=ORIGINAL_LOOK.colour,
        marker=ORIGINAL_LOOK.marker,
        state=state,
        rate_text=source_detail(source),
        size_text=f"{size_text(raw)} raw" if raw else "",
        badges=tuple(Badge(text, note) for text, note in remarks(source)),
        message=source.error,
    )


class BitsShown(enum.Enum):
    """Whether a pane is to show where the bits went, and whether its codec can tell."""

    NO = enum.auto()
    KNOWN = enum.auto()
    UNKNOWN = enum.auto()


def lane_pane(
    number: int, tag: LaneTag, outcome: Outcome, metric: MetricInfo, bits: BitsShown = BitsShown.NO
) -> PaneModel:
    trial = outcome.trial
    texts = {}
    if trial is not None:
        texts = {
            "rate_text": f"{rate_text(trial.bpp)} bpp",
            "size_text": pane_size(trial),
            "score_text": pane_score(trial, metric),
            "times_text": pane_region(trial) or pane_times(trial),
        }
    return PaneModel(
        number=number,
        label=tag.label,
        colour=tag.look.colour,
        marker=tag.look.marker,
        state=PaneState.STALE if outcome.stale else _PANE_STATES.get(outcome.phase, PaneState.DONE),
        progress=outcome.progress,
        badges=_in_order(*_badges(outcome), *_bits_badges(outcome, tag.label, bits), *_passport_badges(outcome)),
        message=outcome.error,
        **texts,
    )


def _in_order(*badges: Badge) -> tuple[Badge, ...]:
    """What is wrong first: it is the last to go where there is no room."""
    return tuple(sorted(badges, key=lambda badge: badge.kind is not BadgeKind.BAD))


def bits_shown(state: State, lane: Lane) -> BitsShown:
    if not state.shows_bits:
        return BitsShown.NO
    return BitsShown.KNOWN if tells_bits(lane) else BitsShown.UNKNOWN


def no_bits(state: State) -> str:
    """Why the views of bits are not to be had, "" where they are."""
    if any(tells_bits(lane) and state.carries(lane) for lane in state.lanes):
        return ""
    able = [codec.info.label for codec in registry.codecs() if isinstance(codec, Mapped)]
    return f"No codec of this comparison tells where its bits went; {', '.join(able[:-1])} and {able[-1]} do"


def _bits_badges(outcome: Outcome, label: str, shown: BitsShown) -> Iterable[Badge]:
    if shown is BitsShown.UNKNOWN:
        why = f"{label} does not tell where its bits went: this is its picture"
        yield Badge("bits unknown", why, BadgeKind.WARN)
    elif shown is BitsShown.KNOWN and outcome.bits is not None and outcome.bits.apart and not outcome.stale:
        apart, trial = outcome.bits.apart, outcome.trial
        share = f", {100 * outcome.bits.apart_bytes / trial.size:.2g} % of the file" if trial is not None else ""
        parts = ", ".join(f"{name} {size_text(size)}" for name, size in apart.items())
        yield Badge(f"headers {size_text(outcome.bits.apart_bytes)}", f"Not on the map{share}: {parts}")


def _passport_badges(outcome: Outcome) -> Iterable[Badge]:
    passport = outcome.passport
    if passport is not None and not outcome.stale:
        kind, sign = _VERDICTS[passport.verdict]
        yield Badge(passport.short, f"Decode passport · {passport.words}", kind, sign)


def read_out_of_maps(state: State, outcome: Outcome, x: int, y: int) -> str:
    """What the maps in view say of a pixel, as they show it: "1.32 bpp · FLIP 0.118"; "" without maps."""
    info, texts = metric(state.map_metric).info, []

    def value(values: np.ndarray) -> float:
        return region_mean(values, x, y) if state.view is View.BITS_ERROR else float(values[y, x])

    if state.shows_bits and outcome.bits is not None and outcome.bits.bits.size:
        texts.append(f"{value(outcome.bits.bits):.3g} bpp")
    errors = outcome.maps.get(state.map_metric)
    if state.shows_errors and errors is not None and errors.size:
        texts.append(f"{info.label} {value(errors):.3g} {info.map_unit}".rstrip())
    return " · ".join(texts)


def _badges(outcome: Outcome) -> Iterable[Badge]:
    solved = outcome.solved
    if solved is None or outcome.stale:
        return
    if not solved.result.reached:
        yield Badge("cannot reach", solved.result.message, BadgeKind.WARN)
    elif solved.result.message:
        yield Badge("off target", solved.result.message)
    warnings = solved.result.best.warnings
    for note in solved.notes:
        yield Badge(short(note), note, BadgeKind.WARN if note in warnings else BadgeKind.NOTE)


def pane_score(trial: Trial, metric: MetricInfo) -> str:
    value = trial.scores.get(metric.id)
    if value is None:
        return ""
    if math.isinf(value):
        return "identical"
    text = score_text(value, metric)
    return text if metric.unit == "dB" and metric.id == "psnr" else f"{metric.label} {text}"


def pane_size(trial: Trial) -> str:
    """Bytes on disk; those in video memory too, of a texture and of light."""
    memory = trial.stats.get("vram_bytes")
    if memory is None or not ("format" in trial.stats or DB_METRICS[True] in trial.scores):
        return size_text(trial.size)
    return f"{size_text(trial.size)} · VRAM {size_text(memory)}"


def pane_region(trial: Trial) -> str:
    """What the painted region has, and what is left for the rest; "" where nothing is painted."""
    scores = [(each, trial.scores.get(f"{whole}_{each}")) for whole in DB_METRICS.values() for each in _PLACES]
    texts = [f"{place} {value:.2f}" for place, value in scores if value is not None]
    return f"{' · '.join(texts)}{NBSP}dB" if texts else ""


def pane_times(trial: Trial) -> str:
    if trial.encode_s is None or trial.decode_s is None:
        return ""
    return f"enc {time_text(trial.encode_s, busy=trial.busy)}  dec {time_text(trial.decode_s, busy=trial.busy)}"


def lane_item(lane: Lane, tag: LaneTag, *, light: bool = False) -> LaneItem:
    codec = registry.codec(lane.codec)
    model = codec.model() if isinstance(codec, Modelled) else ""
    return LaneItem(tag, codec.info, lane.settings, lane.visible, light, model)


def lane_state(outcome: Outcome, lane: Lane, source: Source | None) -> LaneState:
    info = registry.codec(lane.codec).info
    refused = refusal(info, is_light=source.is_float) if source is not None else None
    if refused is not None:
        kind = "HDR" if info.capabilities.hdr else f"{max(info.capabilities.depths)}-bit"
        return LaneState(CardPhase.REFUSED, f"{kind} pictures only", whole=refused)
    phase = _CARD_PHASES.get(outcome.phase)
    if phase is not None:
        return LaneState(phase, outcome.error, outcome.progress)
    if outcome.solved is not None and not outcome.solved.result.reached:
        return LaneState(CardPhase.UNREACHABLE, outcome.solved.result.message)
    return LaneState(CardPhase.DONE if outcome.solved else CardPhase.IDLE)


def rate_value(lane: Lane, trial: Trial | None) -> object:
    """What the rate search chose for the lane's RATE parameter, or None."""
    param = registry.codec(lane.codec).info.rate_param
    return trial.settings.get(param.name) if param is not None and trial is not None else None


def in_kind(trial: Trial, kind: TargetKind) -> float | None:
    """A trial in the unit of a target: bpp, bytes or dB; None where it is not known or not finite."""
    if kind is TargetKind.BPP:
        return trial.bpp
    if kind is TargetKind.BYTES:
        return float(trial.size)
    return trial.db if trial.db is not None and math.isfinite(trial.db) else None


def achieved(outcome: Outcome, kind: TargetKind) -> Achieved | None:
    value = in_kind(outcome.trial, kind) if outcome.trial is not None else None
    if value is None or outcome.solved is None:
        return None
    result = outcome.solved.result
    return Achieved(value, result.reached, result.message, outcome.stale)


def point(trial: Trial) -> RdPoint:
    note = ", ".join(f"{name} {value}" for name, value in trial.settings.items())
    return RdPoint(trial.bpp, trial.scores, trial.size, note, trial.vram_bpp)


def reference(curve: Curve) -> Reference:
    """A curve from elsewhere, to be laid under the plot."""
    points = ({**point} for point in curve.points)
    return Reference(curve.name, tuple(RdPoint(point.pop("bpp"), point) for point in points))


def verdicts(state: State, names: dict[int, LaneTag], metric: MetricInfo) -> tuple[list[VerdictRow], list[bd.BdResult]]:
    """A row for every lane that carries the picture, against the anchor, and the BD results that they rest on."""
    anchor = points_of(state.curve(state.anchor_here), metric) if state.anchor_here is not None else []
    rows, results = [], []
    for lane in filter(state.carries, state.lanes):
        value, reason = None, ""
        curve = points_of(state.curve(lane.id), metric)
        if lane.id != state.anchor_here:
            try:
                result = bd.bd_rate(anchor, curve, higher_is_better=metric.higher_is_better)
                results.append(result)
                value = result.value
            except EngineError as error:
                reason = str(error)
        row = _verdict(state, lane, names[lane.id])
        rows.append(replace(row, bd_rate=value, bd_reason=reason, equal_size=_equal_size(state, lane, curve, metric)))
    return rows, results


def _verdict(state: State, lane: Lane, tag: LaneTag) -> VerdictRow:
    outcome = state.outcome(lane.id)
    trial = outcome.trial
    if trial is None or outcome.solved is None:
        return VerdictRow(tag, note=outcome.error)
    return VerdictRow(
        lane=tag,
        scores=trial.scores,
        size=trial.size,
        encode_s=trial.encode_s,
        decode_s=trial.decode_s,
        busy=trial.busy,
        note=outcome.solved.result.message,
    )


def points_of(trials: Iterable[Trial], metric: MetricInfo) -> list[bd.Point]:
    return [(trial.bpp, trial.scores[metric.id]) for trial in trials if metric.id in trial.scores]


def _equal_size(state: State, lane: Lane, curve: list[bd.Point], metric: MetricInfo) -> int | None:
    """Bytes at which the lane's curve has the quality that the anchor has now; None outside of the curve."""
    reference = state.outcome(state.anchor_here).trial if state.anchor_here is not None else None
    pixels = state.current.size if state.current else None
    if reference is None or metric.id not in reference.scores or pixels is None:
        return None
    if lane.id == state.anchor_here:
        return reference.size
    rate = rate_at(curve, reference.scores[metric.id], higher_is_better=metric.higher_is_better)
    return round(rate * pixels[0] * pixels[1] / 8) if rate is not None else None


def rate_at(curve: list[bd.Point], quality: float, *, higher_is_better: bool = True) -> float | None:
    """The rate at which a curve has this quality, by straight lines over log-rate; None where it has not."""
    points = bd.frontier(curve, higher_is_better=higher_is_better)
    for (rate0, quality0), (rate1, quality1) in itertools.pairwise(points):
        if min(quality0, quality1) <= quality <= max(quality0, quality1):
            share = (quality - quality0) / (quality1 - quality0)
            return math.exp(math.log(rate0) + share * (math.log(rate1) - math.log(rate0)))
    return None
