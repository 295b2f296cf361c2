"""What makes a codec's lane: its settings, and which trials lie on its curve."""

from __future__ import annotations

from typing import Any

from engine import registry
from engine.codec import CodecInfo, Settings
from engine.presets import presets
from engine.trial import Trial
from gui.state import Lane


def lane_settings(info: CodecInfo, settings: Settings | None) -> dict[str, Any]:
    """What a lane keeps of a codec's settings: all but the RATE parameter, which the rate search turns."""
    rate = info.rate_param.name if info.rate_param else None
    return {name: value for name, value in info.complete(settings).items() if name != rate}


def customised(lane: Lane, changes: Settings) -> tuple[dict[str, Any], str, str]:
    """The settings, codec and label of a lane whose settings change: of a preset they are its codec's own then."""
    settings = {**lane.settings, **changes}
    preset = presets().by_id.get(lane.codec)
    if preset is None or settings == lane.settings:
        return settings, lane.codec, lane.label
    info = registry.codec(preset.codec).info
    return lane_settings(info, settings), info.id, info.label


def same_curve(trial: Trial, lane: Lane) -> bool:
    """Whether a trial lies on the lane's curve: nothing but the RATE parameter differs."""
    info = registry.codec(lane.codec).info
    rate = info.rate_param.name if info.rate_param else None
    wanted = info.complete(lane.settings)
    return all(trial.settings.get(name) == value for name, value in wanted.items() if name != rate)
