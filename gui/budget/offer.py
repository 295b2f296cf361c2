"""The formats that the budget window offers: every codec, with the settings that a lane of it has."""

from __future__ import annotations

from engine import registry
from engine.budget.measure import Format
from gui.budget.form import Choice
from gui.models.lane import summary
from gui.state import State

_TICKED = ("bc6h", "astc")  # where no lane carries light


def choices(state: State) -> list[Choice]:
    """Codecs that take part in the comparison are ticked, and engines' formats for light where none does."""
    lanes = {lane.codec: lane for lane in reversed(state.lanes)}
    ticked = {lane.codec for lane in state.lanes if state.carries(lane)} or set(_TICKED)
    out = []
    for codec in registry.codecs():
        info = codec.info
        lane = lanes.get(info.id)
        settings = dict(lane.settings) if lane is not None else {}
        said = summary(info, info.complete(settings), light=state.is_float)
        form = Format(info.id, tuple(settings.items()))
        out.append(Choice(form, info.label, said, codec.available() or "", info.id in ticked))
    return out
