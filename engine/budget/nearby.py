"""What is worth measuring next: settings beside those that a plan took, half-way to what was measured already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine import registry
from engine.budget.choose import Option
from engine.budget.plan import Plan
from engine.knob import Knob
from engine.trial import canonical

Try = tuple[str, str, int]  # codec, settings, scale: as `Option.preset`


def nearby(plan: Plan, options: Mapping[str, Sequence[Option]]) -> dict[str, list[Try]]:
    """By picture, what lies half-way from its option to the next ones measured of that format and scale.

    The best single preset is moved likewise, on every picture, so that it is no worse searched than the plan. Empty
    where no setting lies between.
    """
    common = set.intersection(*({option.preset for option in options[name]} for name in plan.rows))
    single = next(iter(plan.single.values())).preset if plan.single else None
    shared = _between(single, common) if single is not None else []
    found = {}
    for name, option in plan.rows.items():
        known = {each.preset for each in options[name]}
        wanted = dict.fromkeys([*_between(option.preset, known), *shared])
        found[name] = [each for each in wanted if each not in known]
    return {name: tries for name, tries in found.items() if tries}


def _between(middle: Try, known: Iterable[Try]) -> list[Try]:
    """Half-way to the neighbours below and above along the RATE parameter; to its end where there is none."""
    codec, settings, scale = middle
    param = registry.codec(codec).info.rate_param
    if param is None:
        return []
    knob, name = Knob(param), param.name
    chosen: dict[str, Any] = json.loads(settings)
    at = knob.position(chosen[name])
    others = (json.loads(own) for other, own, size in known if (other, size) == (codec, scale))
    places = [knob.position(own[name]) for own in others if {**own, name: None} == {**chosen, name: None}]
    below = max((place for place in places if place < at), default=0.0)
    above = min((place for place in places if place > at), default=1.0)
    halves = (knob.between(low, high, (low + high) / 2) for low, high in ((below, at), (at, above)) if low < high)
    return [(codec, canonical({**chosen, name: knob.value(half)}), scale) for half in halves if half is not None]
