"""What every panel needs to know of a lane (a codec with settings) to show it: its name and its look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.codec import CodecInfo, Kind, Param, Role
from engine.palette import Look


@dataclass(frozen=True)
class LaneTag:
    """id: the controller's key. label: short, and different for every lane. look: colour and marker."""

    id: str
    label: str
    look: Look


def setting_text(param: Param, value: Any) -> str:
    """One setting as people say it: "speed 6", "4:4:4", "optimise" (on) or "no optimise"."""
    name = (param.label or param.name.replace("_", " ")).lower()
    if param.kind is Kind.BOOL:
        return name if value else f"no {name}"
    if param.kind is Kind.CHOICE and not str(value).replace(".", "").isdigit():
        return str(value)
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


def summary(info: CodecInfo, settings: Mapping[str, Any], *, light: bool = False, model: str = "") -> str:
    """A lane's settings in one line: its effort and choices always, the rest where it differs from the default.

    light: whether they are for light in floats, which some codecs code in one way only. model: said at the end.
    """
    shown = [
        setting_text(param, value)
        for param in info.params
        if param.role is not Role.RATE
        and ((value := _in_force(param, settings, light)) != param.default or _telling(param))
        and value != "default"  # says nothing
    ]
    return " · ".join([*shown, model] if model else shown) or "default settings"


def _in_force(param: Param, settings: Mapping[str, Any], light: bool) -> Any:
    return param.on_light if light and param.on_light is not None else settings.get(param.name, param.default)


def _telling(param: Param) -> bool:
    return param.role is Role.EFFORT or param.kind is Kind.CHOICE


def distinct_labels(lanes: Sequence[tuple[str, CodecInfo, Mapping[str, Any]]]) -> dict[str, str]:
    """Lane id -> label, where lanes of one codec are told apart by the settings in which they differ.

    lanes: (id, codec, settings) in order. Equal twins get a number.
    """
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for lane_id, info, settings in lanes:
        twins = [{**twin.defaults(), **other} for _, twin, other in lanes if twin.id == info.id]
        mine = {**info.defaults(), **settings}
        differing = (
            setting_text(param, mine[param.name])
            for param in info.params
            if param.role is not Role.RATE and any(other[param.name] != mine[param.name] for other in twins)
        )
        base = " ".join([info.label, *differing])
        label, number = base, 2
        while label in taken:
            label, number = f"{base} ({number})", number + 1
        taken.add(label)
        labels[lane_id] = label
    return labels
