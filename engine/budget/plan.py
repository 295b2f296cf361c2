"""Plans for a set: what each picture takes under a budget, and how that compares with one preset for all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.budget.choose import Cost, Option, best_preset, choose, hull
from engine.budget.measure import Facts
from engine.errors import UsageError

DISK, VRAM = "disk", "vram"


def cost_of(count: str) -> Cost:
    """What a plan adds up: DISK, the bytes of files, or VRAM, the bytes in a graphics card's memory."""
    return (lambda option: option.disk) if count == DISK else (lambda option: option.vram)


@dataclass(frozen=True)
class Plan:
    """What fits `budget` bytes, of what `count` names.

    rows: the option of each picture by its name. single: the best preset for all that fits, None if none does. facts:
    what the pictures are before it.
    """

    budget: int
    count: str
    rows: Mapping[str, Option]
    single: Mapping[str, Option] | None
    facts: Mapping[str, Facts]

    @property
    def spent(self) -> int:
        return sum(map(cost_of(self.count), self.rows.values()))

    @property
    def error(self) -> float:
        return sum(option.error for option in self.rows.values())

    @property
    def less_error(self) -> float | None:
        """How much less error it has than the best single preset that fits, 0 … 1; None where none does."""
        if self.single is None:
            return None
        error = sum(option.error for option in self.single.values())
        return 1 - self.error / error if error else 0.0

    def worst_first(self) -> list[str]:
        """The pictures by their quality."""
        return sorted(self.rows, key=lambda name: self.rows[name].db)

    def document(self, missing: Sequence[str] = ()) -> dict[str, Any]:
        """For other programs. missing: what could not be tried, in words."""
        rows = [{"file": name, **told(self.rows[name]), **_before(self.facts[name])} for name in self.worst_first()]
        return {
            "budget_bytes": self.budget,
            "count": self.count,
            "before": {
                "disk_bytes": sum(facts.disk for facts in self.facts.values()),
                "vram_bytes": sum(facts.vram for facts in self.facts.values()),
            },
            "plan": {**_totals(self.rows.values()), "rows": rows},
            "best_single": None if self.single is None else _single(self.single),
            "missing": list(missing),
        }


def _totals(options: Iterable[Option]) -> dict[str, Any]:
    chosen = list(options)
    return {
        "disk_bytes": sum(option.disk for option in chosen),
        "vram_bytes": sum(option.vram for option in chosen),
        "error": sum(option.error for option in chosen),
    }


def _single(rows: Mapping[str, Option]) -> dict[str, Any]:
    first = next(iter(rows.values()))
    return {
        "codec": first.codec,
        "settings": json.loads(first.settings),
        "scale": first.scale,
        **_totals(rows.values()),
    }


def told(option: Option) -> dict[str, Any]:
    """An option as a row of an import list."""
    return {
        "codec": option.codec,
        "settings": json.loads(option.settings),
        "scale": option.scale,
        "disk_bytes": option.disk,
        "vram_bytes": option.vram,
        "db": option.db,
        "error": option.error,
    }


def _before(facts: Facts) -> dict[str, Any]:
    return {
        "width": facts.width,
        "height": facts.height,
        "source_disk_bytes": facts.disk,
        "source_vram_bytes": facts.vram,
    }


def solve(facts: Mapping[str, Facts], options: Mapping[str, Sequence[Option]], budget: int, count: str) -> Plan:
    """The plan from what was measured. `UsageError` for a picture that no format carries, `TargetUnreachable` for a
    budget below what the set can be made."""
    names = list(facts)
    each = [_carried(name, options[name]) for name in names]
    cost = cost_of(count)
    chosen = choose(each, budget, cost)
    single = best_preset(each, budget, cost)

    def named(numbers: Sequence[int]) -> dict[str, Option]:
        return {name: those[number] for name, those, number in zip(names, each, numbers, strict=True)}

    return Plan(budget, count, named(chosen), None if single is None else named(single), dict(facts))


def bounds(options: Mapping[str, Sequence[Option]], count: str) -> tuple[int, int]:
    """The least bytes that the set can be made, and those beyond which none makes it better."""
    cost = cost_of(count)
    hulls = [(each, hull(each, cost)) for each in options.values() if each]
    return sum(cost(each[on[0]]) for each, on in hulls), sum(cost(each[on[-1]]) for each, on in hulls)


def _carried(name: str, options: Sequence[Option]) -> Sequence[Option]:
    if not options:
        raise UsageError(f"{name}: none of these formats carries it: name others")
    return options
