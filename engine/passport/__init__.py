"""Decode passports: what a fresh process made of a file, beside what the process that encoded it has.

Nothing of the encoding process takes part in that decode: no cache, no model in memory, no setting, and another number
of threads. This module says what comes of it, and in which words; `engine.passport.fresh` decodes,
`engine.passport.compare` compares.
"""

from __future__ import annotations

import enum
import importlib.metadata
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import engine

LEVEL, STOP = "level", "stop"
CLOSE_LEVELS = 1.0  # of code values: what rounding makes of a float's last bits
CLOSE_STOPS = 2.0**-9  # of light, 0.14 %: about one step of a half float


class Verdict(enum.StrEnum):
    EXACT = "exact"
    CLOSE = "close"
    BROKEN = "broken"


@dataclass(frozen=True)
class Passport:
    """What became of a file in a fresh process.

    reason: why it is broken, a plain sentence without its full stop; "" otherwise.
    difference: the largest between both pictures, in `unit`: code values ("level") or stops of light ("stop").
    differing, samples: how many samples (pixels × channels) are not the same, and of how many.
    symbols: the digest of the symbols on which both ends agree; None where the codec has none, or nothing was recorded.
    threads: of the process that the picture came from (0: unknown), and of the fresh one.
    decode_s: seconds that the fresh process took to decode, loading included.
    made_with: the versions of what decoded it, as `surroundings` gives them.
    """

    verdict: Verdict
    reason: str = ""
    difference: float = 0.0
    unit: str = LEVEL
    differing: int = 0
    samples: int = 0
    symbols: str | None = None
    threads: tuple[int, int] = (0, 1)
    decode_s: float | None = None
    made_with: str = ""

    @property
    def short(self) -> str:
        """For a badge: "bit-exact", "close ±1", "broken"."""
        if self.verdict is Verdict.EXACT:
            return "bit-exact"
        return f"close ±{self._amount}" if self.verdict is Verdict.CLOSE else "broken"

    @property
    def words(self) -> str:
        """The whole story, a sentence or two."""
        process = f"a fresh process with {_count(self.threads[1], 'thread')}"
        if self.verdict is Verdict.BROKEN:
            return f"Broken in {process}: {self.reason}."
        same = f"the same symbols ({self.symbols}) and " if self.symbols else ""
        if self.verdict is Verdict.EXACT:
            return f"Bit-exact: {process} decodes the file to {same}the same pixels."
        symbols = f"the same symbols ({self.symbols}), " if self.symbols else ""
        return (
            f"Close: {process} decodes the file to {symbols}pixels that differ by {_steps(self.difference, self.unit)} "
            f"at most, in {self.differing:,} of {self.samples:,} samples."
        )

    @property
    def cell(self) -> str:
        """For a table: the badge's words, and the reason where it is broken."""
        return f"broken: {self.reason}" if self.verdict is Verdict.BROKEN else self.short

    @property
    def _amount(self) -> str:
        return f"{self.difference:g}" if self.unit == LEVEL else f"{self.difference:.2g} stops"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": str(self.verdict), "threads": list(self.threads)}

    @staticmethod
    def from_json(facts: dict[str, Any]) -> Passport:
        return Passport(**{**facts, "verdict": Verdict(facts["verdict"]), "threads": tuple(facts["threads"])})

    def broken(self, reason: str) -> Passport:
        """The same, but broken for a reason that lies beside the pictures."""
        return replace(self, verdict=Verdict.BROKEN, reason=reason)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _steps(amount: float, unit: str) -> str:
    """ "1 level", "0.0004 stops"."""
    return f"{amount:.2g} {unit}s" if unit == STOP or amount != 1 else f"1 {unit}"


@cache
def surroundings() -> str:
    """What decodes besides the codec's own version: a passport does not speak for another torch."""
    found = [f"ratescope {engine.__version__}"]
    for name in ("numpy", "torch"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
