"""What was run, with what, and what came out: the records that store, plots, tables and exports share."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.codec import Settings


def canonical(settings: Settings) -> str:
    """Settings as JSON with sorted keys: equal settings give equal text."""
    return json.dumps(dict(settings), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class EncodeKey:
    """What decides the bytes of an encode: picture digest, codec id, codec version, canonical settings."""

    image: str
    codec: str
    version: str
    settings: str


@dataclass(frozen=True)
class Trial:
    """One encode of one picture, and what is known of it so far.

    size: bytes of the file. bpp: 8·size/(H·W) of the original picture. blob: hash of the stored bytes.
    scores: metric id -> score of the decoded file against the picture; absent means not measured.
    encode_s, decode_s: seconds, None where never timed; busy: other jobs ran meanwhile (shown as "~").
    """

    key: EncodeKey
    size: int
    bpp: float
    blob: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    encode_s: float | None = None
    decode_s: float | None = None
    busy: bool = False
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        return json.loads(self.key.settings)


class TargetKind(enum.StrEnum):
    BPP = "bpp"
    BYTES = "bytes"
    PSNR = "psnr"


@dataclass(frozen=True)
class Target:
    """What the rate lock asks of every codec: at most so many bits or bytes, or at least so many dB."""

    kind: TargetKind
    value: float

    def __str__(self) -> str:
        if self.kind is TargetKind.BYTES:
            return f"{self.value:.0f} bytes"
        return f"{self.value:g} {'dB' if self.kind is TargetKind.PSNR else 'bpp'}"


@dataclass(frozen=True)
class RateResult:
    """The answer of a rate search.

    best: the trial that is closest to the target on its right side (never above a rate, never below a
        quality) when `reached`, else the nearest possible trial. probes: every trial made or recalled.
    encodes: how many new encodes it took. message: for people, when not reached or far off ("" otherwise).
    """

    best: Trial
    probes: tuple[Trial, ...]
    reached: bool
    encodes: int
    message: str = ""
