"""One codec, one colour: the colour-blind safe set of Okabe and Ito (2008), with a marker that repeats it.

Charts, panes, tables and chips all take a codec's look from here, by its place in the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """colour: #rrggbb. marker: a matplotlib marker code (o, s, ^, D, v, P, X)."""

    colour: str
    marker: str


LOOKS = (
    Look("#E69F00", "o"),
    Look("#009E73", "s"),
    Look("#CC79A7", "^"),
    Look("#56B4E9", "D"),
    Look("#D55E00", "v"),
    Look("#0072B2", "P"),
    Look("#F0E442", "X"),
)
ORIGINAL = Look("#9AA0A8", "o")


def look(place: int) -> Look:
    """The look of the codec at `place` (0, 1, …): after the seventh colours come again, with another marker each."""
    again, index = divmod(place, len(LOOKS))
    return Look(LOOKS[index].colour, LOOKS[(index + again) % len(LOOKS)].marker)
