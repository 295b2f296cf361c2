"""What a session remembers of the window's looks: one line a value, which says what is allowed and where it lives.

To add a value, add a line to its group: a value that `State.set_view` takes is `_viewed(name, check)`, any other is
`Value(name, check, get, set)`. A session that lacks it, or holds what the check refuses, leaves it as it is.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import EngineError
from engine.image import Meaning
from engine.lit.look import ALBEDOS, DENSITIES, FILTERS, MIPS
from engine.metrics import metric, metric_ids
from engine.tone import CHANNELS, CURVES, EXPOSURE_LIMIT, GAMMA_RANGE, LOOKS, OFFSET_LIMIT, Tone
from gui.models.verdict_model import Order
from gui.state import Topic, View
from gui.views.layouts import Layout
from gui.views.transform import MAX_SCALE, MIN_SCALE

if TYPE_CHECKING:
    from gui.frame import Frame

_E = TypeVar("_E", bound=enum.StrEnum)
Check = Callable[[Any], Any]


@dataclass(frozen=True)
class Value:
    """name: its key in the file. check: the value from JSON as it is used, `ValueError` if it is not allowed.

    get: its JSON value now; None is not written. set: puts a checked value in force.
    """

    name: str
    check: Check
    get: Callable[[Frame], Any]
    set: Callable[[Frame, Any], object]


def number(lo: float, hi: float) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lo <= value <= hi:
            raise ValueError(f"not a number from {lo:g} to {hi:g}")
        return float(value)

    return check


def one_of(kind: type[_E]) -> Check:
    """One of an enumeration's members."""
    allowed = tuple(kind)

    def check(value: Any) -> _E:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"not one of {', '.join(allowed)}")
        return kind(value)

    return check


def member(names: Collection[str]) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"not one of {', '.join(names)}")
        return value

    return check


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def metric_id(value: Any) -> str:
    if value not in metric_ids():
        raise ValueError("not a metric that is known here")
    return str(value)


def map_metric_id(value: Any) -> str:
    if not metric(metric_id(value)).info.has_map:
        raise ValueError("not a metric that has a map")
    return str(value)


def channel(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= CHANNELS:
        raise ValueError(f"not a whole number from 0 to {CHANNELS}")
    return value


TONE: Mapping[str, Check] = {
    "exposure": number(-EXPOSURE_LIMIT, EXPOSURE_LIMIT),
    "offset": number(-OFFSET_LIMIT, OFFSET_LIMIT),
    "gamma": number(*GAMMA_RANGE),
    "curve": member(CURVES),
    "look": member(LOOKS),
    "channel": channel,
}


def tone_of(given: Mapping[str, Any], remarks: list[str]) -> Tone | None:
    """The tone of a picture from its JSON values; None where there are none. What is refused adds to `remarks`."""
    good = {}
    for name, check in TONE.items():
        if name in given:
            try:
                good[name] = check(given[name])
            except ValueError as error:
                remarks.append(f"tone.{name}: {error}")
    return Tone(**good) if good else None


def _zoom(value: Any) -> float | None:
    return None if value == "fit" else number(MIN_SCALE, MAX_SCALE)(value)


def _centre(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("not a pair of numbers")
    x, y = (number(0, 1)(each) for each in value)
    return x, y


def _viewed(name: str, check: Check) -> Value:
    """A value that lives in the state under this name."""
    return Value(name, check, lambda w: getattr(w.state, name), lambda w, value: w.state.set_view(**{name: value}))


def _lit(name: str, check: Check) -> Value:
    """How the lit views show a map. A picture that is the albedo is not remembered."""

    def get(window: Frame) -> Any:
        value = getattr(window.state.lit.look, name)
        return None if value == "image" else value

    def put_in_force(window: Frame, value: Any) -> None:
        lit = window.state.lit
        window.state.set_view(lit=replace(lit, look=replace(lit.look, **{name: value})))

    return Value(f"lit_{name}", check, get, put_in_force)


def _density(value: Any) -> float:
    if value not in DENSITIES:
        raise ValueError(f"not one of {', '.join(f'{each:g}' for each in DENSITIES)}")
    return float(value)


def _get_zoom(window: Frame) -> Any:
    linked = window.compare.linked
    return "fit" if linked.fits else linked.scale


def _set_zoom(window: Frame, scale: float | None) -> None:
    linked = window.compare.linked
    if scale is None:
        linked.fit()
    else:
        linked.set_transform(replace(linked.transform, scale=scale))


def _get_centre(window: Frame) -> list[float] | None:
    """The middle of the panes as shares of the picture's width and height, which hold for a picture of other size."""
    linked = window.compare.linked
    (x, y), (width, height) = linked.transform.centre, linked.transform.image
    return None if linked.fits else [x / width, y / height]


def _set_centre(window: Frame, centre: tuple[float, float]) -> None:
    linked = window.compare.linked
    width, height = linked.transform.image
    if not linked.fits:
        linked.set_transform(replace(linked.transform, centre=(centre[0] * width, centre[1] * height)))


def _judges(name: str, table: str, meaning: Meaning) -> Value:
    """The metric that pictures of this kind are judged by. table: `score_metrics` or `map_metrics` of the state."""

    def check(value: Any) -> str:
        chosen = map_metric_id(value) if table == "map_metrics" else metric_id(value)
        if meaning not in metric(chosen).info.of:
            raise ValueError(f"not a metric of a {meaning.noun}")
        return chosen

    def put_in_force(window: Frame, value: str) -> None:
        getattr(window.state, table)[meaning] = value
        window.state.announce(Topic.VIEW, Topic.CURVES)

    return Value(name, check, lambda w: getattr(w.state, table)[meaning], put_in_force)


_KINDS = {
    "": Meaning.COLOUR,
    "_of_light": Meaning.LIGHT,
    "_of_directions": Meaning.DIRECTION,
    "_of_masks": Meaning.MASK,
}


VIEW = (
    _viewed("layout", one_of(Layout)),
    _viewed("view", one_of(View)),
    *(_judges(f"map_metric{of}", "map_metrics", meaning) for of, meaning in _KINDS.items()),
    _viewed("overlay", truth),
    _lit("filter", member(FILTERS)),
    _lit("mips", member(MIPS)),
    _lit("density", _density),
    _lit("albedo", member([each for each in ALBEDOS if each != "image"])),
    Value("zoom", _zoom, _get_zoom, _set_zoom),
    Value("centre", _centre, _get_centre, _set_centre),
    Value("wipe", number(0, 1), lambda w: w.compare.split, lambda w, at: w.compare.set_split(at)),
)
PLOT = (
    *(_judges(f"score_metric{of}", "score_metrics", meaning) for of, meaning in _KINDS.items()),
    Value("log_rate", truth, lambda w: w.plot.log, lambda w, on: w.plot.set_log(on)),
)
TABLE = (Value("order", one_of(Order), lambda w: w.verdict.order(), lambda w, order: w.verdict.set_order(order)),)
PANELS = (
    Value("left_folded", truth, lambda w: w.left.chosen_fold(), lambda w, on: w.left.choose_fold(on)),
    Value("right_folded", truth, lambda w: w.right.chosen_fold(), lambda w, on: w.right.choose_fold(on)),
    Value("lower_shown", truth, lambda w: not w.bottom.isHidden(), lambda w, on: w.bottom.setVisible(on)),
    Value("lower_share", number(0.05, 0.95), lambda w: w.lower_share(), lambda w, share: w.set_lower_share(share)),
    Value("plot_share", number(0.05, 0.95), lambda w: w.plot_share(), lambda w, share: w.set_plot_share(share)),
)
GROUPS: Mapping[str, tuple[Value, ...]] = {"view": VIEW, "plot": PLOT, "table": TABLE, "panels": PANELS}


def take(window: Frame) -> dict[str, dict[str, Any]]:
    """All values as they are now, by group and name."""
    return {
        group: {value.name: now for value in values if (now := value.get(window)) is not None}
        for group, values in GROUPS.items()
    }


def put(window: Frame, given: Mapping[str, Mapping[str, Any]], groups: Iterable[str] = GROUPS) -> list[str]:
    """Put values in force; what was refused comes back as plain words, and stays as it was."""
    remarks = []
    for group in groups:
        for value in GROUPS[group]:
            if value.name in given.get(group, {}):
                try:
                    value.set(window, value.check(given[group][value.name]))
                except (ValueError, EngineError) as error:
                    remarks.append(f"{group}.{value.name}: {error}")
    return remarks
