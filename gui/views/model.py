"""What a pane says of its picture: plain, frozen data. Texts come finished; a pane only places them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class PaneState(enum.StrEnum):
    """DONE: pixels and figures belong together. STALE: they belong to earlier settings; new ones are asked for."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STALE = "stale"


class BadgeKind(enum.StrEnum):
    NOTE = "note"  # worth knowing: "alpha flattened over white"
    WARN = "warn"  # not what was asked for: "cannot reach: nearest 0.31 bpp"
    GOOD = "good"
    BAD = "bad"  # wrong: "broken"


@dataclass(frozen=True)
class Badge:
    """A short remark in a pane's header. tooltip: the whole story, shown on hover and on a click. sign: what stands for
    it where there is no room for the text, by default that of its kind."""

    text: str
    tooltip: str = ""
    kind: BadgeKind = BadgeKind.NOTE
    sign: str = ""


@dataclass(frozen=True)
class PaneModel:
    """One rendition's header and state.

    number: the key that chooses it, 1…9. label: the codec. colour (#rrggbb) and marker (o s ^ D v P X): its look.
    progress: 0…1 while running, None when unknown. rate_text, size_text, score_text, times_text: finished texts with
    units ("0.237 bpp", "11.4 KB", "26.41 dB", "enc 6 dec 5 ms", times with "~" in front when other work ran).
    message: the reason of a failure, in plain words; else a word on what is awaited.
    """

    number: int
    label: str
    colour: str = "#9AA0A8"
    marker: str = "o"
    state: PaneState = PaneState.DONE
    progress: float | None = None
    rate_text: str = ""
    size_text: str = ""
    score_text: str = ""
    times_text: str = ""
    badges: tuple[Badge, ...] = ()
    message: str = ""
