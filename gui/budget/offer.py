"""The formats that the budget window offers: every codec, with the settings that a lane of it has, and presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import registry
from engine.budget.measure import Format
from engine.codec import Codec
from engine.presets import presets
from gui.budget.form import Choice
from gui.models.lane import summary
from gui.state import State

_TICKED = ("bc6h", "astc")  # where no lane carries light


def choices(state: State) -> list[Choice]:
    """Codecs that take part in the comparison are ticked, and engines' formats for light where none does."""
    lanes = {lane.codec: lane for lane in reversed(state.lanes)}
    ticked = {lane.codec for lane in state.lanes if state.carries(lane)} or set(_TICKED)
    listed = [codec.info.id for codec in registry.codecs()]
    names = [*listed, *(name for name in lanes if name not in listed)]
    return [
        _choice(
            registry.codec(name), lanes[name].settings if name in lanes else {}, light=state.is_float, on=name in ticked
        )
        for name in names
    ]


def preset_choices(state: State) -> list[Choice]:
    """The presets that can be used, under their titles."""
    return [
        _choice(registry.codec(preset.id), {}, light=state.is_float, title=preset.title)
        for preset in presets().by_id.values()
        if registry.why_not(preset) is None
    ]


def _choice(codec: Codec, settings: Mapping[str, Any], *, light: bool, on: bool = False, title: str = "") -> Choice:
    said = summary(codec.info, codec.info.complete(settings), light=light)
    form = Format(codec.info.id, tuple(settings.items()))
    return Choice(form, codec.info.label, said, codec.available() or "", on, title)
