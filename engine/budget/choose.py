"""Which option each picture of a set takes, so that all fit a budget with the least error.

Upgrades are bought where they take most error away for a byte, along each picture's lower convex hull, until no byte
is left for one: the equal-slope allocation of Y. Shoham and A. Gersho, "Efficient bit allocation for an arbitrary set
of quantizers" (IEEE Trans. ASSP 36(9), 1988). Hulls leave out some options, and of few pictures each step is a large
part of the budget: so the same is also asked as a multiple-choice knapsack, solved by dynamic programming over costs
rounded up to a few thousandths of the budget (H. Kellerer, U. Pferschy and D. Pisinger, "Knapsack Problems", 2004,
11.5), and the better answer is taken. What either leaves is spent step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.errors import TargetUnreachable

_GRAINS = 4096  # of a budget: what the knapsack counts in


@dataclass(frozen=True)
class Option:
    """What one picture could become. scale: each side is divided by it. disk: bytes of the file. vram: bytes that it
    takes in a graphics card's memory. db: PSNR, or log2-PSNR of light, at full size. error: whose sum is minimised.
    blob: the hash of the file, "" if it is not known."""

    codec: str
    settings: str
    scale: int
    disk: int
    vram: int
    db: float
    error: float
    blob: str = ""

    @property
    def preset(self) -> tuple[str, str, int]:
        """What options of several pictures have in common."""
        return self.codec, self.settings, self.scale


Cost = Callable[[Option], int]


def choose(options: Sequence[Sequence[Option]], budget: int, cost: Cost) -> list[int]:
    """For every picture the number of the option that it takes; the sum of `cost` is at most `budget`.

    Never more error in sum than the best preset that fits when every picture takes it. `TargetUnreachable` says how
    little the set can be made at best.
    """
    chosen = [hull(each, cost)[0] for each in options]
    least = _sum(options, chosen, cost)
    if least > budget:
        raise TargetUnreachable(f"the set cannot be made smaller than {least} bytes; {budget} were asked for")
    _climb(options, chosen, budget - least, cost)
    answers = [chosen, _packed(options, budget, cost), best_preset(options, budget, cost)]
    found = [answer for answer in answers if answer is not None]
    for answer in found:
        _fill(options, answer, budget, cost)
    return min(found, key=lambda answer: _error(options, answer))


def best_preset(options: Sequence[Sequence[Option]], budget: int, cost: Cost) -> list[int] | None:
    """The numbers of the one preset for all pictures that fits with the least error; None if none fits."""
    places = [{option.preset: number for number, option in enumerate(each)} for each in options]
    common = set.intersection(*(set(each) for each in places)) if places else set()
    fitting = [
        numbers
        for numbers in ([each[preset] for each in places] for preset in sorted(common))
        if _sum(options, numbers, cost) <= budget
    ]
    return min(fitting, key=lambda numbers: _error(options, numbers), default=None)


def hull(options: Sequence[Option], cost: Cost) -> list[int]:
    """The options on the lower convex hull of error over cost, cheapest first, error falling."""
    order = sorted(range(len(options)), key=lambda i: (cost(options[i]), options[i].error))
    kept: list[int] = []
    for number in order:
        if kept and options[number].error >= options[kept[-1]].error:
            continue
        while len(kept) > 1 and _slope(options, kept[-2], kept[-1], cost) <= _slope(options, kept[-2], number, cost):
            kept.pop()
        kept.append(number)
    return kept


def _slope(options: Sequence[Option], low: int, high: int, cost: Cost) -> float:
    """Error that goes for every byte more."""
    return (options[low].error - options[high].error) / max(1, cost(options[high]) - cost(options[low]))


def _climb(options: Sequence[Sequence[Option]], chosen: list[int], left: int, cost: Cost) -> None:
    """From the cheapest options along the hulls, the steepest step first, until one does not fit: slopes are equal."""
    hulls = [hull(each, cost) for each in options]
    steps = [
        (_slope(each, low, high, cost), place, low, high)
        for place, (each, numbers) in enumerate(zip(options, hulls, strict=True))
        for low, high in pairwise(numbers)
    ]
    for _, place, low, high in sorted(steps, key=lambda step: (-step[0], step[1:])):
        more = cost(options[place][high]) - cost(options[place][low])
        if more > left:
            return
        left -= more
        chosen[place] = high


def _packed(options: Sequence[Sequence[Option]], budget: int, cost: Cost) -> list[int] | None:
    """The best choice where every cost is rounded up to whole grains of the budget; None if none fits so."""
    grains = min(_GRAINS, budget)
    least = np.zeros(grains + 1)  # error of the pictures so far, by grains that they may take at most
    taken = []
    for each in options:
        before, least = least, np.full(grains + 1, np.inf)
        numbers = np.zeros(grains + 1, np.int32)
        for number, option in enumerate(each):
            size = -(-cost(option) * grains // budget)
            if size <= grains:
                errors = before[: grains + 1 - size] + option.error
                better = errors < least[size:]
                least[size:][better] = errors[better]
                numbers[size:][better] = number
        taken.append(numbers)
    if not np.isfinite(least[grains]):
        return None
    chosen, room = [], grains
    for each, numbers in zip(reversed(options), reversed(taken), strict=True):
        chosen.append(int(numbers[room]))
        room -= -(-cost(each[chosen[-1]]) * grains // budget)
    return chosen[::-1]


def _fill(options: Sequence[Sequence[Option]], chosen: list[int], budget: int, cost: Cost) -> None:
    """Spend what is left: again and again the change that takes most error away and fits."""
    left = budget - _sum(options, chosen, cost)
    while True:
        changes = [
            (options[place][now].error - option.error, place, number, cost(option) - cost(options[place][now]))
            for place, now in enumerate(chosen)
            for number, option in enumerate(options[place])
            if option.error < options[place][now].error and cost(option) - cost(options[place][now]) <= left
        ]
        if not changes:
            return
        _, place, number, more = max(changes)
        chosen[place] = number
        left -= more


def _sum(options: Sequence[Sequence[Option]], chosen: Sequence[int], cost: Cost) -> int:
    return sum(cost(each[number]) for each, number in zip(options, chosen, strict=True))


def _error(options: Sequence[Sequence[Option]], chosen: Sequence[int]) -> float:
    return sum(each[number].error for each, number in zip(options, chosen, strict=True))
